"""Draws a grid with coordinates onto a frame, to read a box from without a display of one's own."""

from __future__ import annotations

from typing import cast

import cv2

from eatrack_edge.core.crops import Frame

_STEPS = (10, 20, 50, 100, 200, 500, 1000)
_LINES = 14  # along the longer side, about
_FONT = cv2.FONT_HERSHEY_SIMPLEX
_LINE, _INK, _EDGE = (255, 255, 255), (255, 255, 255), (0, 0, 0)


def grid_step(width: int, height: int) -> int:
    """Pixels from line to line.

    >>> grid_step(1920, 1080)
    200
    """
    return next((step for step in _STEPS if max(width, height) / step <= _LINES), _STEPS[-1])


def with_grid(frame: Frame) -> Frame:
    """A copy of a frame with lines at round coordinates, and their numbers along the upper and the left edge.

    Args:
        frame: Shape (H, W, 3), BGR; left as it is.
    """
    height, width = frame.shape[:2]
    step, picture, lines = grid_step(width, height), frame.copy(), frame.copy()
    size = max(0.35, max(width, height) / 2400)
    for x in range(step, width, step):
        cv2.line(lines, (x, 0), (x, height - 1), _LINE, 1)
    for y in range(step, height, step):
        cv2.line(lines, (0, y), (width - 1, y), _LINE, 1)
    picture = cast("Frame", cv2.addWeighted(lines, 0.45, picture, 0.55, 0))
    drop = round(26 * size)
    for x in range(step, width, step):
        _number(picture, str(x), (x + 2, drop), size)
    for y in range(step, height, step):
        _number(picture, str(y), (2, y - 3), size)
    return picture


def _number(picture: Frame, text: str, at: tuple[int, int], size: float) -> None:
    weight = max(1, round(2 * size))
    cv2.putText(picture, text, at, _FONT, size, _EDGE, weight + 2, cv2.LINE_AA)
    cv2.putText(picture, text, at, _FONT, size, _INK, weight, cv2.LINE_AA)
