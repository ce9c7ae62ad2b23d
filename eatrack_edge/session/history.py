"""The recent frames of a live session, by number: what a user saw when drawing a box is older than the newest frame."""

from __future__ import annotations

from collections import deque

from eatrack_edge.sources.feed import LiveFrame

_MOST_BYTES = 128 * 2**20  # 48 frames of 1280x720, 21 of 1920x1080, 5 of 3840x2160


class History:
    """Holds the newest frames.

    Args:
        capacity: Frames to hold, at least 1; fewer where they would take more than 128 MiB.
    """

    def __init__(self, capacity: int) -> None:
        self._frames: deque[LiveFrame] = deque()
        self._capacity = capacity

    def add(self, shown: LiveFrame) -> None:
        """Hold a frame, in place of the oldest."""
        self._frames.append(shown)
        limit = max(1, min(self._capacity, _MOST_BYTES // shown.frame.nbytes))
        while len(self._frames) > limit:
            self._frames.popleft()

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
