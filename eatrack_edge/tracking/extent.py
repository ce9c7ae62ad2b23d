"""Extent: what is reported is as tight about the target as the box that was drawn.

A network has its own idea of where a target ends: with a shadow or without, with a rider or the board alone. In the
first frame it can be compared with the box that was drawn. Over 471 training clips, 0.35 to 0.38 of that difference
lasts: it is taken off every box that is reported. The tracker goes on from the network's own boxes, for fed back the
correction lost targets (docs/refinement.md).
"""

from __future__ import annotations

import math
from typing import NamedTuple

from eatrack_edge.core.boxes import Box

_MOST = 0.4  # of the logarithm of a ratio of sides, a factor of 1.5: beyond it something else was seen


class Extent(NamedTuple):
    """Factors from the sides of a box that is followed to those that are reported."""

    w: float = 1.0
    h: float = 1.0

    def of(self, box: Box, frame_size: tuple[int, int]) -> Box:
        """A box that is followed, as it is reported: with the same centre.

        Where the border of the frame cuts it off it is left as it is: the target's end is not to be seen there.

        Args:
            box: Pixels of the frame.
            frame_size: (width, height), pixels.

        >>> Extent(0.5, 1.0).of((10, 10, 40, 10), (320, 240))
        (20.0, 10.0, 20.0, 10.0)
        """
        x, y, w, h = box
        width, height = frame_size
        x, w = _scaled(x, w, self.w) if x > 0 and x + w < width else (x, w)
        y, h = _scaled(y, h, self.h) if y > 0 and y + h < height else (y, h)
        return x, y, w, h


def drawn_extent(drawn: Box, seen: Box, share: float) -> Extent:
    """The correction that the first frame tells.

    Args:
        drawn: The box that the tracker was given.
        seen: What the network sees in the same place, in the same units.
        share: See ``TrackerSettings.extent_share``.

    >>> drawn_extent((5, 5, 40, 10), (0, 5, 50, 10), share=1.0)
    Extent(w=0.8, h=1.0)
    """
    return Extent(_factor(drawn[2], seen[2], share), _factor(drawn[3], seen[3], share))


def _scaled(start: float, length: float, factor: float) -> tuple[float, float]:
    """A side of a box, where it begins and how long it is, about its middle."""
    return start + length * (1 - factor) / 2, length * factor


def _factor(drawn: float, seen: float, share: float) -> float:
    difference = min(max(math.log(drawn / seen), -_MOST), _MOST)
    return math.exp(share * difference)
