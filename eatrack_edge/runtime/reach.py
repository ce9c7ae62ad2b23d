"""Where the next search looks, and how far it reaches."""

from __future__ import annotations

import math

from eatrack_edge.boxes import Box
from eatrack_edge.runtime.settings import SearchSettings


class Reach:
    """Ahead of a target that moves; wider and wider about one that is not seen.

    At 10 frames a second target and camera together can move by a side of the target a frame, and the window prior
    would speak against the target for being where it was bound to be.

    Attributes:
        factor: On the side of the search crop, at least 1; 1 while the target is seen.
    """

    def __init__(self, settings: SearchSettings) -> None:
        self.factor = 1.0
        self._settings = settings
        self._unseen = 0
        self._step = 0.0, 0.0  # expected until the next frame, pixels

    def ahead(self, box: Box) -> Box:
        """Where a target that was last at ``box`` is expected now."""
        return box[0] + self._step[0], box[1] + self._step[1], box[2], box[3]

    def saw(self, last: Box, box: Box) -> None:
        """Count a frame on which the target was seen to go from ``last`` to ``box``."""
        self.factor, self._unseen = 1.0, 0
        x = box[0] - last[0] + (box[2] - last[2]) / 2
        y = box[1] - last[1] + (box[3] - last[3]) / 2
        # A side at most: the place where the target was has to stay in the search crop, should it stop.
        share = self._settings.follow_motion * min(1.0, math.sqrt(box[2] * box[3]) / max(abs(x), abs(y), 1e-9))
        self._step = share * x, share * y

    def lost(self) -> None:
        """Count a frame on which it was not seen."""
        self._step = 0.0, 0.0
        self._unseen += 1
        if self._unseen >= self._settings.widen_after:
            self.factor = min(self._settings.widest, self.factor * self._settings.widen_by)
