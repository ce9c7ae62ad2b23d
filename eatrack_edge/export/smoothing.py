"""Makes activations easier to round, without changing what a graph answers.

After a LayerNormalization of a vision transformer some channels are many times as large as the others, and one scale
for all leaves the others a few levels. Weights are even, and have a scale per output channel. So each channel is
divided by a factor in the normalisation's own scale and bias, and its row of the weights that read it multiplied by
the same: SmoothQuant (Xiao et al. 2023, https://arxiv.org/abs/2211.10438), equation 4.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

from eatrack_edge.export.int8 import remove_unused
from eatrack_edge.export.ranges import Feed, observe

ALPHA = 0.5  # share of the unevenness that moves into the weights, [0, 1]; the paper's own choice
_FEEDS = 64  # to find the large channels on, which are the same everywhere
_SMALLEST = 1e-5  # a channel or row of zeros has no unevenness to share


def smoothable(graph: onnx.ModelProto) -> dict[str, list[onnx.NodeProto]]:
    """The linear layers behind each LayerNormalization that nothing else reads, by the name of its output."""
    inside = {tensor.name for tensor in graph.graph.initializer}
    readers: dict[str, list[onnx.NodeProto]] = {}
    for node in graph.graph.node:
        for name in node.input:
            readers.setdefault(name, []).append(node)
    outputs = {value.name for value in graph.graph.output}
    found = {}
    for node in graph.graph.node:
        if node.op_type != "LayerNormalization" or node.output[0] in outputs:
            continue
        layers = readers.get(node.output[0], [])
        if layers and all(each.op_type == "MatMul" and each.input[1] in inside for each in layers):
            found[node.output[0]] = layers
    return found


def smooth(graph: onnx.ModelProto, feeds: Sequence[Feed], alpha: float = ALPHA) -> onnx.ModelProto:
    """Even out the channels of every value of ``smoothable``.

    Args:
        graph: Float32; left as it is.
        feeds: Its inputs, to see which channels are large.
        alpha: 0 makes the rows of the weights equally large, 1 the channels of the activations.

    Returns:
        A graph that answers as before, but for the order of roundings.
    """
    smoothed = onnx.ModelProto()
    smoothed.CopyFrom(graph)
    weights = {tensor.name: tensor for tensor in smoothed.graph.initializer}
    makers = {name: node for node in smoothed.graph.node for name in node.output}
    found = smoothable(smoothed)
    seen = observe(graph, list(found), feeds[:_FEEDS])
    for value, layers in found.items():
        rows = [np.abs(numpy_helper.to_array(weights[layer.input[1]])).max(axis=1) for layer in layers]
        factors = _factors(seen[value].largest, np.max(rows, axis=0), alpha)
        normalise = makers[value]
        for place in range(1, len(normalise.input)):
            _scale(smoothed, normalise, place, np.reciprocal(factors))
        for layer in layers:
            _scale(smoothed, layer, 1, factors[:, None])
    remove_unused(smoothed)
    return smoothed


def _factors(activations: NDArray[np.float32], weights: NDArray[np.float32], alpha: float) -> NDArray[np.float32]:
    large, heavy = (np.log(np.maximum(values, _SMALLEST)) for values in (activations, weights))
    exponents = alpha * large - (1 - alpha) * heavy
    # About 1, so that neither side changes its order of magnitude.
    return np.asarray(np.exp(exponents - exponents.mean()), np.float32)


def _scale(graph: onnx.ModelProto, node: onnx.NodeProto, place: int, factors: NDArray[np.float32]) -> None:
    """Give a node a weight of its own: others may read the old one."""
    (old,) = (tensor for tensor in graph.graph.initializer if tensor.name == node.input[place])
    name = f"{old.name}:{node.name}"
    scaled = (numpy_helper.to_array(old) * factors).astype(np.float32)
    graph.graph.initializer.append(numpy_helper.from_array(scaled, name))
    node.input[place] = name
