"""Draws what a tracker claims as a ribbon under the chart of its overlap, above it when the target is absent."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from eatrack_edge.evaluation.claims import Flags
from eatrack_edge.evaluation.track_store import States
from eatrack_edge.reporting.colours import GRID
from eatrack_edge.reporting.svg import WIDTH, Axis, Chart, Svg

# Of no tracker, and told apart by colour-blind readers too; a state of another name is grey.
STATE_COLOURS = {
    "TRACKING": "#cfe3f1",
    "REACQUIRED": "#6f9fc4",
    "UNCERTAIN": "#f0c95a",
    "LOST": "#8c2d19",
}
ABSENT_COLOUR = "#1b1b1b"
_OTHER = "#999999"
_ROW, _BAR = 14.0, 9.0


def state_ribbon(states: Mapping[str, States], absent: Flags, colours: Mapping[str, str], left: float) -> Svg:
    """One row where the target is absent, and one for the states of each tracker, along the axis of ``frame_chart``.

    Args:
        states: By tracker, shape (N,), from frame 0.
        absent: Frames without a target, shape (N,).
        colours: Colour by tracker.
        left: Where the axis of frames begins.
    """
    if not states or len(absent) < 2:
        return Svg()
    across = Axis(0, len(absent) - 1, left, WIDTH - 14)
    rows = [("target", np.where(absent, "absent", "")), *states.items()]
    chart = Chart("states over frames", len(rows) * _ROW + 2)
    for place, (name, values) in enumerate(rows):
        top = place * _ROW + 2
        chart.bar((across.start, top), (across.end - across.start, _BAR), GRID)
        for begin, end, state in runs(values):
            colour = ABSENT_COLOUR if place == 0 else STATE_COLOURS.get(state, _OTHER)
            size = (across.at(min(end, across.high)) - across.at(begin), _BAR)
            chart.bar((across.at(begin), top), size, colour, f"{name}: {state}, frames {begin} to {end - 1}")
        if name in colours:  # the names are in the key; here is no room for them
            chart.bar((left - 12, top), (8, _BAR), colours[name], name)
        else:
            chart.text(left - 6, top + _BAR, name, "end")
    return chart.svg()


def runs(values: NDArray[np.str_]) -> list[tuple[int, int, str]]:
    """Begin, end (exclusive) and value of every stretch of one value; empty values are left out.

    >>> runs(np.array(["", "LOST", "LOST", "TRACKING"]))
    [(1, 3, 'LOST'), (3, 4, 'TRACKING')]
    """
    edges = [0, *(np.flatnonzero(values[1:] != values[:-1]) + 1).tolist(), len(values)]
    return [(begin, end, str(values[begin])) for begin, end in pairwise(edges) if values[begin]]
