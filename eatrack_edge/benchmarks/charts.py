"""Draws the charts of a benchmark: latency by stage, its distribution, its timeline, and ratios to other trackers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from eatrack_edge.reporting.colours import MEASURED, SECOND
from eatrack_edge.reporting.svg import WIDTH, Axis, Chart, RowChart, Svg, line_chart

_TIMELINES = {"p50": "median ms", "temperature_c": "hottest, C", "power_w": "power, W"}


def stage_bars(stages: Mapping[str, Mapping[str, Any]]) -> Svg:
    """One bar for each stage: filled up to the median, thinner and lighter up to the 95th percentile.

    Args:
        stages: ``p50``, ``p95`` and ``max`` in ms by the stage's name.
    """
    if not stages:
        return Svg()
    axis = Axis(0, max(spread["p95"] for spread in stages.values()) or 1.0, 150, WIDTH - 90)
    chart = RowChart("latency by stage", list(stages), axis, unit="ms")
    for place, (name, spread) in enumerate(stages.items()):
        middle, p50, p95 = chart.middle(place), axis.at(spread["p50"]), axis.at(spread["p95"])
        note = (
            f"{name}: median {spread['p50']:.3f} ms, 95th percentile {spread['p95']:.3f} ms, "
            f"longest {spread['max']:.3f} ms"
        )
        chart.bar((axis.start, middle - 3), (p95 - axis.start, 6), MEASURED, note, opacity=0.35)
        chart.bar((axis.start, middle - 9), (p50 - axis.start, 18), MEASURED, note)
        chart.text(p95 + 6, middle + 4, f"{spread['p50']:.3g} ms")
    return chart.svg()


def histogram(edges: Sequence[float], counts: Sequence[float], marks: Mapping[str, float]) -> Svg:
    """Histogram of update latencies, with percentiles marked.

    Args:
        edges: Bounds of the bins, ms, one more than counts.
        counts: Updates in each.
        marks: Values to mark, by name, ms; those beyond the last edge are left out.
    """
    if not counts or max(counts) <= 0:
        return Svg()
    top, bottom = 18.0, 150.0
    axis = Axis(edges[0], edges[-1], 40, WIDTH - 40)
    chart = Chart("distribution of the update latency", bottom + 22)
    chart.line((axis.start, bottom), (axis.end, bottom))
    for start, end, count in zip(edges, edges[1:], counts, strict=False):
        height = (bottom - top) * count / max(counts)
        note = f"{start:.2f} to {end:.2f} ms: {count:g} updates"
        corner, size = (axis.at(start) + 0.5, bottom - height), (axis.at(end) - axis.at(start) - 1, height)
        chart.bar(corner, size, MEASURED, note)
    for name, value in marks.items():
        if edges[0] <= value <= edges[-1]:
            chart.line((axis.at(value), top - 4), (axis.at(value), bottom), "mark")
            chart.text(axis.at(value), top - 7, name, "middle")
    chart.x_axis(axis, bottom, bottom, "ms")
    chart.text(axis.start - 4, top + 8, f"{max(counts):g}", "end")
    return chart.svg()


def timelines(moments: Sequence[Mapping[str, Any]]) -> list[Svg]:
    """Charts over time, one for each quantity that was recorded: latency, temperature, power."""
    charts = [_timeline(moments, key, title) for key, title in _TIMELINES.items()]
    return [chart for chart in charts if chart]


def _timeline(moments: Sequence[Mapping[str, Any]], key: str, title: str) -> Svg:
    known = [(moment["t_s"], moment[key]) for moment in moments if moment.get(key) is not None]
    if len(known) < 2:
        return Svg()
    begin, values = known[0][0], [value for _, value in known]
    # Latency and power start at 0; 0 C is no natural start of a temperature axis.
    is_temperature = key == "temperature_c"
    low, high = (min(values) - 1, max(values) + 1) if is_temperature else (0.0, max(values) * 1.05)
    points = [(second - begin, value) for second, value in known]
    return line_chart(title, points, "time, s", low, high, MEASURED if key == "p50" else SECOND).svg()


def ratio_chart(rows: Sequence[tuple[str, Mapping[str, Any]]]) -> Svg:
    """Latency of the other trackers relative to ours: the median as a dot, the middle half of the blocks as a bar.

    Args:
        rows: Names, and ``median``, ``q25`` and ``q75`` of the block ratios.
    """
    if not rows:
        return Svg()
    lowest = min(0.5, *(row["q25"] for _, row in rows))
    highest = max(2.0, *(row["q75"] for _, row in rows))
    axis = Axis(lowest, highest, 230, WIDTH - 70, is_log=True)
    chart = RowChart(
        "latency relative to ours",
        [name for name, _ in rows],
        axis,
        tick_name=lambda tick: "ours" if tick == 1 else f"x{tick:g}",
    )
    chart.line((axis.at(1), 0), (axis.at(1), chart.bottom), "mark")
    for place, (name, row) in enumerate(rows):
        middle, colour = chart.middle(place), MEASURED if row["median"] > 1 else SECOND
        left, right = axis.at(row["q25"]), axis.at(row["q75"])
        note = f"{name}: {row['median']:.2f} times ours, half of the blocks {row['q25']:.2f} to {row['q75']:.2f}"
        chart.bar((left, middle - 5), (right - left, 10), colour, note, opacity=0.35)
        chart.dot(axis.at(row["median"]), middle, colour, note=note)
        chart.figure(place, f"x{row['median']:.2f}")
    return chart.svg()
