"""Converts a graph to half precision, so that a strongly typed builder has nothing to decide.

What is kept in float32 are the operators that sum or exponentiate over many values (LayerNormalization, Softmax), the
last step of every output, where a sigmoid turns a score into a probability, and the crop's own normalisation. Inputs
and outputs keep their types.
"""

from __future__ import annotations

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper, shape_inference

# LayerNormalization squares what a transformer's residual stream holds; past 255 a square leaves half precision.
KEPT = ("LayerNormalization", "Softmax", "Sigmoid")
_FLOAT, _HALF = TensorProto.FLOAT, TensorProto.FLOAT16
_LARGEST = float(np.finfo(np.float16).max)
# Of a Q/DQ pair: below the normal values of half, which still have 64 steps here. 0 would be refused by a parser.
_SMALLEST_SCALE = 2.0**-18


def to_half(graph: onnx.ModelProto) -> onnx.ModelProto:
    """A graph that computes in float16, with the same inputs and outputs.

    Args:
        graph: Float32, or float32 with Q/DQ pairs, whose scales then become float16: opset 19 or above. Left as it is.
    """
    half = onnx.ModelProto()
    half.CopyFrom(graph)
    _round_scales(half)
    return _Halving(half).done()


class _Halving:
    """One pass over the nodes in order. A value has the type of its maker; a reader of the other type gets a cast."""

    def __init__(self, model: onnx.ModelProto) -> None:
        self._model = model
        self._types = _types(model)
        self._weights = {tensor.name: tensor for tensor in model.graph.initializer}
        self._is_half: set[str] = set()  # values that are now float16
        self._made: dict[tuple[str, int], str] = {}  # (value, type wanted) to the name of its copy
        self._nodes: list[onnx.NodeProto] = []
        self._outputs = {value.name for value in model.graph.output}
        self._raw = _fed_by_pixels(model)

    def done(self) -> onnx.ModelProto:
        """Convert every node, and give the outputs their type back."""
        graph = self._model.graph
        for node in list(graph.node):
            self._convert(node)
        for name in self._outputs & self._is_half:
            self._nodes.append(helper.make_node("Cast", [f"{name}:half"], [name], f"{name}:cast", to=_FLOAT))
        del graph.node[:], graph.initializer[:], graph.value_info[:]
        graph.node.extend(self._nodes)
        graph.initializer.extend(self._weights.values())
        _drop_unread(graph)
        return self._model

    def _convert(self, node: onnx.NodeProto) -> None:
        kept = node.op_type in KEPT or node.name in self._raw
        wanted = _FLOAT if kept else _HALF
        node.input[:] = [self._as(name, wanted) for name in node.input]
        if not kept:
            for attribute in node.attribute:
                if node.op_type == "Cast" and attribute.name == "to" and attribute.i == _FLOAT:
                    attribute.i = _HALF
                elif attribute.type == onnx.AttributeProto.TENSOR and attribute.t.data_type == _FLOAT:
                    attribute.t.CopyFrom(_halved(attribute.t))
            for place, name in enumerate(node.output):
                if self._types.get(name) == _FLOAT:
                    self._is_half.add(name)
                    if name in self._outputs:
                        node.output[place] = f"{name}:half"
        self._nodes.append(node)

    def _as(self, name: str, wanted: int) -> str:
        """The name under which a float value can be read in the wanted type."""
        if self._types.get(name) != _FLOAT:
            return name
        has = _HALF if name in self._is_half else _FLOAT
        stands = f"{name}:half" if has == _HALF and name in self._outputs else name
        if has == wanted:
            return stands
        if (name, wanted) not in self._made:
            copy = f"{name}:{'half' if wanted == _HALF else 'float'}"
            self._made[name, wanted] = copy
            if name in self._weights:
                tensor = self._weights[name]
                self._weights[copy] = _halved(tensor, copy)
            else:
                self._nodes.append(helper.make_node("Cast", [stands], [copy], f"{copy}:cast", to=wanted))
        return self._made[name, wanted]


def _round_scales(model: onnx.ModelProto) -> None:
    """Make the scale of every Q/DQ pair a positive value of half, and fit the weights of the pair to it.

    A channel of small weights has a scale that half would round by a tenth, or to 0. Rounded up first, and the weights
    divided by what it then is, each weight stays within half a step of what it was.
    """
    tensors = {tensor.name: tensor for tensor in model.graph.initializer}
    pairs = [node for node in model.graph.node if node.op_type in ("QuantizeLinear", "DequantizeLinear")]
    old = {node.input[1]: numpy_helper.to_array(tensors[node.input[1]]) for node in pairs}
    new = {name: _rounded_up(scales) for name, scales in old.items()}
    stored = {node.input[0]: node for node in pairs if node.op_type == "DequantizeLinear" and node.input[0] in tensors}
    for name, node in stored.items():
        tensor, scale = tensors[name], node.input[1]
        levels = numpy_helper.to_array(tensor)
        axis = next((attribute.i for attribute in node.attribute if attribute.name == "axis"), 1)
        shape = [-1 if place == axis % levels.ndim else 1 for place in range(levels.ndim)] if old[scale].ndim else []
        ratio = (old[scale] / new[scale]).reshape(shape)
        tensor.CopyFrom(numpy_helper.from_array(np.round(levels * ratio).astype(levels.dtype), name))
    for name, scales in new.items():
        tensors[name].CopyFrom(numpy_helper.from_array(scales, name))


def _rounded_up(scales: NDArray[np.float32]) -> NDArray[np.float32]:
    """The next values of half, in float32."""
    wanted = np.clip(scales, _SMALLEST_SCALE, _LARGEST)
    half = wanted.astype(np.float16)
    return np.where(half < wanted, np.nextafter(half, np.float16(np.inf)), half).astype(np.float32)


def _types(model: onnx.ModelProto) -> dict[str, int]:
    """Element type of every value of the graph."""
    graph = shape_inference.infer_shapes(model, strict_mode=True).graph
    values = [*graph.input, *graph.value_info, *graph.output]
    types = {value.name: value.type.tensor_type.elem_type for value in values}
    return types | {tensor.name: tensor.data_type for tensor in graph.initializer}


def _fed_by_pixels(model: onnx.ModelProto) -> set[str]:
    """Nodes between a crop's bytes and the first product: 255 levels and small offsets, which half would blur."""
    reached = {value.name for value in model.graph.input if value.type.tensor_type.elem_type == TensorProto.UINT8}
    nodes: set[str] = set()
    for node in model.graph.node:
        if node.op_type not in ("Conv", "MatMul", "QuantizeLinear") and reached.intersection(node.input):
            reached.update(node.output)
            nodes.add(node.name)
    return nodes


def _halved(tensor: TensorProto, name: str = "") -> TensorProto:
    """A weight in float16: what is too large becomes the largest.

    Subnormal values stay, which tensor cores take at full speed: so small are many weights of a trained network that
    without them all of EATrack-S's err nine times as much.
    """
    clipped = np.clip(numpy_helper.to_array(tensor), -_LARGEST, _LARGEST)
    return numpy_helper.from_array(clipped.astype(np.float16), name or tensor.name)


def _drop_unread(graph: onnx.GraphProto) -> None:
    read = {name for node in graph.node for name in node.input}
    weights = [tensor for tensor in graph.initializer if tensor.name in read]
    del graph.initializer[:]
    graph.initializer.extend(weights)
