"""Counts the FLOPs and the memory traffic of an ONNX graph, layer by layer, from its static shapes.

A *layer* is what an inference engine usually runs as one kernel, by four rules. A matmul, a convolution or a reduction
begins a layer. Pointwise and layout operators join the layer that made their latest input. A matmul, its softmax and
the matmul after it are one layer of attention. What depends on no input of the graph is folded beforehand and costs
only the reading of its result. Only a profile on the board shows what an engine really fused.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from eatrack_edge.core.errors import InputError
from eatrack_edge.core.imports import require

MATMULS = ("MatMul", "Gemm", "Conv")
_REDUCTIONS = (
    *("LayerNormalization", "Softmax", "GlobalAveragePool", "ReduceMean", "ReduceSum", "ReduceMax", "ArgMax"),
    *("MaxPool", "AveragePool", "Resize", "TopK", "GridSample"),
)
_VIEWS = ("Reshape", "Squeeze", "Unsqueeze", "Flatten", "Identity")  # another name for the same memory
# Operators whose constants are indices, sizes and axes.
_MOVES = ("Transpose", "Slice", "Split", "Concat", "Expand", "Gather", "Pad", "Cast", "CastLike")
_SMALL = 1 << 16  # elements of the largest constant to fold: sizes, axes and scales, never weights


@dataclass(frozen=True, slots=True)
class LayerCost:
    """One layer.

    Attributes:
        name: Of its first node.
        kind: ``matmul`` or convolution with constant weights, ``attention`` of two computed tensors, or ``other``.
        flops: Two per multiply-accumulate of its matmuls; pointwise arithmetic is bound by its memory traffic.
        weights: Constant elements that it reads.
        activations: Elements of computed tensors that it reads and writes, each tensor once.
    """

    name: str
    kind: str
    flops: int
    weights: int
    activations: int


@dataclass(slots=True)
class _Group:
    """A layer while its nodes are collected."""

    nodes: list[Any] = field(default_factory=list)
    reads: set[str] = field(default_factory=set)
    writes: set[str] = field(default_factory=set)


def graph_layers(path: Path) -> list[LayerCost]:
    """Read a graph and count the cost of its layers.

    Args:
        path: An ONNX file with static shapes; a separate file of weights is not needed.

    Raises:
        InputError: The file is not an ONNX graph, or a shape that is needed is not static.
        MissingExtra: The package ``onnx`` is not installed.
    """
    onnx = require("onnx", to="count a graph's operations")
    try:
        model = onnx.load(path, load_external_data=False)
        _fold_small_constants(model.graph)
        model = onnx.shape_inference.infer_shapes(model, data_prop=True)
    except Exception as error:  # protobuf and onnx each have errors of their own
        raise InputError(f"{path}: not an ONNX graph: {error}") from error
    return _Reader(model.graph, path).layers()


def _fold_small_constants(graph: Any) -> None:
    """Replace nodes that depend on constants alone by their values: shape inference cannot evaluate most operators."""
    numpy_helper = require("onnx.numpy_helper", to="count a graph's operations")
    evaluator = require("onnx.reference", to="count a graph's operations").ReferenceEvaluator
    external = require("onnx", to="count a graph's operations").TensorProto.EXTERNAL
    values = {
        tensor.name: numpy_helper.to_array(tensor)
        for tensor in graph.initializer
        if tensor.data_location != external and math.prod(tensor.dims) <= _SMALL
    }
    kept = []
    for node in graph.node:
        if all(name in values for name in node.input if name):
            found = evaluator(node).run(None, {name: values[name] for name in node.input if name})
            values.update(zip(node.output, found, strict=True))
            graph.initializer.extend(
                numpy_helper.from_array(value, name) for name, value in zip(node.output, found, strict=True)
            )
        else:
            kept.append(node)
    del graph.node[:]
    graph.node.extend(kept)


class _Reader:
    """Groups the nodes of one graph into layers."""

    def __init__(self, graph: Any, path: Path) -> None:
        self._graph, self._path = graph, path
        values = (*graph.value_info, *graph.input, *graph.output)
        self._shapes = {value.name: _dims(value.type.tensor_type.shape) for value in values}
        self._shapes |= {tensor.name: tuple(tensor.dims) for tensor in graph.initializer}
        self._folded = {tensor.name for tensor in graph.initializer}
        self._same: dict[str, str] = {}  # from a view to its tensor
        self._made_by: dict[str, int] = {}  # from a tensor to the index of its layer
        self._groups: list[_Group] = []

    def layers(self) -> list[LayerCost]:
        for node in self._graph.node:
            self._place(node)
        outputs = {self._root(value.name) for value in self._graph.output}
        read = [group.reads - group.writes for group in self._groups]
        needed = outputs.union(*read) if read else outputs
        return [self._cost(group, read[place], needed) for place, group in enumerate(self._groups)]

    def _place(self, node: Any) -> None:
        inputs = [self._root(name) for name in node.input if name]
        computed = [name for name in inputs if name not in self._folded]
        # Shapes are static, so a shape is a constant, and so is a constant cast to another tensor's type.
        if not computed or node.op_type == "Shape" or (node.op_type == "CastLike" and inputs[0] in self._folded):
            self._folded.update(node.output)
        elif node.op_type in _VIEWS:
            self._same[node.output[0]] = computed[0]
        else:
            place = self._layer_of(node, computed)
            group = self._groups[place]
            group.nodes.append(node)
            group.reads.update(inputs)
            group.writes.update(node.output)
            self._made_by.update(dict.fromkeys(node.output, place))

    def _layer_of(self, node: Any, computed: list[str]) -> int:
        """Index of the layer of a node; a new layer where the node begins one."""
        made = [self._made_by[name] for name in computed if name in self._made_by]
        latest = max(made, default=-1)
        is_attention = len(computed) > 1 and node.op_type == "MatMul"
        if node.op_type == "Softmax" and latest >= 0 and self._is_attention(latest):
            return latest
        if is_attention and latest >= 0 and self._has_open_softmax(latest):
            return latest
        if node.op_type not in MATMULS and node.op_type not in _REDUCTIONS and latest >= 0:
            return latest
        self._groups.append(_Group())
        return len(self._groups) - 1

    def _is_attention(self, place: int) -> bool:
        return any(self._is_computed_matmul(node) for node in self._groups[place].nodes)

    def _has_open_softmax(self, place: int) -> bool:
        """Whether the layer is an attention whose second matmul is still to come."""
        operators = [node.op_type for node in self._groups[place].nodes]
        return "Softmax" in operators and operators.count("MatMul") == 1

    def _is_computed_matmul(self, node: Any) -> bool:
        return node.op_type == "MatMul" and all(self._root(name) not in self._folded for name in node.input)

    def _root(self, name: str) -> str:
        while name in self._same:
            name = self._same[name]
        return name

    def _cost(self, group: _Group, read: set[str], needed: set[str]) -> LayerCost:
        first = group.nodes[0]
        matmuls = [node for node in group.nodes if node.op_type in MATMULS]
        kind = "other"
        if matmuls:
            kind = "attention" if any(map(self._is_computed_matmul, matmuls)) else "matmul"
        computed = (read - self._folded) | (group.writes & needed)
        return LayerCost(
            name=first.name or first.output[0],
            kind=kind,
            flops=sum(2 * self._multiply_accumulates(node) for node in matmuls),
            weights=sum(self._weights(node) for node in group.nodes),
            activations=sum(self._elements(name) for name in computed),
        )

    def _multiply_accumulates(self, node: Any) -> int:
        out = self._elements(node.output[0])
        if node.op_type == "Conv":
            kernel = self._shape(node.input[1])  # (out, in / groups, height, width)
            return out * math.prod(kernel[1:])
        inner = self._shape(node.input[0])
        is_transposed = any(attribute.name == "transA" and attribute.i for attribute in node.attribute)
        return out * inner[-2 if is_transposed else -1]

    def _weights(self, node: Any) -> int:
        """Number of constant elements of a node; a bias or scale of unknown shape counts as 0."""
        names = [name for name in node.input if name and self._root(name) in self._folded]
        if node.op_type in MATMULS:
            return sum(self._elements(name) for name in names[:1]) + sum(map(self._known_elements, names[1:]))
        return 0 if node.op_type in _MOVES else sum(map(self._known_elements, names))

    def _known_elements(self, name: str) -> int:
        shape = self._shapes.get(name)
        return math.prod(shape) if shape is not None and all(isinstance(size, int) for size in shape) else 0

    def _elements(self, name: str) -> int:
        return math.prod(self._shape(name))

    def _shape(self, name: str) -> tuple[int, ...]:
        shape = self._shapes.get(name)
        if shape is None or not all(isinstance(size, int) for size in shape):
            raise InputError(
                f"{self._path}: the shape of `{name}` is not static",
                hint="export the graph with fixed sizes: eatrack-edge export",
            )
        return shape


def _dims(shape: Any) -> tuple[Any, ...]:
    return tuple(dim.dim_value if dim.HasField("dim_value") else dim.dim_param or "?" for dim in shape.dim)
