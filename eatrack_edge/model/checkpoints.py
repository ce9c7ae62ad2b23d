"""Reading and writing weights: ours, and those of the OSTrack family.

Key names are OSTrack's (``backbone.blocks.N...``, ``box_head.conv1_ctr...``), so nothing is renamed. A checkpoint is
data: reading one never runs code of the file, see ``inert_unpickler``.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from eatrack_edge.core.errors import CheckpointError
from eatrack_edge.core.imports import require
from eatrack_edge.core.io import sha256, write_whole
from eatrack_edge.model.architecture import Architecture
from eatrack_edge.model.eatrack import EATrack
from eatrack_edge.model.state_dicts import find_weights, not_finite
from eatrack_edge.model.weights_file import SUFFIXES as SUFFIXES
from eatrack_edge.model.weights_file import read_weights_file

# What a checkpoint may hold that tracking does not use: class tokens, a classifier, counters, and the
# pretrained position table, from which ours were made.
_UNUSED = ("n_averaged", "backbone.cls_token", "backbone.dist_token", "backbone.mask_token", "backbone.pos_embed")
_UNUSED_PREFIXES = ("backbone.head.", "backbone.head_dist.", "backbone.fc_norm.")


@dataclass(frozen=True)
class Checkpoint:
    """Weights as they stand in a file.

    Attributes:
        path: The file.
        tensors: Key to tensor, float32, on CPU.
        metadata: Text beside them; only ``.safetensors`` has any.
        sha256: Of the file, hex.
        notes: What was chosen among several weights in the file, a line each.
    """

    path: Path
    tensors: Mapping[str, Tensor]
    metadata: Mapping[str, str]
    sha256: str
    notes: tuple[str, ...] = ()


def read_checkpoint(path: Path) -> Checkpoint:
    """Read weights from ``.safetensors`` or any file of torch, wherever in it they are.

    Raises:
        CheckpointError: No such file, another kind of file, or no weights in it that could be used.
    """
    if not path.is_file():
        raise CheckpointError(f"{path}: no such checkpoint")
    if not path.name.endswith(SUFFIXES):
        raise CheckpointError(f"{path}: a checkpoint ends in {', '.join(SUFFIXES)}")
    held, metadata = read_weights_file(path)
    tensors, notes = find_weights(held)
    if not tensors:
        raise CheckpointError(
            f"{path}: no weights of a network in it; it holds {_contents(held)}",
            hint="they are looked for under `net`, `model` and other usual names",
        )
    if keys := not_finite(tensors):
        raise CheckpointError(
            f"{path}: {len(keys)} of {len(tensors)} weights are not finite numbers: {_first(keys)}",
            hint="take an earlier checkpoint: training diverged, or the file is damaged",
        )
    # Checkpoints of training runs before 0.2.0 call the foreground embedding target marks.
    tensors = {key.replace(".target_marks.", ".foreground_embedding."): value.float() for key, value in tensors.items()}
    return Checkpoint(path, tensors, metadata, sha256(path), tuple(notes))


def build(architecture: Architecture, checkpoint: Checkpoint) -> EATrack:
    """The network with a checkpoint's weights, in evaluation mode.

    The head's convolutions have biases, and the network a foreground embedding, if the checkpoint has them; position
    tables of another grid are resized.

    Raises:
        CheckpointError: A key is missing, extra or of another shape.
    """
    has_bias = "box_head.conv1_ctr.0.bias" in checkpoint.tensors
    network = EATrack(
        replace(architecture, head_bias=has_bias, foreground_embedding=has_foreground_embedding(checkpoint))
    ).eval()
    wanted = {key: value for key, value in network.state_dict().items() if not key.endswith("num_batches_tracked")}
    tensors = {key: value for key, value in checkpoint.tensors.items() if not _is_unused(key)}
    for key in ("backbone.pos_embed_z", "backbone.pos_embed_x"):
        table = tensors.get(key, checkpoint.tensors.get("backbone.pos_embed"))
        if table is not None:
            tensors[key] = resize_position_table(table, wanted[key].shape[1])
    _check(wanted, tensors, checkpoint.path)
    network.load_state_dict(tensors, strict=False)  # not strict for batch norm's counters alone, see _check
    return network


def has_foreground_embedding(checkpoint: Checkpoint) -> bool:
    """Whether these weights have a foreground embedding."""
    return "backbone.foreground_embedding.inside" in checkpoint.tensors


def resize_position_table(table: Tensor, tokens: int) -> Tensor:
    """Resize a position table bicubically to another square grid.

    Args:
        table: Shape (1, N, dim). N is a square, or one or two more: leading class and distillation tokens
            (DeiT has both), which are dropped.
        tokens: Tokens wanted, a square.

    Returns:
        Shape (1, tokens, dim); the table itself where it already fits.
    """
    if table.ndim != 3 or table.shape[1] == tokens:
        return table
    leading = next((n for n in (0, 1, 2) if math.isqrt(table.shape[1] - n) ** 2 == table.shape[1] - n), None)
    if leading is None:
        return table
    before, after = math.isqrt(table.shape[1] - leading), math.isqrt(tokens)
    picture = table[:, leading:].transpose(1, 2).unflatten(2, (before, before))  # (1, dim, before, before)
    resized = torch.nn.functional.interpolate(picture, size=(after, after), mode="bicubic", align_corners=False)
    return resized.flatten(2).transpose(1, 2)


def write_checkpoint(path: Path, network: EATrack, metadata: Mapping[str, str], *, half: bool) -> None:
    """Write a network's weights as ``.safetensors``.

    Args:
        path: Where to; replaced whole or not at all.
        network: Whose weights.
        metadata: Text to keep beside them, see ``model_spec.ModelSpec.checkpoint_metadata``.
        half: Store as float16, half the size; reading gives float32 again.

    Raises:
        OutputError: It cannot be written.
    """
    tensors = {
        key: value.half().contiguous() if half else value.contiguous()
        for key, value in network.state_dict().items()
        if not key.endswith("num_batches_tracked")
    }
    write_whole(path, require("safetensors.torch", to="write a checkpoint").save(tensors, metadata=dict(metadata)))


def _is_unused(key: str) -> bool:
    return key in _UNUSED or key.startswith(_UNUSED_PREFIXES) or key.endswith("num_batches_tracked")


def _check(wanted: Mapping[str, Tensor], got: Mapping[str, Tensor], path: Path) -> None:
    """Name the first few keys that do not fit, in one line."""
    missing = sorted(wanted.keys() - got.keys())
    extra = sorted(got.keys() - wanted.keys())
    shapes = [key for key in sorted(wanted.keys() & got.keys()) if wanted[key].shape != got[key].shape]
    faults = []
    if missing:
        faults.append(f"{len(missing)} keys missing ({_first(missing)})")
    if extra:
        faults.append(f"{len(extra)} keys unknown ({_first(extra)})")
    if shapes:
        pairs = [f"{key} is {tuple(got[key].shape)}, needs {tuple(wanted[key].shape)}" for key in shapes]
        faults.append(f"{len(shapes)} shapes differ ({_first(pairs)})")
    if faults:
        raise CheckpointError(
            f"{path}: does not fit this network: {'; '.join(faults)}",
            hint="name the network that it was trained as: --model NAME",
        )


def _contents(held: object) -> str:
    """What a file holds, in words."""
    if not isinstance(held, Mapping):
        return f"a {type(held).__name__}, not a mapping of names"
    return _first([f"`{key}`" for key in held], 8) or "nothing"


def _first(items: list[str], count: int = 3) -> str:
    return ", ".join(items[:count]) + (", ..." if len(items) > count else "")
