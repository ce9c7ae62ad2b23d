"""Finds the network's weights among all that a training program keeps in a checkpoint."""

from __future__ import annotations

import re
from collections.abc import Mapping

import torch
from torch import Tensor

from eatrack_edge.model.inert_unpickler import Stub, as_tensor

# Where training programs keep the weights, the first that is there: OSTrack's and pytracking's, timm's and DeiT's,
# Lightning's, PyTorch's tutorial, DeepSpeed's, BasicSR's; then those of averages.
_WRAPPERS = (
    "net", "model", "state_dict", "model_state_dict", "model_state", "module", "network", "params", "weights", "shadow"
)  # fmt: skip
_AVERAGES = {"ema", "swa"}
# Names that torch.compile, DataParallel, activation checkpointing and FSDP put into keys.
_INSERTED = ("_orig_mod", "module", "_checkpoint_wrapped_module", "_fsdp_wrapped_module")
_ROOTS = ("backbone.", "box_head.")  # of the OSTrack family
_DEPTH = 4  # wrappers within wrappers


def find_weights(held: object) -> tuple[dict[str, Tensor], list[str]]:
    """The weights in what was read from a file, and what was chosen among several.

    An average of the weights (EMA, SWA) is preferred to the weights themselves: it is what training programs evaluate.

    Args:
        held: A mapping, or the stub of a whole network.

    Returns:
        Tensors by key, without prefixes of a training program; empty where there are none. Then a line for each choice.
    """
    notes: list[str] = []
    tensors = _unwrap(held, notes, _DEPTH)
    plain: dict[str, Tensor] = {}
    for key, value in tensors.items():
        plain[".".join(part for part in key.split(".") if part not in _INSERTED)] = value.detach()
    return _without_prefix(plain, notes), notes


def not_finite(tensors: Mapping[str, Tensor]) -> list[str]:
    """Keys of tensors that have a value which is not a number, or infinite."""
    return [key for key, value in tensors.items() if value.is_floating_point() and not torch.isfinite(value).all()]


def _unwrap(held: object, notes: list[str], depth: int) -> dict[str, Tensor]:
    """Tensors by key, of a mapping, of one within it, or of a network that was pickled whole."""
    if not isinstance(held, Mapping) or not depth:
        return {}
    averages = [key for key in held if _is_average(key)]
    inner = {
        key: tensors
        for key in [*averages, *(name for name in _WRAPPERS if name in held)]
        if (tensors := _unwrap(held[key], notes, depth - 1))
    }
    notes += [
        f"`{key}` was left out: its weights have no names"
        for key in averages
        if key not in inner and isinstance(held[key], Mapping) and any(_are_tensors(one) for one in held[key].values())
    ]
    own = {str(key): tensor for key, value in held.items() if (tensor := as_tensor(value)) is not None}
    most = max([len(own), *map(len, inner.values())])
    for key, tensors in inner.items():
        others = [name for name in inner if name != key]
        if 2 * len(tensors) < most:  # counters of an average, say
            continue
        if key in averages and others:
            notes.append(f"`{key}` was taken, the averaged weights; the file also holds `{others[-1]}`")
            rest = inner[others[-1]]  # buffers are seldom averaged
            return {**rest, **tensors} if tensors.keys() <= rest.keys() else tensors
        return tensors
    if own or not isinstance(held, Stub):
        return own
    return _module_tensors(held) or _unwrap(held.state, notes, depth - 1)


def _is_average(key: object) -> bool:
    return isinstance(key, str) and not _AVERAGES.isdisjoint(re.split(r"[_.]", key.lower()))


def _are_tensors(value: object) -> bool:
    return isinstance(value, list) and any(isinstance(one, Tensor) for one in value)


def _module_tensors(module: Stub, prefix: str = "", depth: int = 40) -> dict[str, Tensor]:
    """Parameters and buffers of a network that was pickled whole."""
    state = module.state
    if not isinstance(state, Mapping) or not depth:
        return {}
    found: dict[str, Tensor] = {}
    unsaved = state.get("_non_persistent_buffers_set")
    for table in ("_parameters", "_buffers"):
        for key, value in _items(state.get(table)):
            if isinstance(value, Tensor) and not (isinstance(unsaved, set) and key in unsaved):
                found[prefix + str(key)] = value
    for key, value in _items(state.get("_modules")):
        if isinstance(value, Stub):
            found |= _module_tensors(value, f"{prefix}{key}.", depth - 1)
    return found


def _items(table: object) -> list[tuple[object, object]]:
    return list(table.items()) if isinstance(table, Mapping) else []


def _without_prefix(tensors: dict[str, Tensor], notes: list[str]) -> dict[str, Tensor]:
    """Strip what a training program puts before our keys, such as Lightning's ``model.``; other keys are left out."""
    prefixes = {key[: place + 1] for key in tensors for root in _ROOTS if (place := key.find(f".{root}")) >= 0}
    if any(key.startswith(_ROOTS) for key in tensors) or not prefixes:
        shared = {key.partition(".")[0] for key in tensors}
        is_wrapped = len(shared) == 1 and shared <= set(_WRAPPERS)
        return {key.partition(".")[2]: value for key, value in tensors.items()} if is_wrapped else tensors
    chosen = next(
        (prefix for prefix in sorted(prefixes) if _is_average(prefix.rstrip("."))), min(sorted(prefixes), key=len)
    )
    if len(prefixes) > 1:
        others = ", ".join(f"`{prefix}`" for prefix in sorted(prefixes - {chosen}))
        notes.append(f"the keys that begin with `{chosen}` were taken; the file also holds {others}")
    return {key.removeprefix(chosen): value for key, value in tensors.items() if key.startswith(chosen)}
