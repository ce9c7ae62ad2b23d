from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from eatrack_edge.export.ranges import LEVELS, observe

pytestmark = pytest.mark.torch


def doubling(rows: int = 2) -> onnx.ModelProto:
    """x (rows, 3) to ``y`` = 2x, inside, to -y."""
    nodes = [helper.make_node("Add", ["x", "x"], ["y"]), helper.make_node("Neg", ["y"], ["z"])]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [rows, 3]) for name in "xz"]
    graph = helper.make_graph(nodes, "g", ends[:1], ends[1:])
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=10)


def test_every_channel_remembers_its_largest_magnitude_over_all_inputs() -> None:
    feeds = [{"x": np.array(rows, np.float32)} for rows in ([[1, -2, 0], [0.5, 1, 0]], [[-3, 0, 0], [0, 0, 0.25]])]
    seen = observe(doubling(), ["y", "z"], feeds)
    for name in "yz":
        np.testing.assert_array_equal(seen[name].largest, [6, 4, 0.5])
        assert seen[name].counts.sum() == 12


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


def test_a_value_that_is_always_zero_has_a_range_all_the_same() -> None:
    seen = observe(doubling(), ["y"], [{"x": np.zeros((2, 3), np.float32)}])["y"]
    assert seen.range() > 0
