"""INT8 in the graph itself: a QuantizeLinear and a DequantizeLinear before every product that is to run in INT8.

The form is what TensorRT 10 and 11 read and OpenVINO runs as it is: both sides signed with zero point 0, weights by
output channel, biases untouched, nothing around what a product gives. No builder calibrates anything again.
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

PRODUCTS = ("MatMul", "Conv", "Gemm")


def quantise(graph: Path, feeds: Sequence[Feed], quantised: Path) -> onnx.ModelProto:
    """Quantise every product of a float32 graph that has weights, which leaves out the two inside an attention.

    Softmax gives a few large values and hundreds that are nearly 0, which one scale cannot both hold: in a trained
    network its products with the values cost more than all others together, and are a twentieth of the work. The
    products before the softmax stay beside them, so that an attention is of one type, as fused kernels want it.

    Args:
        graph: The float32 graph, opset 17 or above.
        feeds: What to measure the ranges of activations on, see ``ranges.Observed.range``.
        quantised: Where to write.

    Returns:
        What was written.
    """
    tool = require("onnxruntime.quantization", to="quantise a graph")
    single = onnx.load(graph)
    weighted, zero = _weighted(single), np.array(0, np.int8)
    ranges = {
        name: [{"scale": np.array(top / LEVELS, np.float32), "zero_point": zero}]
        for name, top in _ranges(single, weighted, feeds).items()
    }
    with _quiet():
        # Nothing is optimised before: merging MatMul and Add into Gemm would hide every linear layer.
        tool.quantize_static(
            graph,
            quantised,
            _reader(tool, feeds[:1]),  # which it asks for, though no range is left to measure
            quant_format=tool.QuantFormat.QDQ,
            op_types_to_quantize=list(PRODUCTS),
            per_channel=True,
            activation_type=tool.QuantType.QInt8,
            weight_type=tool.QuantType.QInt8,
            nodes_to_quantize=[node.name for node in weighted],
            calibrate_method=tool.CalibrationMethod.MinMax,
            extra_options={
                "ActivationSymmetric": True,
                "WeightSymmetric": True,
                "QuantizeBias": False,
                "TensorQuantOverrides": ranges,
                # With its output in INT8 too, a product's bias would be added to the rounded sum.
                "OpTypesToExcludeOutputQuantization": list(PRODUCTS),
            },
        )
    return onnx.load(quantised)


def _ranges(graph: onnx.ModelProto, weighted: Sequence[onnx.NodeProto], feeds: Sequence[Feed]) -> dict[str, float]:
    """The largest magnitude to represent of every value that a product with weights reads."""
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


def products(graph: onnx.ModelProto) -> dict[str, str]:
    """The layer that each product of a float32 graph is, by the name of its node.

    A linear layer or a convolution has the name of its weights in the checkpoint; the two products of an attention
    are called after the layer before them.
    """
    inside = {tensor.name for tensor in graph.graph.initializer}
    readers = {name: node for node in graph.graph.node for name in node.input}
    names: dict[str, str] = {}
    last = ""
    for node in graph.graph.node:
        if node.op_type not in PRODUCTS:
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


def in_int8(quantised: onnx.ModelProto) -> set[str]:
    """Names of the products that read dequantised values."""
    dequantised = {node.output[0] for node in quantised.graph.node if node.op_type == "DequantizeLinear"}
    products = (node for node in quantised.graph.node if node.op_type in PRODUCTS)
    return {node.name for node in products if dequantised.issuperset(node.input[:2])}


def restore(quantised: onnx.ModelProto, graph: onnx.ModelProto, nodes: Collection[str]) -> onnx.ModelProto:
    """Give some products of a quantised graph their float32 inputs back.

    Args:
        quantised: What ``quantise`` made of ``graph``; left as it is.
        graph: The float32 graph.
        nodes: Names of the products to run in float again.
    """
    mixed = onnx.ModelProto()
    mixed.CopyFrom(quantised)
    # The tool lets all that read a quantised value read the rounded one, also where a float will do.
    inputs = {node.name: node.input for node in graph.graph.node if node.name in nodes or node.op_type not in PRODUCTS}
    for node in mixed.graph.node:
        if node.name in inputs:
            node.input[:] = inputs[node.name]
    present = {tensor.name for tensor in mixed.graph.initializer}
    again = [tensor for tensor in graph.graph.initializer if tensor.name not in present]
    mixed.graph.initializer.extend(again)
    remove_unused(mixed)
    return mixed


def remove_unused(graph: onnx.ModelProto) -> None:
    """Take out nodes and weights that no output depends on."""
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
    """Products of a weight, plain or transposed by the graph itself, as opposed to those of two activations."""
    changing = {value.name for value in graph.graph.input}
    found = []
    for node in graph.graph.node:
        if changing.intersection(node.input):
            changing.update(node.output)
            if node.op_type in PRODUCTS and not changing.issuperset(node.input[:2]):
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
    """Keep the advice to pre-process the graph from the user: it would do harm, see ``quantise``."""
    root = logging.getLogger()
    level = root.level
    root.setLevel(logging.ERROR)
    try:
        yield
    finally:
        root.setLevel(level)
