"""Where the next search looks, and how far it reaches."""

from __future__ import annotations

import math

from eatrack_edge.core.boxes import Box
from eatrack_edge.tracking.settings import SearchSettings


class Reach:
    """Ahead of a target that moves, if asked to; wider and wider about one that is not seen.

    At few frames a second target and camera together can move by a side of the target a frame, and the window prior
    speaks against the target for being where it was bound to be.

    Attributes:
        factor: On the side of the search crop, at least 1; 1 while the target is seen.
    """

    def __init__(self, settings: SearchSettings) -> None:
        self.factor = 1.0
        self._settings = settings
        self._unseen = 0
        self._last = 0.0, 0.0  # the last step from frame to frame, pixels
        self._step = 0.0, 0.0  # the next one, as expected

    def ahead(self, box: Box) -> Box:
        """Where a target that was last at ``box`` is expected now."""
        return box[0] + self._step[0], box[1] + self._step[1], box[2], box[3]

    def saw(self, last: Box, box: Box) -> None:
        """Count a frame on which the target was seen to go from ``last`` to ``box``."""
        self.factor, self._unseen = 1.0, 0
        x = box[0] - last[0] + (box[2] - last[2]) / 2
        y = box[1] - last[1] + (box[3] - last[3]) / 2
        # A side at most: the place where the target was has to stay in the search crop, should it stop.
        largest, share = math.sqrt(box[2] * box[3]), self._settings.follow_motion
        self._step = share * _agreed(x, self._last[0], largest), share * _agreed(y, self._last[1], largest)
        self._last = x, y

    def lost(self) -> None:
        """Count a frame on which it was not seen."""
        self._last = self._step = 0.0, 0.0
        self._unseen += 1
        if self._unseen >= self._settings.widen_after:
            self.factor = min(self._settings.widest, self.factor * self._settings.widen_by)


def _agreed(step: float, before: float, largest: float) -> float:
    """The smaller of two steps the same way, and none of two that part: a jerk is not yet a motion."""
    if step * before <= 0:
        return 0.0
    return math.copysign(min(abs(step), abs(before), largest), step)
