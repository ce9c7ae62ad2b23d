"""Quantises a graph to INT8: a QuantizeLinear and a DequantizeLinear before every matmul and convolution.

The form is what TensorRT 10 and 11 read and OpenVINO runs as it is: both sides signed with zero point 0, weights by
output channel, biases and outputs left in float. TensorRT's builder calibrates nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

from eatrack_edge.core.imports import require
from eatrack_edge.export.activation_ranges import LEVELS, Feed, observe

MATMULS = ("MatMul", "Conv", "Gemm")  # operators that can run in INT8
_OPTIONS = {
    "ActivationSymmetric": True,
    "WeightSymmetric": True,
    "QuantizeBias": False,
    # With an INT8 output, the bias would be added to the rounded sum.
    "OpTypesToExcludeOutputQuantization": list(MATMULS),
}


def quantise(graph: Path, feeds: Sequence[Feed], quantised: Path) -> onnx.ModelProto:
    """Quantise every matmul and convolution of a float32 graph that has weights; those inside an attention have none.

    Softmax gives a few large values and hundreds near 0, which one scale cannot represent together: in a trained
    network its matmul with the values costs more accuracy than all others together, and is a twentieth of the work.
    The matmul before the softmax stays in float too, so that an attention is of one type, as fused kernels need it.

    Args:
        graph: The float32 graph, opset 17 or above.
        feeds: What to measure the ranges of activations on, see ``activation_ranges.Observed.range``.
        quantised: Where to write.

    Returns:
        The quantised graph.
    """
    tool = require("onnxruntime.quantization", to="quantise a graph")
    single = onnx.load(graph)
    weighted, zero = _weighted(single), np.array(0, np.int8)
    ranges = {
        name: [{"scale": np.array(top / LEVELS, np.float32), "zero_point": zero}]
        for name, top in _ranges(single, weighted, feeds).items()
    }
    with _quiet():
        # Not optimised before: merging MatMul and Add into Gemm would hide every linear layer.
        tool.quantize_static(
            graph,
            quantised,
            _reader(tool, feeds[:1]),  # required, though all ranges are given
            quant_format=tool.QuantFormat.QDQ,
            op_types_to_quantize=list(MATMULS),
            per_channel=True,
            activation_type=tool.QuantType.QInt8,
            weight_type=tool.QuantType.QInt8,
            nodes_to_quantize=[node.name for node in weighted],
            calibrate_method=tool.CalibrationMethod.MinMax,
            extra_options=_OPTIONS | {"TensorQuantOverrides": ranges},
        )
    return onnx.load(quantised)


def _ranges(graph: onnx.ModelProto, weighted: Sequence[onnx.NodeProto], feeds: Sequence[Feed]) -> dict[str, float]:
    """The largest magnitude to represent of every value that a matmul with weights reads."""
    weights = {tensor.name: tensor for tensor in graph.graph.initializer}
    read: dict[str, list[NDArray[np.float32]]] = {}
    for node in weighted:
        for name in node.input[:2]:
            if name not in weights:
                read.setdefault(name, [])
        # A convolution sees a value through a window, so its weights cannot weigh the value's own channels.
        if node.op_type == "MatMul" and node.input[1] in weights:
            read[node.input[0]].append(numpy_helper.to_array(weights[node.input[1]]))
    seen = observe(graph, list(read), feeds)
    return {name: one.range(np.hstack(read[name]) if read[name] else None) for name, one in seen.items()}


def layer_names(graph: onnx.ModelProto) -> dict[str, str]:
    """The layer of each matmul and convolution of a float32 graph, by the name of its node.

    A linear layer or a convolution has the name of its weights in the checkpoint; the two matmuls of an attention
    are named after the layer before them.
    """
    inside = {tensor.name for tensor in graph.graph.initializer}
    readers = {name: node for node in graph.graph.node for name in node.input}
    names: dict[str, str] = {}
    last = ""
    for node in graph.graph.node:
        if node.op_type not in MATMULS:
            continue
        if node.input[1] not in inside:
            reader = readers.get(node.output[0])
            part = "scores" if reader is not None and reader.op_type == "Softmax" else "values"
            names[node.name] = f"{last}.{part}"
            continue
        # The exporter names a linear layer's transposed weights anew, but not its bias.
        reader = readers.get(node.output[0], node)
        biases = (name.split(":")[0] for name in (*node.input[1:], *reader.input) if name in inside)
        known = [name for name in biases if name.endswith("bias")]
        label = (known or [node.name])[0].removesuffix(".bias").removesuffix(".weight_bias").removesuffix(".0")
        names[node.name] = last = label
    return names


def int8_nodes(quantised: onnx.ModelProto) -> set[str]:
    """Names of the matmuls and convolutions whose inputs are dequantised."""
    dequantised = {node.output[0] for node in quantised.graph.node if node.op_type == "DequantizeLinear"}
    matmuls = (node for node in quantised.graph.node if node.op_type in MATMULS)
    return {node.name for node in matmuls if dequantised.issuperset(node.input[:2])}


def restore(quantised: onnx.ModelProto, graph: onnx.ModelProto, nodes: Collection[str]) -> onnx.ModelProto:
    """Let some matmuls of a quantised graph run in float32 again.

    Args:
        quantised: What ``quantise`` made of ``graph``; left as it is.
        graph: The float32 graph.
        nodes: Names of the nodes to run in float32.
    """
    mixed = onnx.ModelProto()
    mixed.CopyFrom(quantised)
    # ONNX Runtime's tool gives the rounded value to all readers of a quantised one.
    inputs = {node.name: node.input for node in graph.graph.node if node.name in nodes or node.op_type not in MATMULS}
    for node in mixed.graph.node:
        if node.name in inputs:
            node.input[:] = inputs[node.name]
    present = {tensor.name for tensor in mixed.graph.initializer}
    again = [tensor for tensor in graph.graph.initializer if tensor.name not in present]
    mixed.graph.initializer.extend(again)
    remove_unused(mixed)
    return mixed


def remove_unused(graph: onnx.ModelProto) -> None:
    """Remove nodes and weights that no output depends on."""
    needed = {value.name for value in graph.graph.output}
    nodes = []
    for node in reversed(graph.graph.node):
        if needed.intersection(node.output):
            needed.update(node.input)
            nodes.append(node)
    weights = [tensor for tensor in graph.graph.initializer if tensor.name in needed]
    del graph.graph.node[:], graph.graph.initializer[:]
    graph.graph.node.extend(reversed(nodes))
    graph.graph.initializer.extend(weights)


def _weighted(graph: onnx.ModelProto) -> list[onnx.NodeProto]:
    """Matmuls with a weight, perhaps transposed in the graph, as opposed to those of two activations."""
    changing = {value.name for value in graph.graph.input}
    found = []
    for node in graph.graph.node:
        if changing.intersection(node.input):
            changing.update(node.output)
            if node.op_type in MATMULS and not changing.issuperset(node.input[:2]):
                found.append(node)
    return found


def _reader(tool: Any, feeds: Iterable[Feed]) -> Any:
    class Reader(tool.CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self._feeds: Iterator[Feed] = iter(feeds)

        def get_next(self) -> Feed | None:
            return next(self._feeds, None)

    return Reader()


@contextmanager
def _quiet() -> Iterator[None]:
    """Hide the advice to pre-process the graph, which would be wrong here, see ``quantise``."""
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.ERROR)
    try:
        yield
    finally:
        root.setLevel(level)
