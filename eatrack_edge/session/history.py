"""The recent frames of a live session, by number: what a user saw when drawing a box is older than the newest frame."""

from __future__ import annotations

from collections import deque

from eatrack_edge.sources.feed import LiveFrame


class History:
    """Holds the newest frames.

    Args:
        capacity: Frames to hold, at least 1. One of 1280x720 takes 2.8 MB.
    """

    def __init__(self, capacity: int) -> None:
        self._frames: deque[LiveFrame] = deque(maxlen=max(1, capacity))

    def add(self, shown: LiveFrame) -> None:
        """Hold a frame, in place of the oldest."""
        self._frames.append(shown)

    def at(self, number: int | None) -> LiveFrame | None:
        """The frame of that number, or the next one after it; ``None`` where there is none.

        Args:
            number: ``None`` takes the newest. An older one than any that is held takes the oldest.
        """
        if number is None:
            return self._frames[-1] if self._frames else None
        return next((shown for shown in self._frames if shown.index >= number), None)

    def after(self, shown: LiveFrame, most: int) -> list[LiveFrame]:
        """Frames after one that is held, to the newest; evenly spaced where there are more than ``most``."""
        later = [one for one in self._frames if one.index > shown.index]
        step = -(-len(later) // most) if later else 1
        return later[::-1][::step][::-1]  # counted from the newest, which must be among them

    def __len__(self) -> int:
        return len(self._frames)
