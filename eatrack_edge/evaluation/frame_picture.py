"""Draws the boxes of all trackers on a small copy of a frame, with an enlarged inset where the target is tiny."""

from __future__ import annotations

import base64
import math
from collections.abc import Mapping
from typing import Any, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from eatrack_edge.core.boxes import Box
from eatrack_edge.core.crops import Frame

SMALL_PX = 24  # sqrt(w h) in the picture below which lines are thin and an inset shows the target enlarged
WIDTH_PX, INSET_PX = 440, 160
_INSET_TARGETS = 3  # of the target's longer side along the inset's
_INSET_LEAST_PX = 16  # of the frame: enlarged further, an inset shows nothing but its pixels
# Colours at full resolution: halved, as JPEG has it by default, a line of one pixel turns grey.
_JPEG = [cv2.IMWRITE_JPEG_QUALITY, 88, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, cv2.IMWRITE_JPEG_SAMPLING_FACTOR_444]
_WHITE, _BLACK = (255, 255, 255), (0, 0, 0)


def frame_picture(frame: Frame, truth: Box | None, boxes: Mapping[str, Box], colours: Mapping[str, str]) -> str:
    """Draw boxes on a small copy of a frame: the truth in white, each tracker in its colour.

    Lines lie outside the boxes, so they never cover what a box encloses, and a tracker's lies outside the truth's.

    Args:
        frame: Shape (H, W, 3), BGR.
        truth: The true box in pixels; ``None`` if the target is absent.
        boxes: Boxes by tracker, in pixels; one that is not finite is left out.
        colours: ``#rrggbb`` by tracker.

    Returns:
        A JPEG as a ``data:`` URL.
    """
    scale = WIDTH_PX / frame.shape[1]
    picture = _resized(frame, (WIDTH_PX, max(1, round(frame.shape[0] * scale))))
    is_small = truth is not None and scale * math.sqrt(truth[2] * truth[3]) < SMALL_PX
    _draw_all(picture, truth, boxes, colours, (0, 0), scale, 1 if is_small else 2)
    if truth is not None and is_small:
        _add_inset(picture, frame, truth, boxes, colours, scale)
    _, stored = cv2.imencode(".jpg", picture, _JPEG)
    return "data:image/jpeg;base64," + base64.b64encode(cast("NDArray[np.uint8]", stored).tobytes()).decode("ascii")


def _add_inset(
    picture: Any, frame: Frame, truth: Box, boxes: Mapping[str, Box], colours: Mapping[str, str], scale: float
) -> None:
    """Put what surrounds the target, enlarged, into the corner that is farthest from it."""
    height, width = frame.shape[:2]
    middle_x, middle_y = truth[0] + truth[2] / 2, truth[1] + truth[3] / 2
    side = min(height, width, max(_INSET_LEAST_PX, math.ceil(_INSET_TARGETS * max(truth[2], truth[3]))))
    left = min(max(0, round(middle_x - side / 2)), width - side)
    top = min(max(0, round(middle_y - side / 2)), height - side)
    size = min(INSET_PX, *picture.shape[:2])
    inset = _resized(frame[top : top + side, left : left + side], (size, size))
    _draw_all(inset, truth, boxes, colours, (left, top), size / side, 2)
    cv2.rectangle(inset, (0, 0), (size - 1, size - 1), _WHITE, 2)
    x = 0 if middle_x * scale > picture.shape[1] / 2 else picture.shape[1] - size
    y = 0 if middle_y * scale > picture.shape[0] / 2 else picture.shape[0] - size
    picture[y : y + size, x : x + size] = inset


def _resized(frame: Frame, size: tuple[int, int]) -> Any:
    is_smaller = size[0] < frame.shape[1]
    return cv2.resize(frame, size, interpolation=cv2.INTER_AREA if is_smaller else cv2.INTER_LINEAR)


def _draw_all(
    picture: Any,
    truth: Box | None,
    boxes: Mapping[str, Box],
    colours: Mapping[str, str],
    corner: tuple[float, float],
    scale: float,
    thickness: int,
) -> None:
    """Draw all boxes on a part of the frame that begins at ``corner``, enlarged by ``scale``."""
    rows = [(boxes[name], _bgr(colours[name]), 1, thickness) for name in boxes]
    rows += [(truth, _WHITE, 0, 1)] if truth is not None else []
    for (x, y, w, h), colour, gap, lines in rows:
        if np.isfinite((x, y, w, h)).all():
            place = ((x - corner[0]) * scale, (y - corner[1]) * scale, w * scale, h * scale)
            _draw(picture, place, colour, gap, lines)


def _draw(picture: Any, box: Box, colour: tuple[int, int, int], gap: int, thickness: int) -> None:
    """Draw lines around a box, ``gap`` pixels off it, and a dark one around them."""
    left, top = math.floor(box[0]), math.floor(box[1])
    right, bottom = math.ceil(box[0] + box[2]), math.ceil(box[1] + box[3])
    for off in range(gap + 1, gap + thickness + 2):
        line = _BLACK if off > gap + thickness else colour
        cv2.rectangle(picture, (left - off, top - off), (right + off - 1, bottom + off - 1), line, 1)


def _bgr(colour: str) -> tuple[int, int, int]:
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return blue, green, red
