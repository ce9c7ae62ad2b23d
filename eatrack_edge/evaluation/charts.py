"""Draws the charts of an evaluation: overlap and confidence over frames, and accuracy against cost."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from eatrack_edge.reporting.svg import WIDTH, Axis, Chart, Point, Svg

Floats = NDArray[np.float64]

LEFT = 46  # where the frames begin
_MOST_POINTS = 450  # a line has no more points than its chart has room for
_LABEL_WIDTH, _LABEL_HEIGHT = 160, 13


def frame_chart(title: str, curves: Mapping[str, Floats], colours: Mapping[str, str], marks: Mapping[int, str]) -> Svg:
    """Curves in [0, 1] over the frames of a sequence.

    Args:
        title: What the curves are, shown on the left.
        curves: Values per frame by tracker, shape (N,); a gap where ``nan``.
        colours: Colour by tracker.
        marks: Frames to mark with a vertical line, and why.
    """
    frames = max((len(curve) for curve in curves.values()), default=0)
    if frames < 2:
        return Svg()
    bottom = 112.0
    across, up = Axis(0, frames - 1, LEFT, WIDTH - 14), Axis(0, 1, bottom, 6)
    chart = Chart(f"{title} over frames", bottom + 18)
    chart.y_axis(up, LEFT, WIDTH, title, most=3)
    chart.x_axis(across, bottom, bottom, most=10)
    for frame, reason in marks.items():
        chart.line((across.at(frame), 6), (across.at(frame), bottom), "mark", reason)
    for name, curve in curves.items():
        chart.curve(_points(curve, across, up), colours[name], name)
    return chart.svg()


def _points(curve: Floats, across: Axis, up: Axis) -> Iterator[Point | None]:
    """Points of a line, reduced to the lowest value of each stretch so that no failure is dropped."""
    frames = len(curve)
    size = max(1, -(-frames // _MOST_POINTS))
    for start in range(0, frames, size):
        stretch = curve[start : start + size]
        is_gap = bool(np.isnan(stretch).all())
        yield None if is_gap else Point(across.at(start), up.at(float(np.clip(np.nanmin(stretch), 0, 1))))


def accuracy_chart(
    points: Mapping[str, tuple[float, float]], colours: Mapping[str, str], cost_name: str, period_ms: float = 0
) -> Svg:
    """Success AUC against the cost of an update, one dot for each tracker; cheap and accurate is at the top left.

    Args:
        points: Cost and success AUC by tracker; one without a known cost, 0, is left out.
        colours: Colour by tracker.
        cost_name: What the cost is, e.g. ``median ms of an update``.
        period_ms: Between two frames of a live camera, marked; 0 without one.
    """
    known = {title: point for title, point in points.items() if point[0] > 0}
    if not known:
        return Svg()
    bottom = 266.0
    costs = [cost for cost, _ in known.values()] + ([period_ms] if period_ms else [])
    across = Axis(min(costs) / 1.5, max(costs) * 1.5, LEFT, WIDTH - 20, is_log=True)
    up = Axis(0, 1, bottom, 6)
    chart = Chart(f"success AUC over {cost_name}", bottom + 36)
    chart.y_axis(up, LEFT, WIDTH, "success AUC", most=5)
    chart.x_axis(across, bottom, bottom, most=20)
    chart.text(WIDTH, bottom + 32, cost_name, "end")
    if period_ms:
        mark = across.at(period_ms)
        chart.line((mark, 6), (mark, bottom), "mark", f"{1000 / period_ms:g} frames a second")
    places = {title: Point(across.at(cost), up.at(score)) for title, (cost, score) in known.items()}
    heights = _label_heights(places)
    for title, place in places.items():
        chart.dot(place.x, place.y, colours[title], 6)
        is_left = place.x + _LABEL_WIDTH > WIDTH  # there is no room on the right
        x, anchor = (place.x - 10, "end") if is_left else (place.x + 10, "start")
        chart.text(x, heights[title] + 4, f"{title} {known[title][1]:.3f}", anchor)
    return chart.svg()


def _label_heights(places: Mapping[str, Point]) -> dict[str, float]:
    """Where to write each name so that no two names overlap: beside its dot, or moved down."""
    heights: dict[str, float] = {}
    for title, place in sorted(places.items(), key=lambda item: item[1].y):
        near = [heights[other] for other in heights if abs(places[other].x - place.x) < _LABEL_WIDTH]
        heights[title] = max([place.y, *(height + _LABEL_HEIGHT for height in near)])
    return heights
