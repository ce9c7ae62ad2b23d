"""The recent frames of a live session: what a user saw when selecting a target is older than the newest frame."""

from __future__ import annotations

import math
from collections import deque
from dataclasses import replace
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from eatrack_edge.core.errors import InputError
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

    A frame that is kept for somebody who draws on it stays longer, in the same memory: frames of the older half are
    dropped in its place. Those that stay are even in time, so that a tracker finds its way from it to the newest.

    Args:
        capacity: Frames to hold, at least 1; fewer where they would take more than ``most_bytes``.
        most_bytes: Memory for pictures.

    Attributes:
        kept: Number of the frame that is not dropped while there are others to drop; ``None`` where there is none.
    """

    def __init__(self, capacity: int = HISTORY_FRAMES, most_bytes: int = MOST_BYTES) -> None:
        self._held: deque[_Held] = deque()
        self._capacity, self._most_bytes = capacity, most_bytes
        self._spare = np.empty((0, 0), np.uint8)  # memory of the packed picture that was dropped last
        self.kept: int | None = None
        self._kept_until_ns = 0

    def add(self, shown: LiveFrame) -> None:
        """Hold a frame, in place of the oldest. The newest is held as it came."""
        if self._held:
            self._held.append(self._packed(self._held.pop()))
        self._held.append(_Held(shown, shown.frame))
        if shown.captured_ns > self._kept_until_ns:
            self.kept = None
        total = sum(held.picture.nbytes for held in self._held)
        while len(self._held) > 1 and (len(self._held) > self._capacity or total > self._most_bytes):
            place = self._place_to_drop()
            dropped = self._held[place].picture
            del self._held[place]
            total -= dropped.nbytes
            if dropped.ndim == 2:
                self._spare = dropped

    def keep(self, number: int | None, until_ns: int = 0) -> None:
        """Keep a frame beyond the time that it would be held, in place of the one kept before.

        Args:
            number: Of the frame; ``None`` keeps none. One that is not held changes nothing: it cannot come back.
            until_ns: Until a frame is added that was captured later, on the clock of ``LiveFrame.captured_ns``.
        """
        if number is None or any(held.shown.index == number for held in self._held):
            self.kept, self._kept_until_ns = number, until_ns

    def newest(self) -> LiveFrame | None:
        """The newest frame; ``None`` before any came."""
        return self._held[-1].shown if self._held else None

    def at(self, number: int) -> LiveFrame:
        """The frame of that number, and no other: the target is elsewhere in any other.

        Raises:
            InputError: It is not held.
        """
        found = next((held for held in self._held if held.shown.index == number), None)
        if found is None:
            newest = self.newest()
            is_to_come = newest is None or number > newest.index
            reason = f"there is no frame {number} yet" if is_to_come else f"frame {number} is not held any more"
            raise InputError(reason, hint="select again on the live picture")
        return _unpacked(found)

    def captured_by(self, at_ns: int) -> LiveFrame:
        """The newest frame captured at a time or before it.

        Args:
            at_ns: On the clock of ``LiveFrame.captured_ns``.

        Raises:
            InputError: All that are held are newer.
        """
        found = next((held for held in reversed(self._held) if held.shown.captured_ns <= at_ns), None)
        if found is None:
            newer_ms = (self._held[0].shown.captured_ns - at_ns) / 1e6 if self._held else math.inf
            raise InputError(
                f"no frame as old as the view delay is held: the oldest is {newer_ms:.0f} ms newer",
                hint="select again on the live picture, with a shorter view delay or a longer `history` if it stays so",
            )
        return _unpacked(found)

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

    def _place_to_drop(self) -> int:
        """The oldest; where that is kept, the one of the older half that leaves the smallest gap in time."""
        if len(self._held) < 3 or self._held[0].shown.index != self.kept:
            return 0
        times = [held.shown.captured_ns for held in self._held]
        return min(range(1, max(2, len(times) // 2)), key=lambda place: times[place + 1] - times[place - 1])

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
