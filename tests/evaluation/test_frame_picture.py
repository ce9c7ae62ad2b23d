from __future__ import annotations

import base64
import math
from typing import Any

import cv2
import numpy as np
import pytest

from eatrack_edge.core.boxes import Box
from eatrack_edge.evaluation.frame_picture import INSET_PX, WIDTH_PX, frame_picture

COLOURS = {"ours": "#ff0000", "other": "#0000ff"}
GREEN, RED, BLUE, WHITE = (0, 255, 0), (0, 0, 255), (255, 0, 0), (255, 255, 255)


def drawn(target: Box, boxes: dict[str, Box], width: int = WIDTH_PX, truth: Box | None = None) -> Any:
    """The picture of a grey frame with a green target."""
    frame = np.full((width * 3 // 4, width, 3), 90, np.uint8)
    x, y, w, h = map(int, target)
    frame[y : y + h, x : x + w] = GREEN
    data = frame_picture(frame, truth or target, boxes, COLOURS).removeprefix("data:image/jpeg;base64,")
    return cv2.imdecode(np.frombuffer(base64.b64decode(data), np.uint8), cv2.IMREAD_COLOR)


def count(picture: Any, colour: tuple[int, int, int]) -> int:
    """Pixels near a colour; JPEG blurs thin lines."""
    return int((np.abs(picture.astype(int) - colour).max(axis=2) < 90).sum())


def test_a_target_of_11_px_is_not_covered_by_the_boxes_around_it() -> None:
    target = (60.0, 70.0, 11.0, 11.0)
    picture = drawn(target, {"ours": target, "other": target})
    inside = picture[71:80, 61:70]
    assert count(inside, GREEN) >= 0.9 * inside.shape[0] * inside.shape[1]


@pytest.mark.parametrize(
    ("x", "y", "corner"),
    [
        pytest.param(40, 40, (-1, -1), id="target at the top left, inset at the bottom right"),
        pytest.param(380, 280, (0, 0), id="target at the bottom right, inset at the top left"),
    ],
)
def test_a_target_under_24_px_is_shown_enlarged_in_the_corner_far_from_it(
    x: float, y: float, corner: tuple[int, int]
) -> None:
    target = (x, y, 11.0, 11.0)
    picture = drawn(target, {"ours": (x + 8, y, 11.0, 11.0)})
    rows = slice(-INSET_PX, None) if corner[0] else slice(INSET_PX)
    inset = picture[rows, rows]
    assert count(inset, GREEN) > 9 * 11 * 11  # more than thrice the size
    assert count(inset, RED) > 60
    assert count(picture, GREEN) - count(inset, GREEN) > 80  # the target itself can still be seen


def test_a_larger_target_has_no_inset() -> None:
    target = (60.0, 70.0, 30.0, 30.0)
    assert count(drawn(target, {}), GREEN) == pytest.approx(900, rel=0.1)


def test_a_large_frames_small_target_counts_by_its_size_in_the_picture() -> None:
    target = (600.0, 600.0, 40.0, 40.0)  # 40 px of 1760 are 10 px of the picture's 440
    assert count(drawn(target, {}, width=1760), GREEN) > 900


def test_a_tracker_on_the_truth_is_seen_around_it() -> None:
    target = (60.0, 70.0, 40.0, 40.0)
    picture = drawn(target, {"ours": target})
    assert count(picture, RED) > 150
    assert count(picture, WHITE) > 60


def test_a_box_that_is_not_finite_is_left_out() -> None:
    target = (60.0, 70.0, 40.0, 40.0)
    nowhere = (math.nan, math.nan, math.nan, math.nan)
    assert count(drawn(target, {"ours": nowhere}), RED) == 0
