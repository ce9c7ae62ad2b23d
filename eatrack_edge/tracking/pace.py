"""The pace of a target: how far it moves from frame to frame, and what it can hardly have reached.

A covered target seems to jump, because its neighbour is all that the network finds. How far a jump is depends on the
target and on the frames a second, so it is measured by the steps before it.
"""

from __future__ import annotations

from collections import deque

from eatrack_edge.core.boxes import Box, sides_between

_STEPS = 30  # frames that are remembered
_LEAST_STEPS = 10  # before them nothing is known of the pace
_LEAST_SIDES = 0.1  # of the longest step: one that stands still may begin to move


class Pace:
    """Remembers the latest steps of one target, in sides of its box."""

    def __init__(self) -> None:
        self._steps: deque[float] = deque(maxlen=_STEPS)

    def found(self, last: Box, box: Box) -> None:
        """Note a frame in which the target moved from ``last`` to ``box``, pixels of the frame."""
        self._steps.append(sides_between(last, box))

    def times_longest(self, sides: float) -> float:
        """A step of so many sides in units of the longest of the latest; 0 while nothing is known of them."""
        if len(self._steps) < _LEAST_STEPS:
            return 0.0
        return sides / max(*self._steps, _LEAST_SIDES)
