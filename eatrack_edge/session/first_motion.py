"""Selects the first thing that moves against the ground, for tests and demonstrations without an operator."""

from __future__ import annotations

from collections import deque
from typing import Any

import cv2
import numpy as np

from eatrack_edge.core.boxes import Box
from eatrack_edge.sources.feed import LiveFrame

_SCALE = 4  # frames are looked at in a quarter of their size
_FRAMES_APART = 3  # a slow target has moved by some pixels in so many frames
_DIFFERENCE = 25  # grey levels that count as a change
_AREA = (0.0004, 0.2)  # smallest and largest target, as a share of the frame
_CONFIRMATIONS = 3  # frames in a row that must show it, near the place before


class FirstMotion:
    """Looks for a moving target by the difference of two frames, the camera's own shift taken out."""

    def __init__(self) -> None:
        self._greys: deque[Any] = deque(maxlen=_FRAMES_APART + 1)
        self._found: list[Box] = []

    def __call__(self, shown: LiveFrame) -> Box | None:
        """The box of a target that has moved for several frames, pixels; ``None`` while there is none."""
        height, width = shown.frame.shape[:2]
        full: Any = cv2.cvtColor(shown.frame, cv2.COLOR_BGR2GRAY)
        grey: Any = cv2.resize(full, (width // _SCALE, height // _SCALE), interpolation=cv2.INTER_AREA)
        grey = cv2.GaussianBlur(grey, (5, 5), 0)  # a shift by part of a pixel must not look like a change
        if self._greys and self._greys[-1].shape != grey.shape:
            self._greys.clear()
        self._greys.append(grey)
        if len(self._greys) <= _FRAMES_APART:
            return None
        box = _moving(self._greys[0], grey)
        if box is None or (self._found and not _is_near(box, self._found[-1])):
            self._found.clear()
        if box is not None:
            self._found.append(box)
        if len(self._found) < _CONFIRMATIONS or box is None:
            return None
        self._found.clear()
        x, y, w, h = (_SCALE * side for side in box)
        return x, y, w, h


def _moving(before: Any, after: Any) -> Box | None:
    """The largest part that changed, in pixels of the small frames."""
    shift, _ = cv2.phaseCorrelate(before.astype(np.float32), after.astype(np.float32))
    move = np.array([[1, 0, shift[0]], [0, 1, shift[1]]], np.float32)
    height, width = after.shape
    aligned = cv2.warpAffine(before, move, (width, height), borderMode=cv2.BORDER_REPLICATE)
    changed: Any = (cv2.absdiff(aligned, after) > _DIFFERENCE).astype(np.uint8)
    edge = int(np.ceil(np.abs(shift).max())) + 2
    changed[:edge], changed[-edge:], changed[:, :edge], changed[:, -edge:] = 0, 0, 0, 0
    # A plain target changes at its two ends only; close the gap between them.
    side = max(3, min(height, width) // 6)
    changed = cv2.morphologyEx(changed, cv2.MORPH_CLOSE, np.ones((side, side), np.uint8))
    count, _labels, stats, _centres = cv2.connectedComponentsWithStats(changed)
    boxes = [stats[label] for label in range(1, count)]
    fitting = [box for box in boxes if _AREA[0] <= box[2] * box[3] / (height * width) <= _AREA[1]]
    if not fitting:
        return None
    x, y, w, h, _area = max(fitting, key=lambda box: box[4])
    return float(x), float(y), float(w), float(h)


def _is_near(box: Box, before: Box) -> bool:
    distance = np.hypot(
        box[0] + box[2] / 2 - before[0] - before[2] / 2, box[1] + box[3] / 2 - before[1] - before[3] / 2
    )
    return bool(distance < max(box[2], box[3]))
