"""Box arithmetic, the only place that knows what a box is.

A box is ``(x, y, w, h)``: the top-left corner and the size, in pixels of the frame, float.
Coordinates are continuous: pixel ``i`` covers ``[i, i + 1)``, so a box is ``w`` wide, never
``w + 1``. At 8 px, a small drone target, the inclusive convention lifts an IoU of 1/3 to 0.38.
Layouts other than xywh carry it in their name: ``box_xyxy``, ``box_cxcywh``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Literal, cast

import numpy as np
from numpy.typing import NDArray

from eatrack_edge.core.errors import InputError

Box = tuple[float, float, float, float]
Boxes = NDArray[np.floating[Any]]
BoxFormat = Literal["xywh", "xyxy", "cxcywh"]


def iou(predicted: Boxes, truth: Boxes) -> NDArray[np.float64]:
    """Overlap of each predicted box with the true box of the same frame.

    Args:
        predicted: Boxes, shape (N, 4), in pixels.
        truth: Boxes of the same N frames, shape (N, 4). A row with ``w`` or ``h`` not above 0, or with
            ``nan``, means the target is absent.

    Returns:
        Intersection over union per frame, shape (N,), in [0, 1]; ``nan`` where the target is absent.

    Raises:
        ValueError: The shapes differ, or are not (N, 4).

    >>> iou(np.float32([[0, 0, 8, 8]]), np.float32([[4, 0, 8, 8]])).round(2)
    array([0.33])
    """
    predicted = np.asarray(predicted, np.float64)
    truth = np.asarray(truth, np.float64)
    if predicted.shape != truth.shape or truth.shape[1:] != (4,):
        raise ValueError(f"iou needs two arrays of the same shape (N, 4), got {predicted.shape} and {truth.shape}")
    top_left = np.maximum(predicted[:, :2], truth[:, :2])
    bottom_right = np.minimum(predicted[:, :2] + predicted[:, 2:], truth[:, :2] + truth[:, 2:])
    intersection = np.clip(bottom_right - top_left, 0, None).prod(axis=1)
    union = predicted[:, 2:].prod(axis=1) + truth[:, 2:].prod(axis=1) - intersection
    present = (truth[:, 2:] > 0).all(axis=1)
    return np.where(present, intersection / np.maximum(union, 1e-9), np.nan)


def from_format(values: Sequence[float], layout: BoxFormat = "xywh") -> Box:
    """Read four numbers in a stated layout as a box.

    Raises:
        ValueError: Not four finite numbers.

    >>> from_format([10, 20, 40, 60], "xyxy")
    (10.0, 20.0, 30.0, 40.0)
    """
    if len(values) != 4 or not all(math.isfinite(v) for v in values):
        raise ValueError(f"a box is four finite numbers, got {list(values)}")
    a, b, c, d = (float(v) for v in values)
    if layout == "xyxy":
        return a, b, c - a, d - b
    if layout == "cxcywh":
        return a - c / 2, b - d / 2, c, d
    return a, b, c, d


def clip(box: Box, width: int, height: int, minimum_side: float) -> Box:
    """The part of a box inside the frame, kept at least ``minimum_side`` wide and high.

    Args:
        box: Any finite box, in pixels; it may lie outside the frame.
        width: Frame width, pixels.
        height: Frame height, pixels.
        minimum_side: Smallest side to return, pixels. OSTrack keeps 10, which inflates tiny targets.

    >>> clip((-5.0, 10.0, 20.0, 20.0), 100, 100, 2)
    (0.0, 10.0, 15.0, 20.0)
    """
    x, w = _clip_span(box[0], box[2], width, minimum_side)
    y, h = _clip_span(box[1], box[3], height, minimum_side)
    return x, y, w, h


def _clip_span(start: float, length: float, limit: int, minimum: float) -> tuple[float, float]:
    minimum = min(minimum, float(limit))
    low = min(max(0.0, start), limit - minimum)
    high = max(min(float(limit), start + length), low + minimum)
    return low, min(high, float(limit)) - low


def check_box(box: Sequence[float], width: int, height: int) -> Box:
    """Refuse a box that lies mostly outside a frame, or is hardly a pixel. It may reach over the border.

    Returns:
        The box, its numbers Python's own.

    Raises:
        InputError: Not four finite numbers; empty, or smaller than a pixel; or its centre is outside the frame of
            ``width`` x ``height`` pixels: what is left of it inside is its edge, and not the target.
    """
    if not _is_four_numbers(box):
        got = tuple(box) if isinstance(box, (list, tuple, np.ndarray)) else repr(box)
        raise InputError(f"a box is four finite numbers (x, y, w, h), got {str(got)[:80]}")
    x, y, w, h = box
    if w <= 0 or h <= 0:
        raise InputError(f"the box is empty: w={w:g}, h={h:g}", hint="a box is x,y,w,h with the size in pixels")
    if w < 1 and h < 1:
        raise InputError(
            f"the box {x:g},{y:g},{w:g},{h:g} is smaller than a pixel",
            hint="a box is x,y,w,h in pixels of the frame, not in fractions of it",
        )
    if not _has_part_in((x, y, w, h), width, height):
        raise InputError(f"the box {x:g},{y:g},{w:g},{h:g} lies outside the frame, {width}x{height}")
    if not has_centre_in((x, y, w, h), width, height):
        raise InputError(
            f"the box {x:g},{y:g},{w:g},{h:g} lies mostly outside the frame, {width}x{height}",
            hint="its centre is to be inside; a box is x,y,w,h: its top-left corner and its size in pixels",
        )
    return float(x), float(y), float(w), float(h)


def part_in_frame(box: Box, width: int, height: int) -> Box:
    """A true box of a dataset as ``check_box`` takes it: the part in the frame, where the centre is outside.

    Whoever drew a box by hand made a mistake there; in a dataset the target has just come into the picture.

    >>> part_in_frame((-5, 10, 20, 20), 100, 100), part_in_frame((-15, 10, 20, 20), 100, 100)
    ((-5, 10, 20, 20), (0.0, 10, 5.0, 20))
    """
    if has_centre_in(box, width, height) or not _has_part_in(box, width, height):
        return box
    return clip(box, width, height, 1.0)


def _has_part_in(box: Box, width: int, height: int) -> bool:
    x, y, w, h = box
    return x < width and y < height and x + w > 0 and y + h > 0


def has_centre_in(box: Box, width: int, height: int) -> bool:
    """Whether the centre of a box lies in a frame."""
    x, y, w, h = box
    return 0 <= x + w / 2 <= width and 0 <= y + h / 2 <= height


def looks_like_corners(
    boxes: Sequence[float] | NDArray[np.float64], width: float, height: float, share: float = 0.5
) -> bool:
    """Whether boxes lie mostly outside their frame, and would all lie inside if they were x1, y1, x2, y2.

    Args:
        boxes: One box, or shape (N, 4), at least one.
        width: Of the frame, pixels.
        height: Of the frame, pixels.
        share: Median share of a box's area inside the frame below which they lie mostly outside.

    >>> looks_like_corners((279, 166, 297, 187), 480, 270), looks_like_corners((279, 166, 18, 21), 480, 270)
    (True, False)
    """
    x, y, w, h = np.reshape(boxes, (-1, 4)).astype(np.float64).T
    if not ((x >= 0) & (x < w) & (w <= width) & (y >= 0) & (y < h) & (h <= height)).all():
        return False
    inside = (np.minimum(x + w, width) - x) * (np.minimum(y + h, height) - y)
    return bool(np.median(inside / (w * h)) < share)


def _is_four_numbers(box: object) -> bool:
    try:
        values = list(cast("Any", box))
        # Text has no float of its own: "1" is not a number that somebody measured.
        are_finite = (hasattr(value, "__float__") and math.isfinite(value) for value in values)
        return len(values) == 4 and not isinstance(box, (bytes, bytearray)) and all(are_finite)
    except TypeError:
        return False


def step_between(before: Box, after: Box) -> tuple[float, float]:
    """The way from centre to centre, (x, y) in pixels.

    >>> step_between((0, 0, 10, 10), (5, 0, 20, 10))
    (10.0, 0.0)
    """
    return after[0] - before[0] + (after[2] - before[2]) / 2, after[1] - before[1] + (after[3] - before[3]) / 2


def sides_between(one: Box, other: Box) -> float:
    """Distance of the centres, in sides of the first box.

    >>> sides_between((0, 0, 10, 10), (3, 4, 10, 10))
    0.5
    """
    return math.hypot(*step_between(one, other)) / math.sqrt(one[2] * one[3])


def smooth_size(box: Box, previous: Box, rate: float) -> Box:
    """Smooth the log size of a box: apply only a share of its change, about the new centre.

    Args:
        box: The new box.
        previous: The last one, its sides above 0.
        rate: Share of the way taken by the logarithm of each side: 1 takes the new size, 0 keeps the old.

    >>> smooth_size((0, 0, 40, 10), (0, 0, 10, 10), 0.5)
    (10.0, 0.0, 20.0, 10.0)
    """
    x, y, w, h = box
    new_w = previous[2] * (w / previous[2]) ** rate
    new_h = previous[3] * (h / previous[3]) ** rate
    return x + (w - new_w) / 2, y + (h - new_h) / 2, float(new_w), float(new_h)


def limit_growth(box: Box, previous: Box, factor: float) -> Box:
    """Keep each side within ``1 / factor`` to ``factor`` times the previous one, about the same centre.

    A box that doubles from one frame to the next is a network that has lost its target, and the next
    search window would double with it.

    >>> limit_growth((0, 0, 40, 10), (0, 0, 10, 10), 2.0)
    (10.0, 0.0, 20.0, 10.0)
    """
    x, y, w, h = box
    new_w = min(max(w, previous[2] / factor), previous[2] * factor)
    new_h = min(max(h, previous[3] / factor), previous[3] * factor)
    return x + (w - new_w) / 2, y + (h - new_h) / 2, float(new_w), float(new_h)
