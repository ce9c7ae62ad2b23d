"""Writes the two ONNX graphs of a network, and what they say of themselves."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import NamedTuple

import onnx
import torch
from onnxscript import optimizer
from torch import Tensor, nn

from eatrack_edge.contract import Contract, TensorSpec
from eatrack_edge.errors import GateFailed
from eatrack_edge.model import flying
from eatrack_edge.model.eatrack import EATrack

_NO_MARK = torch.zeros(1, 2), torch.zeros(1, dtype=torch.int32)  # for networks that take no notice of it
_NO_LIMIT = 2**31  # bytes; more than a graph can hold


class Graphs(NamedTuple):
    """The two graphs of a tracker."""

    template: onnx.ModelProto
    track: onnx.ModelProto


class _Normalise(nn.Module):
    """Crop as OpenCV reads it, (S, S, 3) BGR uint8, to what the network takes, (1, 3, S, S) RGB."""

    scale: Tensor
    shift: Tensor

    def __init__(self, contract: Contract) -> None:
        super().__init__()
        mean, std = torch.tensor(contract.mean_rgb), torch.tensor(contract.std_rgb)
        self.register_buffer("scale", (1 / (255 * std)).view(1, 3, 1, 1))
        self.register_buffer("shift", (-mean / std).view(1, 3, 1, 1))

    def forward(self, crop: Tensor) -> Tensor:
        # The cast comes first: TensorRT takes uint8 as an input, but lets nothing except a cast read it.
        rgb = crop.float().permute(2, 0, 1).unsqueeze(0).flip(1)
        return rgb * self.scale + self.shift


class TemplateGraph(nn.Module):
    """Template crop in; what a template slot is to hold out."""

    def __init__(self, network: EATrack, contract: Contract) -> None:
        super().__init__()
        self.normalise = _Normalise(contract)
        self.network = network
        self.form = contract.template_form

    def forward(self, template: Tensor, *mark: Tensor) -> tuple[Tensor, ...]:
        """See ``Contract.template_inputs`` and ``Contract.template_outputs``."""
        extent, slot = mark or _NO_MARK
        if self.form == "crop":
            # The limit changes nothing: a token beyond the crop there is not. But an output may not be an input.
            return (template.float(), torch.minimum(extent, torch.ones_like(extent))) if mark else (template.float(),)
        tokens, projections = flying.encode_template(self.network, self.normalise(template), extent, slot)
        return (tokens, projections) if self.form == "projections" else (tokens,)


class TrackGraph(nn.Module):
    """Search crop and what the template slots hold in; the maps and the search tokens out."""

    def __init__(self, network: EATrack, contract: Contract) -> None:
        super().__init__()
        self.normalise = _Normalise(contract)
        self.network = network
        self.form = contract.template_form
        self.slots = contract.template_slots

    def forward(self, search: Tensor, *held: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Crop (X, X, 3) uint8 and ``Contract.slot_inputs`` of each slot in; see ``Contract.track_outputs``."""
        crop = self.normalise(search)
        if self.form == "crop":  # as a plain export would be, to compare with
            templates = [self._encode(number, *slot) for number, slot in enumerate(self._by_slot(held))]
            maps, search_tokens = self.network.track(crop, templates)
        else:
            maps, search_tokens = flying.track(self.network, crop, self._by_slot(held))
        return maps.score_map, maps.offset_map, maps.size_map, search_tokens

    def _by_slot(self, held: tuple[Tensor, ...]) -> list[tuple[Tensor, ...]]:
        each = len(held) // self.slots
        return [held[first : first + each] for first in range(0, len(held), each)]

    def _encode(self, slot: int, crop: Tensor, extent: Tensor = _NO_MARK[0]) -> Tensor:
        return self.network.encode_template(self.normalise(crop), extent, torch.tensor([slot]))


def write_graphs(network: EATrack, contract: Contract, *, opset: int, fold: bool = True) -> Graphs:
    """Both graphs of a network.

    Args:
        network: In evaluation mode, with the contract's template slots.
        contract: Names, shapes and what stands in the metadata.
        opset: ONNX opset; the exporter's own is 18, lower ones are converted.
        fold: Fold batch norm and transposes into the weights. Without, the weights stay the checkpoint's, and
            the runtime folds them at load.

    Raises:
        GateFailed: The exporter could not reach the opset, or made other shapes than the contract's.
    """
    template = _export(TemplateGraph(network, contract), contract.template_inputs(), opset, fold)
    track = _export(TrackGraph(network, contract), contract.track_inputs(), opset, fold)
    _describe(template, (*contract.template_inputs(), *contract.template_outputs()), contract, opset)
    _describe(track, (*contract.track_inputs(), *contract.track_outputs()), contract, opset)
    return Graphs(template, track)


def _export(module: nn.Module, inputs: tuple[TensorSpec, ...], opset: int, fold: bool) -> onnx.ModelProto:
    examples = tuple(torch.zeros(spec.shape, dtype=getattr(torch, spec.dtype)) for spec in inputs)
    with _quiet():
        program = torch.onnx.export(
            module.eval(), examples, dynamo=True, opset_version=opset, optimize=fold, verbose=False
        )
        graph = program.model_proto  # type: ignore[union-attr]
        # The exporter leaves slices of large weights in the graph, and only plain weights can be quantised.
        return optimizer.optimize(graph, input_size_limit=_NO_LIMIT, output_size_limit=_NO_LIMIT) if fold else graph


def _describe(graph: onnx.ModelProto, specs: tuple[TensorSpec, ...], contract: Contract, opset: int) -> None:
    """Give a graph the contract's names and metadata, after checking that it keeps the contract."""
    made = next(entry.version for entry in graph.opset_import if entry.domain == "")
    if made != opset:
        raise GateFailed(f"the exporter made opset {made}, asked for {opset}", hint="try another: --opset 18")
    names = {}
    for spec, value in zip(specs, [*graph.graph.input, *graph.graph.output], strict=True):
        shape = tuple(dim.dim_value for dim in value.type.tensor_type.shape.dim)
        if shape != spec.shape:
            raise GateFailed(f"the exporter made `{spec.name}` {shape}, the contract says {spec.shape}")
        names[value.name] = value.name = spec.name
    _rename(graph, names)
    graph.producer_name, graph.producer_version = "eatrack-edge", contract.tool_version
    onnx.helper.set_model_props(graph, contract.to_metadata())


def _rename(graph: onnx.ModelProto, names: Mapping[str, str]) -> None:
    """Rename values everywhere; weights get their checkpoint's names, without the wrapper's prefix."""

    def new(name: str) -> str:
        return names.get(name, name.removeprefix("network."))

    for tensor in graph.graph.initializer:
        tensor.name = new(tensor.name)
    for node in graph.graph.node:
        node.input[:] = [new(name) for name in node.input]
        node.output[:] = [new(name) for name in node.output]
        del node.metadata_props[:]  # the exporter's stack traces, with paths of the machine that exported
        node.doc_string = ""
    del graph.graph.value_info[:]  # they name the old values, and static shapes can be inferred again


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the exporter's advice about opsets and torchvision from the user, who can do nothing about it."""
    loggers = [logging.getLogger(name) for name in ("torch.onnx", "onnxscript")]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        for logger, level in zip(loggers, levels, strict=True):
            logger.setLevel(level)
