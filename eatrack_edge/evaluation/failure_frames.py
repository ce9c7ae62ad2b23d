"""Finds the first tracking failure of a sequence, and draws all boxes on its frame."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from eatrack_edge.core.boxes import Box
from eatrack_edge.core.crops import Frame

_FAILED_FRAMES = 5  # in a row without overlap; a shorter gap is often an annotation's
_THUMBNAIL_PX = 440
_JPEG_QUALITY = 80


def first_failure(overlap: NDArray[np.float64]) -> int | None:
    """The first of at least five successive frames with a target on which the box does not touch it.

    Args:
        overlap: Per frame, shape (N,); ``nan`` where the target is absent.
    """
    missed: list[int] = []
    for frame in np.flatnonzero(np.isfinite(overlap)):
        missed = [*missed, int(frame)] if overlap[frame] == 0 else []
        if len(missed) == _FAILED_FRAMES:
            return missed[0]
    return None


def thumbnail(frame: Frame, truth: Box | None, boxes: Mapping[str, Box], colours: Mapping[str, str]) -> str:
    """Draw boxes on a small copy of a frame: the truth in white, each tracker in its colour.

    Args:
        frame: Shape (H, W, 3), BGR.
        truth: The true box in pixels; ``None`` if the target is absent.
        boxes: Boxes by tracker, in pixels.
        colours: ``#rrggbb`` by tracker.

    Returns:
        A JPEG as a ``data:`` URL.
    """
    scale = _THUMBNAIL_PX / frame.shape[1]
    size = (_THUMBNAIL_PX, max(1, round(frame.shape[0] * scale)))
    small: Any = cv2.resize(frame, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
    for name, box in boxes.items():
        _draw(small, box, scale, _bgr(colours[name]))
    if truth is not None:
        _draw(small, truth, scale, (255, 255, 255))
    _, stored = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    return "data:image/jpeg;base64," + base64.b64encode(cast("NDArray[np.uint8]", stored).tobytes()).decode("ascii")


def _draw(frame: Any, box: Box, scale: float, colour: tuple[int, int, int]) -> None:
    if not np.isfinite(box).all():
        return
    x, y, w, h = (value * scale for value in box)
    corners = (round(x), round(y)), (round(x + w), round(y + h))
    cv2.rectangle(frame, *corners, (0, 0, 0), 4, cv2.LINE_AA)
    cv2.rectangle(frame, *corners, colour, 2, cv2.LINE_AA)


def _bgr(colour: str) -> tuple[int, int, int]:
    red, green, blue = (int(colour[place : place + 2], 16) for place in (1, 3, 5))
    return blue, green, red
