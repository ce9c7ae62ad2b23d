"""The recent frames of a live session: what a user saw when selecting a target is older than the newest frame."""

from __future__ import annotations

from collections import deque
from dataclasses import replace
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from eatrack_edge.sources.feed import LiveFrame

HISTORY_FRAMES = 64  # 2.1 s at 30 frames/s
MOST_BYTES = 192 * 2**20  # 2.4 s of 1280x720 at 30 frames/s, 2.1 s of 1920x1080, 0.5 s of 3840x2160
_NO_PICTURE = np.empty((0, 0, 3), np.uint8)


class _Held(NamedTuple):
    shown: LiveFrame  # without its picture where that is packed
    picture: NDArray[np.uint8]  # BGR, shape (H, W, 3), or packed: YUV 4:2:0 (I420), shape (1.5 H, W)


class History:
    """Holds the newest frames, at least one, by number and by time.

    Pictures are held as they came where that fits into the memory, and otherwise as YUV 4:2:0, half as large. At
    1920x1080 packing takes 2 ms of a core a frame, and JPEG took 10 ms, for frames of which few are ever asked for.
    Decoders deliver 4:2:0, so little is lost: 0.4 grey levels in the mean.

    Args:
        capacity: Frames to hold, at least 1; fewer where they would take more than ``most_bytes``.
        most_bytes: Memory for pictures.
    """

    def __init__(self, capacity: int = HISTORY_FRAMES, most_bytes: int = MOST_BYTES) -> None:
        self._held: deque[_Held] = deque()
        self._capacity, self._most_bytes = capacity, most_bytes
        self._spare = np.empty((0, 0), np.uint8)  # memory of the packed picture that was dropped last

    def add(self, shown: LiveFrame) -> None:
        """Hold a frame, in place of the oldest. The newest is held as it came."""
        if self._held:
            self._held.append(self._packed(self._held.pop()))
        self._held.append(_Held(shown, shown.frame))
        total = sum(held.picture.nbytes for held in self._held)
        while len(self._held) > 1 and (len(self._held) > self._capacity or total > self._most_bytes):
            dropped = self._held.popleft().picture
            total -= dropped.nbytes
            if dropped.ndim == 2:
                self._spare = dropped

    def newest(self) -> LiveFrame | None:
        """The newest frame; ``None`` before any came."""
        return self._held[-1].shown if self._held else None

    def at(self, number: int) -> LiveFrame | None:
        """The frame of that number, or the first one after it; ``None`` where all that are held are older."""
        return next((_unpacked(held) for held in self._held if held.shown.index >= number), None)

    def captured_by(self, at_ns: int) -> LiveFrame | None:
        """The newest frame captured at a time or before it, the oldest one where all are newer.

        Args:
            at_ns: On the clock of ``LiveFrame.captured_ns``.

        Returns:
            ``None`` before any frame came.
        """
        seen = (held for held in reversed(self._held) if held.shown.captured_ns <= at_ns)
        held = next(seen, self._held[0] if self._held else None)
        return None if held is None else _unpacked(held)

    def nearest_after(self, number: int, at_ns: int) -> LiveFrame:
        """Of the frames after the one of that number, the one captured nearest to a time; there must be one.

        Args:
            number: Only frames with a higher number count.
            at_ns: On the clock of ``LiveFrame.captured_ns``.
        """
        later = (held for held in self._held if held.shown.index > number)
        return _unpacked(min(later, key=lambda held: abs(held.shown.captured_ns - at_ns)))

    def between(self, first: int, last: int) -> list[NDArray[np.uint8]]:
        """What is held between the frames of two numbers, to be looked at before the next frame is added.

        Returns:
            The pictures in order, shape (H, W, 3) BGR as they came, or (H, W) grey where they are packed.
        """
        return [
            held.picture if held.picture.ndim == 3 else held.picture[: len(held.picture) * 2 // 3]
            for held in self._held
            if first < held.shown.index < last
        ]

    def numbers(self) -> list[int]:
        """Numbers of the frames that are held, the oldest first."""
        return [held.shown.index for held in self._held]

    def __len__(self) -> int:
        return len(self._held)

    def _packed(self, held: _Held) -> _Held:
        picture = held.picture
        height, width = picture.shape[:2]
        # 4:2:0 has one colour for two by two pixels.
        if self._capacity * picture.nbytes <= self._most_bytes or height % 2 or width % 2:
            return held
        shape = height * 3 // 2, width
        packed: NDArray[Any] = self._spare if self._spare.shape == shape else np.empty(shape, np.uint8)
        self._spare = np.empty((0, 0), np.uint8)
        cv2.cvtColor(picture, cv2.COLOR_BGR2YUV_I420, packed)
        return _Held(replace(held.shown, frame=_NO_PICTURE), packed)


def _unpacked(held: _Held) -> LiveFrame:
    if held.picture.ndim == 3:
        return held.shown
    frame: Any = cv2.cvtColor(held.picture, cv2.COLOR_YUV2BGR_I420)
    return replace(held.shown, frame=frame)
