"""Where to look for a lost target, likely places first."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import cycle
from typing import NamedTuple

from eatrack_edge.core.boxes import Box

_OVERLAP = 0.3  # of neighbouring search regions, so that no target lies on the border of all


class Place(NamedTuple):
    """One place to look at."""

    box: Box  # where the target is expected, pixels of the frame, in its last size
    scale: float  # of the search region
    is_near: bool  # near the last box


def search_places(
    last: Box, frame_size: tuple[int, int], search_factor: float, scale: float, near_sides: float
) -> Iterator[Place]:
    """Places to look at, for ever: near ones once, then near ones and those in the rest of the picture in turns.

    The last box itself is looked at again and again, because most targets come back where they were.

    Args:
        last: Where the target was seen last, pixels of the frame.
        frame_size: (width, height), pixels.
        search_factor: Side of a search region of scale 1, in sides of the target.
        scale: Of the search regions.
        near_sides: Distance, in sides of the target, up to which a place is near.
    """
    home = [Place(last, 1.0, True), Place(last, scale, True)]
    around = _around(last, frame_size, (1 - _OVERLAP) * search_factor * scale)
    reached = [_at(last, dx, dy, scale, is_near=True) for dx, dy in around if math.hypot(dx, dy) <= near_sides]
    beyond = [_at(last, dx, dy, scale, is_near=False) for dx, dy in around if math.hypot(dx, dy) > near_sides]
    near = list(home)
    for index, place in enumerate(reached):
        near.append(place)
        if index % 3 == 2:
            near.append(home[index // 3 % 2])
    yield from near
    again = cycle(near)
    for far in cycle(beyond):
        yield next(again)
        yield far
    yield from again


def _around(last: Box, frame_size: tuple[int, int], step: float) -> list[tuple[float, float]]:
    """The points of a grid about a box, without its own, whose search regions reach into the picture: nearest first.

    Returns:
        Distances across and down, in sides of the box.
    """
    side = math.sqrt(last[2] * last[3])
    spans = []
    for start, length, limit in ((last[0], last[2], frame_size[0]), (last[1], last[3], frame_size[1])):
        centre = (start + length / 2) / side
        # Half a step beyond the border a search region still shows half of itself.
        lowest = math.ceil(-centre / step - 0.5)
        highest = math.floor((limit / side - centre) / step + 0.5)
        spans.append([step * place for place in range(lowest, highest + 1)])
    points = [(dx, dy) for dx in spans[0] for dy in spans[1] if (dx, dy) != (0.0, 0.0)]
    return sorted(points, key=lambda point: math.hypot(*point))


def _at(last: Box, dx: float, dy: float, scale: float, *, is_near: bool) -> Place:
    x, y, w, h = last
    side = math.sqrt(w * h)
    return Place((x + dx * side, y + dy * side, w, h), scale, is_near)
