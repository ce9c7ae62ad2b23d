"""The wide look: at a frame whose search region does not show the target, because it may have left it.

It is the second look at that frame. In the next frame without the target it goes to another place: a target that has
left is best found near the centre of a search region, at a scale not far from the one that the network was trained with
(1.4 sides off the centre at a scale of 1.3 it is still found; at 2.2 about the last box it seldom is).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import cycle
from typing import NamedTuple

from eatrack_edge.core.boxes import Box, step_between

_ABOUT_THE_BOX = 1.5  # search scale
_AROUND_IT = 6  # places, in as many directions
_DISTANCE, _SCALE = 2.5, 1.3  # of theirs: sides from the box, and search scale


class WidePlace(NamedTuple):
    """Where a wide look goes.

    Attributes:
        box: To look around, pixels of the frame.
        scale: Of the search region.
        minimum_log_odds: Of the verifier, from which what is found there is the target: on 28 development videos 145
            of 151 such finds about the box were right, and 11 of 11 around it (at 0 there: 14 of 20).
    """

    box: Box
    scale: float
    minimum_log_odds: float


class WideLook:
    """Says where the wide look goes in each frame without the target."""

    def __init__(self) -> None:
        self._heading = 0.0  # of the last step, radians
        self._places: Iterator[tuple[float, float, float, float]] | None = None

    def found(self, last: Box, box: Box) -> None:
        """Note a frame in which the target moved from ``last`` to ``box``, pixels of the frame: begin anew."""
        across, down = step_between(last, box)
        self._heading = math.atan2(down, across)
        self._places = None

    def next(self, expected: Box) -> WidePlace:
        """Where to look in this frame.

        Args:
            expected: Where the target is expected, pixels of the frame.
        """
        if self._places is None:
            self._places = cycle(_places(self._heading))
        across, down, scale, minimum_log_odds = next(self._places)
        x, y, w, h = expected
        side = math.sqrt(w * h)
        return WidePlace((x + across * side, y + down * side, w, h), scale, minimum_log_odds)


def _places(heading: float) -> Iterator[tuple[float, float, float, float]]:
    """Distance across and down, in sides of the target, search scale and log odds: about the box, ahead, elsewhere."""
    yield 0.0, 0.0, _ABOUT_THE_BOX, 0.0
    turns = sorted((2 * math.pi * part / _AROUND_IT for part in range(_AROUND_IT)), key=math.cos, reverse=True)
    for turn in turns:
        yield _DISTANCE * math.cos(heading + turn), _DISTANCE * math.sin(heading + turn), _SCALE, 1.0
