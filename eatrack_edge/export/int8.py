"""INT8 in the graph itself: a QuantizeLinear and a DequantizeLinear before every product that is to run in INT8.

The form is what TensorRT 10 and 11 read and OpenVINO runs as it is: both sides signed with zero point 0, weights by
output channel, biases untouched, nothing around what a product gives. No builder calibrates anything again.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import onnx

from eatrack_edge.optional import require

PRODUCTS = ("MatMul", "Conv", "Gemm")
Feed = Mapping[str, Any]  # input name to array


def quantise(graph: Path, feeds: Iterable[Feed], quantised: Path) -> onnx.ModelProto:
    """Quantise every product of a float32 graph.

    Args:
        graph: The float32 graph, opset 17 or above.
        feeds: What to measure the ranges of activations on; each range is the largest value met.
        quantised: Where to write.

    Returns:
        What was written.
    """
    tool = require("onnxruntime.quantization", to="quantise a graph")
    with _quiet():
        # Nothing is optimised before: merging MatMul and Add into Gemm would hide every linear layer.
        tool.quantize_static(
            graph,
            quantised,
            _reader(tool, feeds),
            quant_format=tool.QuantFormat.QDQ,
            op_types_to_quantize=list(PRODUCTS),
            per_channel=True,
            activation_type=tool.QuantType.QInt8,
            weight_type=tool.QuantType.QInt8,
            calibrate_method=tool.CalibrationMethod.MinMax,
            extra_options={
                "ActivationSymmetric": True,
                "WeightSymmetric": True,
                "QuantizeBias": False,
                # With its output in INT8 too, a product's bias would be added to the rounded sum.
                "OpTypesToExcludeOutputQuantization": list(PRODUCTS),
            },
        )
    return onnx.load(quantised)


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
        known = [name for name in (*node.input[1:], *reader.input) if name in inside and name.endswith("bias")]
        label = (known or [node.name])[0].removesuffix(".bias").removesuffix(".weight_bias").removesuffix(".0")
        names[node.name] = last = label
    return names


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
