from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from eatrack_edge.export import smoothing
from eatrack_edge.export.calibration import read_calibration, track_feeds
from eatrack_edge.export.ranges import Feed, observe
from eatrack_edge.export.recipe import Plan
from eatrack_edge.export.sensitivity import run

pytestmark = pytest.mark.torch
CHANNEL, OUTLIER = 5, 40.0


@pytest.fixture(scope="module")
def feeds(tiny: Plan, fp32: tuple[Path, Path]) -> list[Feed]:
    pairs = read_calibration("test://?frames=6&width=160&height=120", tiny.contract, 4).pairs
    return list(track_feeds(pairs, tiny.contract, fp32[0]))


@pytest.fixture(scope="module")
def uneven(fp32: tuple[Path, Path]) -> onnx.ModelProto:
    """The tests' network with one large channel behind every normalisation, as trained transformers have them."""
    graph = onnx.load(fp32[1])
    weights = {tensor.name: tensor for tensor in graph.graph.initializer}
    for node in graph.graph.node:
        if node.op_type == "LayerNormalization":
            scale = numpy_helper.to_array(weights[node.input[1]]).copy()
            scale[CHANNEL] *= OUTLIER
            weights[node.input[1]].CopyFrom(numpy_helper.from_array(scale, node.input[1]))
    return graph


@pytest.mark.parametrize("alpha", [0.0, 0.5, 1.0])
def test_the_smoothed_graph_answers_as_before(
    uneven: onnx.ModelProto, feeds: list[Feed], tiny: Plan, alpha: float
) -> None:
    smoothed = smoothing.smooth(uneven, feeds, alpha)
    onnx.checker.check_model(smoothed, full_check=True)
    for ours, theirs in zip(*(run(graph, tiny.contract, feeds) for graph in (smoothed, uneven)), strict=True):
        for name, values in theirs.items():
            np.testing.assert_allclose(ours[name], values, atol=1e-4 * max(1.0, float(np.abs(values).max())))


def test_a_channel_that_stands_out_is_brought_down_to_the_others(uneven: onnx.ModelProto, feeds: list[Feed]) -> None:
    values = list(smoothing.smoothable(uneven))
    assert len(values) >= 3
    before, after = (observe(graph, values, feeds) for graph in (uneven, smoothing.smooth(uneven, feeds)))
    for name in values:
        unevenness = [float(seen[name].largest[CHANNEL] / np.median(seen[name].largest)) for seen in (before, after)]
        assert unevenness[0] > OUTLIER / 4
        assert unevenness[1] < 2 * unevenness[0] ** 0.5


def test_the_whole_of_the_unevenness_moves_with_an_alpha_of_one(uneven: onnx.ModelProto, feeds: list[Feed]) -> None:
    smoothed = smoothing.smooth(uneven, feeds, 1.0)
    for name, seen in observe(smoothed, list(smoothing.smoothable(smoothed)), feeds).items():
        np.testing.assert_allclose(seen.largest, seen.largest.mean(), rtol=1e-3, err_msg=name)


def test_what_is_read_by_more_than_linear_layers_is_left_alone(uneven: onnx.ModelProto) -> None:
    graph = onnx.ModelProto()
    graph.CopyFrom(uneven)
    name = next(iter(smoothing.smoothable(graph)))
    graph.graph.node.append(onnx.helper.make_node("Relu", [name], ["elsewhere"], "reader"))
    assert name not in smoothing.smoothable(graph)
    assert len(smoothing.smoothable(graph)) == len(smoothing.smoothable(uneven)) - 1
