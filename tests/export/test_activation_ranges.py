from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from eatrack_edge.export.activation_ranges import LEVELS, observe

pytestmark = pytest.mark.torch


def doubling(rows: int = 2) -> onnx.ModelProto:
    """x (rows, 3) to ``y`` = 2x, inside, to -y."""
    nodes = [helper.make_node("Add", ["x", "x"], ["y"]), helper.make_node("Neg", ["y"], ["z"])]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [rows, 3]) for name in "xz"]
    graph = helper.make_graph(nodes, "g", ends[:1], ends[1:])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)


def test_every_channel_remembers_its_ends_and_its_mean_over_all_inputs() -> None:
    feeds = [{"x": np.array(rows, np.float32)} for rows in ([[1, -2, 0], [0.5, 1, 0]], [[-3, 0, 0], [0, 0, 0.25]])]
    seen = observe(doubling(), ["y", "z"], feeds)
    for name, sign in (("y", 1), ("z", -1)):
        ends = np.sort([sign * seen[name].lowest, sign * seen[name].highest], axis=0)
        np.testing.assert_array_equal(ends, [[-6, -4, 0], [2, 2, 0.5]])
        np.testing.assert_array_equal(sign * seen[name].mean, [-0.75, -0.5, 0.125])
        assert seen[name].largest == 6
        assert seen[name].counts.sum() == 12


def test_rows_are_kept_from_every_input() -> None:
    feeds = [{"x": np.full((2, 3), value, np.float32)} for value in (1, 2, 3)]
    rows = observe(doubling(), ["y"], feeds)["y"].rows
    assert rows.shape == (6, 3)
    assert set(rows.ravel()) == {2, 4, 6}


def test_the_range_is_the_largest_value_where_all_are_as_frequent() -> None:
    values = np.linspace(-4, 4, 6000, dtype=np.float32).reshape(1000, 2, 3)
    seen = observe(doubling(), ["y"], [{"x": each} for each in values])["y"]
    assert seen.range() == pytest.approx(8, rel=0.03)


def test_a_lone_outlier_is_clipped_where_that_errs_less() -> None:
    values = np.random.default_rng(0).normal(size=(100_000, 3)).astype(np.float32)
    values[0, 0] = 20
    clipped = observe(doubling(len(values)), ["y"], [{"x": values}])["y"].range()
    assert 10 < clipped < 30

    def error(top: float) -> float:
        scale = top / LEVELS
        rounded = np.clip(np.round(2 * values / scale), -LEVELS, LEVELS) * scale
        return float(np.mean((rounded - 2 * values) ** 2))

    assert error(clipped) < 0.6 * error(40)


def test_an_outlier_that_the_next_layer_listens_to_is_not_clipped() -> None:
    values = np.random.default_rng(0).normal(size=(1000, 3)).astype(np.float32)
    values[0, 0] = 20
    seen = observe(doubling(len(values)), ["y"], [{"x": values}])["y"]
    listening, deaf = np.ones((3, 2), np.float32), np.ones((3, 2), np.float32)
    listening[0] = 100
    deaf[0] = 0
    assert seen.range(listening) == pytest.approx(40)
    assert seen.range(deaf) < 15


def test_a_value_that_is_always_zero_has_a_range_all_the_same() -> None:
    seen = observe(doubling(), ["y"], [{"x": np.zeros((2, 3), np.float32)}])["y"]
    assert seen.range() > 0
    assert seen.range(np.ones((3, 2), np.float32)) > 0
