"""Parses an ONNX graph with TensorRT, and checks it against the model specification."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from eatrack_edge.core.errors import InputError
from eatrack_edge.core.imports import require
from eatrack_edge.core.model_spec import ModelSpec, TensorSpec
from eatrack_edge.engines.parse_trt_error import parse_trt_error
from eatrack_edge.inference.onnx_metadata import read_model_spec
from eatrack_edge.inference.tensorrt.error_log import logger

_HINT = "export it again with this version, whose graphs are tested with TensorRT's parser: eatrack-edge export"


class Parsed(NamedTuple):
    """A network and the parser that owns its weights, which must live as long."""

    network: Any
    parser: Any


def read_network(builder: Any, graph: Path) -> Parsed:
    """Parse a graph. Its own tensors decide the precision: the network is strongly typed.

    Args:
        builder: TensorRT's.
        graph: ``NAME.template.onnx`` or ``NAME.track.onnx``, of any precision.

    Raises:
        InputError: The graph was not exported by eatrack-edge, TensorRT cannot read it, or its tensors are not those
            of its model specification; a shape that is not fixed is among the latter.
    """
    trt = require("tensorrt", to="build an engine")
    model_spec = read_model_spec(graph)
    network = builder.create_network(1 << int(trt.NetworkDefinitionCreationFlag.STRONGLY_TYPED))
    parser = trt.OnnxParser(network, logger())
    if not parser.parse_from_file(str(graph)):
        raise _refused(graph, [parser.get_error(index) for index in range(parser.num_errors)])
    _check(trt, network, model_spec, graph)
    return Parsed(network, parser)


def _refused(graph: Path, errors: list[Any]) -> InputError:
    if not errors:
        return InputError(f"{graph}: TensorRT cannot read it: {parse_trt_error(logger().errors)}", hint=_HINT)
    # One wrong node makes later ones fail too: the first is the one to correct.
    first = errors[0]
    node = first.node_name() or f"number {first.node()}"
    why = parse_trt_error([first.desc(), *logger().errors])
    return InputError(f"{graph}: TensorRT refuses node `{node}` ({first.node_operator()}): {why}", hint=_HINT)


def _check(trt: Any, network: Any, model_spec: ModelSpec, graph: Path) -> None:
    is_template = graph.name.endswith(".template.onnx")
    inputs = model_spec.template_inputs() if is_template else model_spec.track_inputs()
    outputs = model_spec.template_outputs() if is_template else model_spec.track_outputs()
    found_inputs = [_spec(trt, network.get_input(index)) for index in range(network.num_inputs)]
    found_outputs = [_spec(trt, network.get_output(index)) for index in range(network.num_outputs)]
    for wanted, found in ((inputs, found_inputs), (outputs, found_outputs)):
        if list(wanted) != found:
            raise InputError(
                f"{graph}: has {_text(found)}, its model specification says {_text(wanted)}",
                hint="export it again: eatrack-edge export",
            )


def _spec(trt: Any, tensor: Any) -> TensorSpec:
    return TensorSpec(tensor.name, tuple(tensor.shape), np.dtype(trt.nptype(tensor.dtype)).name)


def _text(specs: list[TensorSpec] | tuple[TensorSpec, ...]) -> str:
    return ", ".join(f"`{spec.name}` {spec.shape} {spec.dtype}" for spec in specs)
