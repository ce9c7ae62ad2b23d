"""Motion models: where the target is expected in the next frame.

At few frames a second, target and camera together can move by a side of the target per frame, and the Hann window
then works against the target.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Protocol

from eatrack_edge.core.boxes import Box, step_between
from eatrack_edge.core.registry import Registry
from eatrack_edge.tracking.settings import MotionSettings


class MotionModel(Protocol):
    """Predicts the next box of one target."""

    def predict(self, box: Box) -> Box:
        """Where a target whose last box is ``box`` is expected now, pixels of the frame."""
        ...

    def found(self, last: Box, box: Box) -> None:
        """Learn from a frame in which the target moved from ``last`` to ``box``."""
        ...

    def missed(self) -> None:
        """Learn that the target was not found in a frame."""
        ...


class StaticMotion:
    """Expects the target at its last box."""

    def __init__(self, settings: MotionSettings) -> None:
        del settings

    def predict(self, box: Box) -> Box:
        """The last box."""
        return box

    def found(self, last: Box, box: Box) -> None:
        """Nothing to learn."""

    def missed(self) -> None:
        """Nothing to learn."""


class CommonVelocity:
    """Expects the part of the motion that the last two steps have in common, per axis."""

    def __init__(self, settings: MotionSettings) -> None:
        self._gain = settings.gain
        self._last_step = 0.0, 0.0  # pixels
        self._expected_step = 0.0, 0.0

    def predict(self, box: Box) -> Box:
        """The last box, moved by the expected step."""
        return box[0] + self._expected_step[0], box[1] + self._expected_step[1], box[2], box[3]

    def found(self, last: Box, box: Box) -> None:
        """Compare this step with the one before."""
        x, y = step_between(last, box)
        # One side at most: the last position must stay inside the search region in case the target stops.
        largest = math.sqrt(box[2] * box[3])
        self._expected_step = (
            self._gain * _common(x, self._last_step[0], largest),
            self._gain * _common(y, self._last_step[1], largest),
        )
        self._last_step = x, y

    def missed(self) -> None:
        """Expect no motion until the target is found again."""
        self._last_step = self._expected_step = 0.0, 0.0


def _common(step: float, before: float, largest: float) -> float:
    """The smaller of two steps in the same direction; 0 for opposite ones, because a jerk is not a motion."""
    if step * before <= 0:
        return 0.0
    return math.copysign(min(abs(step), abs(before), largest), step)


MOTION_MODELS: Registry[Callable[[MotionSettings], MotionModel]] = Registry(
    "motion model",
    {
        "static": "eatrack_edge.tracking.motion:StaticMotion",
        "common_velocity": "eatrack_edge.tracking.motion:CommonVelocity",
    },
)
