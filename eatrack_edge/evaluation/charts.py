"""Draws the charts of an evaluation: overlap and confidence over frames, and accuracy against cost."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from eatrack_edge.evaluation.tracking_failures import joined
from eatrack_edge.reporting.svg import WIDTH, Axis, Chart, Point, Svg

Floats = NDArray[np.float64]

LEFT = 46  # where the frames begin
_MOST_POINTS = 450  # a line has no more points than its chart has room for
_LETTER_WIDTH, _LABEL_HEIGHT = 6.5, 13


def frame_chart(
    title: str, curves: Mapping[str, Floats], colours: Mapping[str, str], failures: Mapping[int, Sequence[str]]
) -> Svg:
    """Curves in [0, 1] over the frames of a sequence.

    Args:
        title: What the curves are, shown on the left.
        curves: Values per frame by tracker, shape (N,); a gap where ``nan``.
        colours: Colour by tracker.
        failures: Trackers that lost the target at a frame, by frame: a vertical line with a dot in each one's colour.
    """
    frames = max((len(curve) for curve in curves.values()), default=0)
    if frames < 2:
        return Svg()
    bottom = 112.0
    across, up = Axis(0, frames - 1, LEFT, WIDTH - 14), Axis(0, 1, bottom, 12)
    chart = Chart(f"{title} over frames", bottom + 24)
    chart.y_axis(up, LEFT, WIDTH, title, most=3)
    chart.x_axis(across, bottom, bottom, most=10)
    chart.text(LEFT - 11, bottom + 17, "frame", "end")
    for name, curve in curves.items():
        chart.curve(_points(curve, across, up), colours[name], name)
    for frame, titles in failures.items():
        reason = f"{joined(titles)} lost the target at frame {frame}"
        chart.line((across.at(frame), 12), (across.at(frame), bottom), "mark", reason)
        for place, title in enumerate(titles):
            chart.dot(across.at(frame) + 9 * (place - (len(titles) - 1) / 2), 5, colours[title], 4, reason)
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
    marks = {f"{1000 / period_ms:g} frames a second": period_ms} if period_ms else {}
    return draw_accuracy(known, colours, cost_name, marks).svg() if known else Svg()


def draw_accuracy(
    points: Mapping[str, tuple[float, float]],
    colours: Mapping[str, str],
    cost_name: str,
    marks: Mapping[str, float],
    *,
    score_name: str = "success AUC",
    scores: tuple[float, float] = (0, 1),
    lines: Sequence[Sequence[str]] = (),
    rings: Container[str] = (),
) -> Chart:
    """The same as a chart that may stand in a larger one.

    Args:
        points: Cost, above 0, and score by tracker; at least one.
        colours: Colour by tracker.
        cost_name: What the cost is.
        marks: Costs to mark, by what they mean.
        score_name: What the score is.
        scores: Ends of its axis.
        lines: Trackers to join by a line, from the cheapest on; its name stands left of its dot.
        rings: Trackers with a ring instead of a dot.
    """
    bottom = 266.0
    costs = [*(cost for cost, _ in points.values()), *marks.values()]
    # Names stand beside the ends of a line, not on it.
    across = Axis(min(costs) / 1.5, max(costs) * (2.5 if lines else 1.5), LEFT, WIDTH - 20, is_log=True)
    up = Axis(*scores, bottom, 6)
    chart = Chart(f"{score_name} over {cost_name}", bottom + 36)
    chart.y_axis(up, LEFT, WIDTH, score_name, most=5)
    chart.x_axis(across, 6, bottom, most=20)
    chart.text(WIDTH, bottom + 32, f"{cost_name}, logarithmic scale", "end")
    for note, cost in marks.items():
        mark, is_right = across.at(cost), across.at(cost) > WIDTH / 2
        chart.line((mark, 6), (mark, bottom), "mark", note)
        chart.text(mark + (-6 if is_right else 6), 16, note, "end" if is_right else "start")
    places = {title: Point(across.at(cost), up.at(score)) for title, (cost, score) in points.items()}
    for line in lines:
        chart.curve([places[title] for title in line], colours[line[0]])
    first = {line[0] for line in lines}
    labels = {title: f"{title} {points[title][1]:.3f}" for title in places}
    heights = _label_heights(places, labels, bottom - 6)
    for title, place in places.items():
        chart.dot(place.x, place.y, colours[title], 6, is_hollow=title in rings)
        # To the left where there is no room on the right.
        is_tight = place.x + 10 + _LETTER_WIDTH * len(labels[title]) > WIDTH and place.x > WIDTH / 2
        is_left = is_tight or title in first
        x, anchor = (place.x - 10, "end") if is_left else (place.x + 10, "start")
        chart.text(x, heights[title] + 4, labels[title], anchor)
    return chart


def _label_heights(places: Mapping[str, Point], labels: Mapping[str, str], lowest: float) -> dict[str, float]:
    """Where to write each label so that no two overlap, nor one and the axis: beside its dot, or moved down or up."""
    heights: dict[str, float] = {}
    widest = 20 + _LETTER_WIDTH * max(map(len, labels.values()))

    def near(title: str) -> list[float]:
        """Heights of the labels placed so far that may stand beside this one."""
        return [heights[other] for other in heights if abs(places[other].x - places[title].x) < 2 * widest]

    order = sorted(places, key=lambda title: places[title].y)
    for title in order:
        heights[title] = max([places[title].y, *(height + _LABEL_HEIGHT for height in near(title))])
    down, heights = heights, {}
    for title in reversed(order):
        heights[title] = min([down[title], lowest, *(height - _LABEL_HEIGHT for height in near(title))])
    return heights
