"""The place that a box left in a leap, watched for a while: the target may come out there.

Where something hides the target, the network has only its neighbours to choose from, and may be sure of one. The box
then leaps, and from there on follows the neighbour, though the target comes out where it was.
"""

from __future__ import annotations

import math

from eatrack_edge.core.boxes import Box
from eatrack_edge.tracking.decode import Decoded
from eatrack_edge.tracking.settings import LeapSettings

_SAME = 0.5  # sides, below which two boxes show one object


class Leap:
    """The last leap, for as long as it may prove a mistake.

    A leap is a step unlike the one before: a target that is merely fast goes on as it went. The place is kept in the
    frame. A pilot or a gimbal holds the target where it is, so that in the frame it moves less than the ground does
    (the development videos: 0.30 sides in three frames in the median, 0.41 once the camera's motion is taken out).

    Attributes:
        left: The box before the leap, pixels of the frame; ``None`` while no place is watched.
    """

    def __init__(self, settings: LeapSettings) -> None:
        self.left: Box | None = None
        self._settings = settings
        self._frames = 0  # since the leap
        self._step = 0.0, 0.0  # the last one from frame to frame, pixels

    def saw(self, last: Box, box: Box) -> None:
        """Count a frame on which the box went from ``last`` to ``box``; both in pixels of the frame."""
        step, before = _step(last, box), self._step
        change = max(abs(step[0] - before[0]), abs(step[1] - before[1]))
        if self.left is not None:
            self._count()
        elif self._settings.frames and change > self._settings.sides * _side(last):
            self.left, self._frames = last, 0
        if self.left is not None and _apart(self.left, box) < _SAME:
            self.forget()
        self._step = step

    def lost(self) -> None:
        """Count a frame on which nothing was seen."""
        self._step = 0.0, 0.0
        self._count()

    def _count(self) -> None:
        self._frames += 1
        if self._frames > self._settings.frames:
            self.forget()

    def forget(self) -> None:
        """Watch no place any more."""
        self.left = None

    def is_back(self, there: Decoded, best: Decoded) -> bool:
        """Whether the target has come out: it then looks more like itself than what is followed does.

        Args:
            there: What the network sees near the place that was left.
            best: What would be followed otherwise.
        """
        return there.score >= best.score and _apart(best.box, there.box) >= _SAME


def _step(a: Box, b: Box) -> tuple[float, float]:
    """From centre to centre, across and down."""
    return b[0] - a[0] + (b[2] - a[2]) / 2, b[1] - a[1] + (b[3] - a[3]) / 2


def _side(box: Box) -> float:
    return math.sqrt(box[2] * box[3])


def _apart(a: Box, b: Box) -> float:
    """How far the centres lie apart along the axis on which they lie farther, in sides of ``a``."""
    across, down = _step(a, b)
    return max(abs(across), abs(down)) / _side(a)
