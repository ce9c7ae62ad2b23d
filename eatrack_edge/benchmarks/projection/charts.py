"""Draws the charts of a projection: outlines and dashes in a colour of its own, unlike measurements."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from eatrack_edge.reporting.colours import MEASURED, PROJECTED
from eatrack_edge.reporting.svg import WIDTH, Axis, Chart, Point, RowChart, Svg

_SHOWN = ("Jetson Orin Nano 8GB", "Jetson Orin NX 16GB", "Jetson AGX Orin 64GB")
_DASHES: tuple[tuple[float, ...], ...] = ((), (7, 4), (2, 3))
_ROW_HEIGHT = 18


def projection_ranges(targets: Sequence[dict[str, Any]]) -> Svg:
    """One row for each power mode: a ring at the projected time, an outline from the floor to the slow end."""
    if not targets:
        return Svg()
    # Slow ends of the smallest modes would squeeze all others: the axis is logarithmic.
    low, high = min(row["floor_ms"] for row in targets), max(row["slow_ms"] for row in targets)
    axis = Axis(low, high, 300, WIDTH - 30, is_log=True)
    names = [f"{row['device']}, {row['mode']}{' *' if row['unverified'] else ''}" for row in targets]
    chart = RowChart("projected milliseconds by power mode", names, axis, row_height=_ROW_HEIGHT, unit="ms")
    for place, (name, row) in enumerate(zip(names, targets, strict=True)):
        middle, left, right = chart.middle(place), axis.at(row["floor_ms"]), axis.at(row["slow_ms"])
        note = f"projection: {name}: {row['latency_ms']:.2f} ms, {row['floor_ms']:.2f} to {row['slow_ms']:.2f}"
        outline = {"stroke": PROJECTED, "stroke_dasharray": "3 2"}
        chart.bar((left, middle - 5), (right - left, 10), "none", note, **outline)
        chart.dot(axis.at(row["latency_ms"]), middle, PROJECTED, 4, note, is_hollow=True)
    return chart.svg()


def roofline(figures: dict[str, Any], measured: tuple[str, float] | None = None) -> Svg:
    """Rooflines of three boards at their nominal rates, the graph's layers by intensity, and this machine if measured.

    Args:
        figures: From ``projection_figures``.
        measured: Name of this machine, and its milliseconds of one run of the same graph.
    """
    layers = [layer for layer in figures["layers"] if layer["flops"] and layer["bytes"]]
    roofs = _roofs(figures)
    if not layers or not roofs:
        return Svg()
    bottom, right = 330.0, WIDTH - 30
    across = Axis(1.0, 1e3, 70, right, is_log=True)  # FLOP per byte
    up = Axis(1.0, 1e5, bottom, 16, is_log=True)  # GFLOP per second
    chart = Chart("roofline of the graph on three boards", bottom + 36)
    chart.x_axis(across, 16, bottom)
    chart.y_axis(up, across.start, right, "10^9 operations a second", most=6)
    chart.text(right, bottom + 30, "operations a byte", "end")
    _draw_roofs(chart, roofs, across, up)
    for layer in layers:
        _draw_layer(chart, layer, max(one["flops"] for one in layers), across, bottom)
    if measured:
        height = up.at(sum(layer["flops"] for layer in layers) / measured[1] / 1e6)
        chart.curve([Point(across.start, height), Point(right, height)], MEASURED)
        chart.text(across.start + 8, height - 6, f"measured: {measured[0]}")
    return chart.svg()


def _draw_roofs(chart: Chart, roofs: Sequence[tuple[str, float, float]], across: Axis, up: Axis) -> None:
    for dashes, (name, rate, bandwidth) in zip(_DASHES, roofs, strict=False):
        corners = [(across.low, bandwidth * across.low), (rate / bandwidth, rate), (across.high, rate)]
        chart.curve([Point(across.at(x), up.at(y)) for x, y in corners], PROJECTED, dashes=dashes)
        # The two smaller boards' roofs are close: one is named above its line, the other below.
        is_lowest = rate == min(other for _, other, _ in roofs)
        chart.text(across.end - 4, up.at(rate) + (14 if is_lowest else -5), f"nominal roof of {name}", "end")


def _draw_layer(chart: Chart, layer: dict[str, Any], most_flops: int, across: Axis, bottom: float) -> None:
    """A layer as a bar on the axis of intensity, as tall as its share of the arithmetic."""
    height = 6 + 60 * layer["flops"] / most_flops
    place = across.at(max(layer["flops"] / layer["bytes"], across.low))
    note = f"{layer['name']}: {layer['flops'] / 1e6:.1f} million operations, {layer['bytes'] / 1e6:.2f} MB"
    chart.bar((place - 1.5, bottom - height), (3, height), PROJECTED, note, opacity=0.45)


def _roofs(figures: dict[str, Any]) -> list[tuple[str, float, float]]:
    """Name, 10^9 operations and 10^9 bytes a second of the fastest mode of one module of each kind."""
    found = []
    targets = figures["targets"]
    devices = [name for name in _SHOWN if any(row["device"] == name for row in targets)]
    for device in devices or list(dict.fromkeys(row["device"] for row in targets))[:3]:
        row = max((row for row in targets if row["device"] == device), key=lambda row: row["fp16_tflops"])
        rate = {"fp32": row["fp16_tflops"] / 2, "fp16": row["fp16_tflops"]}.get(figures["precision"], row["int8_tops"])
        found.append((f"{device}, {row['mode']}", rate * 1e3, row["bandwidth_gb_s"]))
    return found


def check_chart(series: Sequence[dict[str, Any]]) -> Svg:
    """Ratio of projected to published time, for every published speed whose layers are known; 1 is exact."""
    rows = [(one, figure) for one in series for figure in one["figures"] if figure["ratio"]]
    if not rows:
        return Svg()
    widest = max(2.0, *(max(figure["ratio"], 1 / figure["ratio"]) for _, figure in rows))
    axis = Axis(1 / widest, widest, 320, WIDTH - 60, is_log=True)
    chart = RowChart(
        "projected to published time",
        [f"{figure['name']}, {one['device']}, {one['runtime']}" for one, figure in rows],
        axis,
        row_height=_ROW_HEIGHT,
        tick_name=lambda tick: "as published" if tick == 1 else f"x{tick:g}",
    )
    chart.line((axis.at(1), 0), (axis.at(1), chart.bottom), "mark")
    for place, (_, figure) in enumerate(rows):
        chart.dot(axis.at(figure["ratio"]), chart.middle(place), PROJECTED, 4, is_hollow=True)
        chart.figure(place, f"x{figure['ratio']:.2f}")
    return chart.svg()
