"""Recovery from a jump to a distractor: the last reliable box is watched, because the target may reappear there.

When something hides the target, the network can only choose among its neighbours, and may choose one with high
confidence. The box then jumps, and follows the neighbour, although the target reappears where it was.
"""

from __future__ import annotations

import math

from eatrack_edge.core.boxes import Box, step_between
from eatrack_edge.core.crops import CropWindow
from eatrack_edge.inference.backend import Maps
from eatrack_edge.tracking.decode import Decoded, decode_near
from eatrack_edge.tracking.settings import RecoverySettings

_SAME_OBJECT_SIDES = 0.5  # distance in sides below which two boxes show one object


class JumpRecovery:
    """Watches the box before the last jump for as long as the jump may prove a mistake.

    A jump is a step unlike the step before: a target that is merely fast keeps its speed. The box is kept in frame
    coordinates: a pilot or gimbal holds the target in the frame, so it moves less there than the ground does (14
    development videos: 0.30 sides in three frames in the median, 0.41 with the camera's motion removed).

    Attributes:
        last_reliable_box: The box before the jump, pixels of the frame; ``None`` while nothing is watched.
    """

    def __init__(self, settings: RecoverySettings) -> None:
        self.last_reliable_box: Box | None = None
        self._settings = settings
        self._frames = 0  # since the jump
        self._step = 0.0, 0.0  # the last one from frame to frame, pixels

    def choose(self, best: Decoded, maps: Maps, window: CropWindow, last: Box) -> tuple[Decoded, Box]:
        """Choose between the best box and the one that reappears at the last reliable box.

        Args:
            best: What would be followed without recovery.
            maps: Of this frame.
            window: The search region, in pixels of the frame.
            last: The last box.

        Returns:
            What to follow, and the box whose size it continues from.
        """
        reliable = self.last_reliable_box
        if reliable is None:
            return best, last
        there = decode_near(maps, window.to_crop(reliable), window.out_size)
        if there is None:
            # What is followed has left that place behind. A target that is merely fast does so in a few frames.
            self._stop()
            return best, last
        return (there, reliable) if has_reappeared(there, best) else (best, last)

    def found(self, last: Box, box: Box) -> None:
        """Note a frame in which the box moved from ``last`` to ``box``, pixels of the frame."""
        step, before = step_between(last, box), self._step
        change = max(abs(step[0] - before[0]), abs(step[1] - before[1]))
        if self.last_reliable_box is not None:
            self._count()
        elif self._settings.watch_frames and change > self._settings.jump_sides * math.sqrt(last[2] * last[3]):
            self.last_reliable_box, self._frames = last, 0
        if self.last_reliable_box is not None and _distance_sides(self.last_reliable_box, box) < _SAME_OBJECT_SIDES:
            self._stop()
        self._step = step

    def missed(self) -> None:
        """Note a frame in which nothing was found."""
        self._step = 0.0, 0.0
        self._count()

    def _count(self) -> None:
        self._frames += 1
        if self._frames > self._settings.watch_frames:
            self._stop()

    def _stop(self) -> None:
        self.last_reliable_box = None


def has_reappeared(there: Decoded, best: Decoded) -> bool:
    """Whether the target is back at the last reliable box: it scores at least as high there as what is followed.

    Args:
        there: What the network finds near the last reliable box.
        best: What would be followed otherwise.
    """
    return there.score >= best.score and _distance_sides(best.box, there.box) >= _SAME_OBJECT_SIDES


def _distance_sides(a: Box, b: Box) -> float:
    """Distance of the centres along the axis on which it is larger, in sides of ``a``."""
    x, y = step_between(a, b)
    return max(abs(x), abs(y)) / math.sqrt(a[2] * a[3])
