from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from numpy.typing import NDArray
from onnx import numpy_helper

from eatrack_edge.export import smoothing
from eatrack_edge.export.activation_ranges import Feed, Observed, observe
from eatrack_edge.export.calibration_crops import read_calibration
from eatrack_edge.export.graph_inputs import track_feeds
from eatrack_edge.export.int8 import layer_names
from eatrack_edge.export.recipe import Plan
from eatrack_edge.export.sensitivity import run

pytestmark = pytest.mark.torch
CHANNEL, OUTLIER = 5, 40.0


@pytest.fixture(scope="module")
def feeds(tiny: Plan, fp32: tuple[Path, Path]) -> list[Feed]:
    pairs = read_calibration("test://?frames=6&width=160&height=120", tiny.model_spec, 4).pairs
    return list(track_feeds(pairs, tiny.model_spec, fp32[0]))


@pytest.fixture(scope="module")
def uneven(fp32: tuple[Path, Path]) -> onnx.ModelProto:
    """The tests' network with one large and off-centre channel behind every normalisation, as trained ones have them."""
    graph = onnx.load(fp32[1])
    weights = {tensor.name: tensor for tensor in graph.graph.initializer}
    normalisations = [node for node in graph.graph.node if node.op_type == "LayerNormalization"]
    for place in (1, 2):
        for name in {node.input[place] for node in normalisations}:  # random ones share theirs
            values = numpy_helper.to_array(weights[name]).copy()
            values[CHANNEL] = OUTLIER
            weights[name].CopyFrom(numpy_helper.from_array(values, name))
    return graph


def reach(seen: Observed) -> NDArray[np.float32]:
    return np.maximum(seen.highest - seen.mean, seen.mean - seen.lowest)


@pytest.mark.parametrize("alpha", [0.0, 0.5, 1.0])
def test_the_smoothed_graph_answers_as_before(
    uneven: onnx.ModelProto, feeds: list[Feed], tiny: Plan, alpha: float
) -> None:
    smoothed = smoothing.smooth(uneven, feeds, alpha)
    onnx.checker.check_model(smoothed, full_check=True)
    for ours, theirs in zip(*(run(graph, tiny.model_spec, feeds) for graph in (smoothed, uneven)), strict=True):
        for name, values in theirs.items():
            np.testing.assert_allclose(ours[name], values, atol=1e-4 * max(1.0, float(np.abs(values).max())))


def test_a_channel_that_stands_out_is_brought_down_to_the_others(uneven: onnx.ModelProto, feeds: list[Feed]) -> None:
    values = list(smoothing.smoothable(uneven))
    assert len(values) >= 3
    before, after = (observe(graph, values, feeds) for graph in (uneven, smoothing.smooth(uneven, feeds)))
    for name in values:
        unevenness = [float(reach(seen[name])[CHANNEL] / np.median(reach(seen[name]))) for seen in (before, after)]
        assert unevenness[0] > OUTLIER / 4
        assert unevenness[1] < 2 * unevenness[0] ** 0.3


def test_every_channel_is_about_zero(uneven: onnx.ModelProto, feeds: list[Feed]) -> None:
    values = list(smoothing.smoothable(uneven))
    before, after = (observe(graph, values, feeds) for graph in (uneven, smoothing.smooth(uneven, feeds)))
    for name in values:
        assert before[name].mean[CHANNEL] > OUTLIER / 2
        np.testing.assert_allclose(after[name].mean, 0, atol=1e-4, err_msg=name)


def test_layers_behind_a_slice_are_smoothed_with_the_others(uneven: onnx.ModelProto) -> None:
    sliced = {name for node in uneven.graph.node if node.op_type == "Slice" for name in node.input[:1]}
    (last,) = sliced & smoothing.smoothable(uneven).keys()
    assert len(smoothing.smoothable(uneven)[last]) == 3  # queries of the search, keys and values of all


def test_a_layer_keeps_its_name(uneven: onnx.ModelProto, feeds: list[Feed]) -> None:
    assert layer_names(smoothing.smooth(uneven, feeds)) == layer_names(uneven)


def test_the_whole_of_the_unevenness_moves_with_an_alpha_of_one(uneven: onnx.ModelProto, feeds: list[Feed]) -> None:
    smoothed = smoothing.smooth(uneven, feeds, 1.0)
    for name, seen in observe(smoothed, list(smoothing.smoothable(smoothed)), feeds).items():
        np.testing.assert_allclose(reach(seen), reach(seen).mean(), rtol=1e-3, err_msg=name)


def test_what_is_read_by_more_than_linear_layers_is_left_alone(uneven: onnx.ModelProto) -> None:
    graph = onnx.ModelProto()
    graph.CopyFrom(uneven)
    name = next(iter(smoothing.smoothable(graph)))
    graph.graph.node.append(onnx.helper.make_node("Relu", [name], ["elsewhere"], "reader"))
    assert name not in smoothing.smoothable(graph)
    assert len(smoothing.smoothable(graph)) == len(smoothing.smoothable(uneven)) - 1
