"""Smooths activations for INT8, without changing the outputs of a graph.

After a LayerNormalization of a vision transformer some channels are many times larger than the others, and some never
come near 0: with one scale for all, the others keep only a few levels. Weights are even, and have a scale per output
channel. So each channel is shifted by its mean and divided by a factor, both inside the normalisation's own scale and
bias, which costs no time; the weights that read it are multiplied by the factor, and the bias behind them compensates
the mean. The factor is SmoothQuant's (Xiao et al. 2023, https://arxiv.org/abs/2211.10438, equation 4), the shift
Outlier Suppression+'s (Wei et al. 2023, https://arxiv.org/abs/2304.09145).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

from eatrack_edge.export.activation_ranges import Feed, Observed, observe
from eatrack_edge.export.int8 import remove_unused

# Share of the unevenness that moves into the weights, [0, 1]. 0.5 is SmoothQuant's for large language models; of 0.5 to
# 0.9, 0.8 rounded nearly every layer of EATrack-S best.
ALPHA = 0.8
_SMALLEST = 1e-5  # a channel or row of zeros has no unevenness to share


def smoothable(graph: onnx.ModelProto) -> dict[str, list[onnx.NodeProto]]:
    """The linear layers behind each LayerNormalization that nothing else reads, by the name of its output."""
    inside = {tensor.name for tensor in graph.graph.initializer}
    readers = _readers(graph)
    outputs = {value.name for value in graph.graph.output}
    found = {}
    for node in graph.graph.node:
        if node.op_type != "LayerNormalization" or len(node.input) < 3 or node.output[0] in outputs:
            continue
        layers = _behind(node.output[0], readers)
        if layers and all(
            each.op_type == "MatMul" and each.input[1] in inside and _bias(each, readers, inside) for each in layers
        ):
            found[node.output[0]] = layers
    return found


def smooth(graph: onnx.ModelProto, feeds: Sequence[Feed], alpha: float = ALPHA) -> onnx.ModelProto:
    """Centre and even out the channels of every value of ``smoothable``.

    Args:
        graph: Float32; left as it is.
        feeds: Its inputs, to see which channels are large.
        alpha: 0 makes the rows of the weights equally large, 1 the channels of the activations.

    Returns:
        A graph with the same outputs up to rounding.
    """
    smoothed = onnx.ModelProto()
    smoothed.CopyFrom(graph)
    makers = {name: node for node in smoothed.graph.node for name in node.output}
    found = smoothable(smoothed)
    seen = observe(graph, list(found), feeds)
    weights = _Weights(smoothed)
    for value, layers in found.items():
        _even_out(weights, makers[value], layers, seen[value], alpha)
    remove_unused(smoothed)
    return smoothed


def _even_out(
    weights: _Weights, normalise: onnx.NodeProto, layers: Sequence[onnx.NodeProto], seen: Observed, alpha: float
) -> None:
    rows = [np.abs(weights.of(layer, 1)).max(axis=1) for layer in layers]
    extents = np.maximum(seen.highest - seen.mean, seen.mean - seen.lowest)
    factors = _factors(extents, np.max(rows, axis=0), alpha)
    for layer in layers:
        add, place = weights.bias(layer)
        weights.put(add, place, weights.of(add, place) + seen.mean @ weights.of(layer, 1))
        weights.put(layer, 1, weights.of(layer, 1) * factors[:, None])
    weights.put(normalise, 2, (weights.of(normalise, 2) - seen.mean) / factors)
    weights.put(normalise, 1, weights.of(normalise, 1) / factors)


def _factors(activations: NDArray[np.float32], weights: NDArray[np.float32], alpha: float) -> NDArray[np.float32]:
    large, heavy = (np.log(np.maximum(values, _SMALLEST)) for values in (activations, weights))
    exponents = alpha * large - (1 - alpha) * heavy
    # About 1, so that neither side changes its order of magnitude.
    return np.asarray(np.exp(exponents - exponents.mean()), np.float32)


class _Weights:
    """A graph's weights, by the node that reads them."""

    def __init__(self, graph: onnx.ModelProto) -> None:
        self._graph = graph.graph
        self._readers = _readers(graph)
        self._tensors = {tensor.name: tensor for tensor in graph.graph.initializer}

    def of(self, node: onnx.NodeProto, place: int) -> NDArray[np.float32]:
        return np.asarray(numpy_helper.to_array(self._tensors[node.input[place]]), np.float32)

    def put(self, node: onnx.NodeProto, place: int, values: NDArray[np.floating[Any]]) -> None:
        """Give a node a weight of its own: others may read the old one."""
        # The old name stays in front, for a layer is called after its weights.
        name = f"{node.input[place]}:{node.name}"
        tensor = numpy_helper.from_array(np.ascontiguousarray(values, np.float32), name)
        self._graph.initializer.append(tensor)
        self._tensors[name] = tensor
        node.input[place] = name

    def bias(self, layer: onnx.NodeProto) -> tuple[onnx.NodeProto, int]:
        found = _bias(layer, self._readers, self._tensors.keys())
        assert found is not None  # ``smoothable`` checked it
        return found


def _readers(graph: onnx.ModelProto) -> dict[str, list[onnx.NodeProto]]:
    readers: dict[str, list[onnx.NodeProto]] = {}
    for node in graph.graph.node:
        for name in node.input:
            readers.setdefault(name, []).append(node)
    return readers


def _behind(value: str, readers: Mapping[str, list[onnx.NodeProto]]) -> list[onnx.NodeProto]:
    """What reads a value or a slice of it: the last block asks for the search's rows alone."""
    found = []
    for node in readers.get(value, []):
        found += _behind(node.output[0], readers) if node.op_type == "Slice" else [node]
    return found


def _bias(
    layer: onnx.NodeProto, readers: Mapping[str, list[onnx.NodeProto]], inside: Collection[str]
) -> tuple[onnx.NodeProto, int] | None:
    """The node that adds a linear layer's bias, and where it stands among the node's inputs."""
    nodes = readers.get(layer.output[0], [])
    if len(nodes) != 1 or nodes[0].op_type != "Add":
        return None
    return next(((nodes[0], place) for place, name in enumerate(nodes[0].input) if name in inside), None)
