from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eatrack_edge.core.boxes import clip, from_format, iou, limit_growth, smooth_size

SIDES = st.floats(0.01, 5000)
PLACES = st.floats(-1e5, 1e5)


@pytest.mark.parametrize(
    ("predicted", "truth", "expected"),
    [
        pytest.param([0, 0, 8, 8], [0, 0, 8, 8], 1.0, id="same box"),
        pytest.param([0, 0, 8, 8], [4, 0, 8, 8], 1 / 3, id="half overlap"),
        pytest.param([0, 0, 8, 8], [2, 2, 4, 4], 1 / 4, id="inside"),
        pytest.param([0, 0, 8, 8], [8, 0, 8, 8], 0.0, id="touching edges share no area"),
        pytest.param([0, 0, 8, 8], [0, 0, 0, 0], np.nan, id="target absent"),
        pytest.param([0, 0, 8, 8], [np.nan] * 4, np.nan, id="target unknown"),
        pytest.param([0, 0, 0, 0], [0, 0, 8, 8], 0.0, id="empty prediction"),
    ],
)
def test_iou(predicted: list[float], truth: list[float], expected: float) -> None:
    np.testing.assert_allclose(iou(np.array([predicted]), np.array([truth])), [expected], rtol=1e-6)


def test_iou_refuses_arrays_of_different_length() -> None:
    with pytest.raises(ValueError, match=r"iou needs two arrays of the same shape \(N, 4\), got \(1, 4\) and \(2, 4\)"):
        iou(np.zeros((1, 4)), np.zeros((2, 4)))


@pytest.mark.parametrize(
    ("layout", "values"),
    [("xywh", [10, 20, 30, 40]), ("xyxy", [10, 20, 40, 60]), ("cxcywh", [25, 40, 30, 40])],
)
def test_every_layout_reads_as_the_same_box(layout: str, values: list[float]) -> None:
    assert from_format(values, layout) == (10, 20, 30, 40)  # type: ignore[arg-type]


@pytest.mark.parametrize("values", [[1, 2, 3], [1, 2, 3, float("nan")], [1, 2, 3, float("inf")]])
def test_a_box_needs_four_finite_numbers(values: list[float]) -> None:
    with pytest.raises(ValueError, match="a box is four finite numbers"):
        from_format(values)


@given(x=PLACES, y=PLACES, w=SIDES, h=SIDES)
def test_a_clipped_box_lies_in_the_frame_and_keeps_its_smallest_side(x: float, y: float, w: float, h: float) -> None:
    left, top, width, height = clip((x, y, w, h), 640, 480, 2.0)
    assert left >= 0
    assert top >= 0
    assert left + width <= 640 + 1e-9
    assert top + height <= 480 + 1e-9
    assert width >= 2 - 1e-9
    assert height >= 2 - 1e-9


def test_a_box_inside_the_frame_is_left_alone() -> None:
    assert clip((10.25, 20.5, 30, 40), 640, 480, 2.0) == (10.25, 20.5, 30, 40)


def test_a_frame_smaller_than_the_smallest_side_is_the_whole_box() -> None:
    assert clip((0, 0, 5, 5), 1, 1, 2.0) == (0, 0, 1, 1)


@given(w=SIDES, h=SIDES, before_w=SIDES, before_h=SIDES)
def test_growth_stays_within_the_factor_and_keeps_the_centre(
    w: float, h: float, before_w: float, before_h: float
) -> None:
    x, y, new_w, new_h = limit_growth((100, 100, w, h), (0, 0, before_w, before_h), 1.5)
    assert before_w / 1.5 - 1e-6 <= new_w <= before_w * 1.5 + 1e-6
    assert before_h / 1.5 - 1e-6 <= new_h <= before_h * 1.5 + 1e-6
    assert x + new_w / 2 == pytest.approx(100 + w / 2)
    assert y + new_h / 2 == pytest.approx(100 + h / 2)


def test_following_a_size_goes_the_same_share_up_and_down_and_keeps_the_centre() -> None:
    up = smooth_size((90, 40, 40, 20), (0, 0, 20, 20), 0.5)
    assert up == pytest.approx((110 - 20 / 2**0.5, 40, 20 * 2**0.5, 20))
    down = smooth_size((100, 40, 10, 20), (0, 0, 20, 20), 0.5)
    assert down[2] * up[2] == pytest.approx(20 * 20)
    assert smooth_size((90, 40, 40, 20), (0, 0, 20, 20), 1.0) == pytest.approx((90, 40, 40, 20))
