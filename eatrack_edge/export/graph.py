"""Exports the two ONNX graphs of a network, with the model specification as their metadata."""

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

from eatrack_edge.core.errors import GateFailed
from eatrack_edge.core.model_spec import ModelSpec, TensorSpec
from eatrack_edge.model import inference_graph
from eatrack_edge.model.eatrack import EATrack

_NO_EXTENT = torch.zeros(1, 2), torch.zeros(1, dtype=torch.int32)  # extent and slot, where the network ignores them
_NO_LIMIT = 2**31  # bytes; more than a graph can hold


class Graphs(NamedTuple):
    """The two graphs of a tracker."""

    template: onnx.ModelProto
    track: onnx.ModelProto


class _Normalise(nn.Module):
    """Crop as OpenCV reads it, (S, S, 3) BGR uint8, to what the network takes, (1, 3, S, S) RGB."""

    scale: Tensor
    shift: Tensor

    def __init__(self, model_spec: ModelSpec) -> None:
        super().__init__()
        mean, std = torch.tensor(model_spec.mean_rgb), torch.tensor(model_spec.std_rgb)
        self.register_buffer("scale", (1 / (255 * std)).view(1, 3, 1, 1))
        self.register_buffer("shift", (-mean / std).view(1, 3, 1, 1))

    def forward(self, crop: Tensor) -> Tensor:
        # The cast comes first: TensorRT takes uint8 as an input, but lets nothing except a cast read it.
        rgb = crop.float().permute(2, 0, 1).unsqueeze(0).flip(1)
        return rgb * self.scale + self.shift


class TemplateGraph(nn.Module):
    """Template crop in; content of a template slot out."""

    def __init__(self, network: EATrack, model_spec: ModelSpec) -> None:
        super().__init__()
        self.normalise = _Normalise(model_spec)
        self.network = network
        self.form = model_spec.template_form

    def forward(self, template: Tensor, *extent_and_slot: Tensor) -> tuple[Tensor, ...]:
        """See ``ModelSpec.template_inputs`` and ``ModelSpec.template_outputs``."""
        extent, slot = extent_and_slot or _NO_EXTENT
        if self.form == "crop":
            # An output may not be an input; the limit changes nothing, since no token is beyond the crop.
            limited = torch.minimum(extent, torch.ones_like(extent))
            return (template.float(), limited) if extent_and_slot else (template.float(),)
        tokens, projections = inference_graph.encode_template(self.network, self.normalise(template), extent, slot)
        return (tokens, projections) if self.form == "projections" else (tokens,)


class TrackGraph(nn.Module):
    """Search crop and template slots in; maps and search tokens out."""

    def __init__(self, network: EATrack, model_spec: ModelSpec) -> None:
        super().__init__()
        self.normalise = _Normalise(model_spec)
        self.network = network
        self.form = model_spec.template_form
        self.slots = model_spec.template_slots

    def forward(self, search: Tensor, *held: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Crop (X, X, 3) uint8 and ``ModelSpec.slot_inputs`` of each slot in; see ``ModelSpec.track_outputs``."""
        crop = self.normalise(search)
        if self.form == "crop":  # like a plain export, to compare with
            templates = [self._encode(number, *slot) for number, slot in enumerate(self._by_slot(held))]
            maps, search_tokens = self.network.track(crop, templates)
        else:
            maps, search_tokens = inference_graph.track(self.network, crop, self._by_slot(held))
        return maps.score_map, maps.offset_map, maps.size_map, search_tokens

    def _by_slot(self, held: tuple[Tensor, ...]) -> list[tuple[Tensor, ...]]:
        each = len(held) // self.slots
        return [held[first : first + each] for first in range(0, len(held), each)]

    def _encode(self, slot: int, crop: Tensor, extent: Tensor = _NO_EXTENT[0]) -> Tensor:
        return self.network.encode_template(self.normalise(crop), extent, torch.tensor([slot]))


def write_graphs(network: EATrack, model_spec: ModelSpec, *, opset: int, fold: bool = True) -> Graphs:
    """Both graphs of a network.

    Args:
        network: In evaluation mode, with the model specification's template slots.
        model_spec: Names, shapes and metadata.
        opset: ONNX opset; the exporter's own is 18, lower ones are converted.
        fold: Fold batch norm and transposes into the weights. Without, the weights stay the checkpoint's, and
            the runtime folds them at load.

    Raises:
        GateFailed: The exporter could not reach the opset, or made other shapes than the model specification's.
    """
    template = _export(TemplateGraph(network, model_spec), model_spec.template_inputs(), opset, fold)
    track = _export(TrackGraph(network, model_spec), model_spec.track_inputs(), opset, fold)
    _describe(template, (*model_spec.template_inputs(), *model_spec.template_outputs()), model_spec, opset)
    _describe(track, (*model_spec.track_inputs(), *model_spec.track_outputs()), model_spec, opset)
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


def _describe(graph: onnx.ModelProto, specs: tuple[TensorSpec, ...], model_spec: ModelSpec, opset: int) -> None:
    """Give a graph the names and metadata of its model specification, after checking its shapes."""
    made = next(entry.version for entry in graph.opset_import if entry.domain == "")
    if made != opset:
        raise GateFailed(f"the exporter made opset {made}, asked for {opset}", hint="try another: --opset 18")
    names = {}
    for spec, value in zip(specs, [*graph.graph.input, *graph.graph.output], strict=True):
        shape = tuple(dim.dim_value for dim in value.type.tensor_type.shape.dim)
        if shape != spec.shape:
            raise GateFailed(f"the exporter made `{spec.name}` {shape}, the model specification says {spec.shape}")
        names[value.name] = value.name = spec.name
    _rename(graph, names)
    graph.producer_name, graph.producer_version = "eatrack-edge", model_spec.tool_version
    onnx.helper.set_model_props(graph, model_spec.to_metadata())


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
    """Hide the exporter's messages about opsets and torchvision, about which the user can do nothing."""
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
