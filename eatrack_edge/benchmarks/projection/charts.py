"""What was projected, drawn so that nobody takes it for a measurement: outlines and dashes in a colour of its own."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from typing import Any

from eatrack_edge.evaluation.plots import COLOURS
from eatrack_edge.reporting.charts import MEASURED, WIDTH, line, svg, text, upright

PROJECTED = COLOURS[3]
_SHOWN = ("Jetson Orin Nano 8GB", "Jetson Orin NX 16GB", "Jetson AGX Orin 64GB")
_DASHES = ("", "7 4", "2 3")


def projection_ranges(targets: Sequence[dict[str, Any]]) -> str:
    """A row a power mode: a circle at the projected time, and an outline from the floor to the slow end."""
    if not targets:
        return ""
    left, row_height = 300.0, 18.0
    bottom = len(targets) * row_height + 4
    # Slow ends of the smallest modes would squeeze all others: the axis is logarithmic.
    low = min(row["floor_ms"] for row in targets)
    high = max(row["slow_ms"] for row in targets)

    def at(value: float) -> float:
        return left + (WIDTH - left - 30) * math.log(value / low) / math.log(high / low)

    ticks = [tick for tick in (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 33.3, 50, 100, 200) if low <= tick <= high]
    parts = [line(at(tick), 0, at(tick), bottom) + text(at(tick), bottom + 14, f"{tick:g}", "middle") for tick in ticks]
    for place, row in enumerate(targets):
        y = place * row_height + 4
        name = f"{row['device']}, {row['mode']}{' *' if row['unverified'] else ''}"
        note = f"projection: {name}: {row['latency_ms']:.2f} ms, {row['floor_ms']:.2f} to {row['slow_ms']:.2f}"
        width = at(row["slow_ms"]) - at(row["floor_ms"])
        parts.append(text(left - 10, y + 11, name, "end"))
        parts.append(
            f'<rect x="{at(row["floor_ms"]):.1f}" y="{y + 2:.1f}" width="{width:.1f}" height="10" fill="none" '
            f'stroke="{PROJECTED}" stroke-dasharray="3 2"><title>{escape(note)}</title></rect>'
            f'<circle cx="{at(row["latency_ms"]):.1f}" cy="{y + 7:.1f}" r="4" fill="#fff" stroke="{PROJECTED}" '
            'stroke-width="2"/>'
        )
    parts.append(text(WIDTH, bottom + 14, "ms", "end"))
    return svg(bottom + 20, "projected milliseconds by power mode", parts)


def roofline(figures: dict[str, Any], measured: tuple[str, float] | None = None) -> str:
    """Roofs of three boards at their nominal rates, the graph's layers by intensity, and this machine where measured.

    Args:
        figures: From ``projection_figures``.
        measured: Name of this machine, and its milliseconds of one run of the same graph.
    """
    layers = [layer for layer in figures["layers"] if layer["flops"] and layer["bytes"]]
    roofs = _roofs(figures)
    if not layers or not roofs:
        return ""
    low_x, high_x, low_y, high_y = 1.0, 1e3, 1.0, 1e5  # FLOP per byte; GFLOP per second
    bottom, left = 330.0, 70.0

    def x(value: float) -> float:
        return left + (WIDTH - left - 30) * math.log(max(value, low_x) / low_x) / math.log(high_x / low_x)

    def y(value: float) -> float:
        return bottom - (bottom - 16) * math.log(max(value, low_y) / low_y) / math.log(high_y / low_y)

    parts = [line(x(one), 16, x(one), bottom) + text(x(one), bottom + 15, f"{one:g}", "middle") for one in (1, 10, 100)]
    parts += [
        line(left, y(one), WIDTH - 30, y(one)) + text(left - 6, y(one) + 4, f"{one:g}", "end")
        for one in (1, 10, 100, 1e3, 1e4, 1e5)
    ]
    for dash, (name, rate, bandwidth) in zip(_DASHES, roofs, strict=False):
        ridge = rate / bandwidth
        points = [(low_x, bandwidth * low_x), (ridge, rate), (high_x, rate)]
        path = "L".join(f"{x(one):.1f} {y(other):.1f}" for one, other in points)
        parts.append(f'<path d="M{path}" stroke="{PROJECTED}" stroke-dasharray="{dash}"/>')
        # The two smaller boards' roofs are close: one is named above its line, the other below.
        is_lowest = rate == min(other for _, other, _ in roofs)
        parts.append(text(WIDTH - 34, y(rate) + (14 if is_lowest else -5), f"nominal roof of {name}", "end"))
    parts += [_layer_mark(layer, layers, x, bottom) for layer in layers]
    if measured:
        height = y(sum(layer["flops"] for layer in layers) / measured[1] / 1e6)
        parts.append(f'<path d="M{left} {height:.1f}H{WIDTH - 30}" stroke="{MEASURED}"/>')
        parts.append(text(left + 8, height - 6, f"measured: {measured[0]}"))
    parts.append(text(WIDTH - 30, bottom + 15, "operations a byte", "end"))
    parts.append(upright(bottom / 2, "10^9 operations a second"))
    return svg(bottom + 22, "roofline of the graph on three boards", parts)


def _layer_mark(layer: dict[str, Any], layers: Sequence[dict[str, Any]], x: Any, bottom: float) -> str:
    """A layer as a tick on the axis of intensity, as tall as its share of the arithmetic."""
    share = layer["flops"] / max(one["flops"] for one in layers)
    place = x(layer["flops"] / layer["bytes"])
    note = f"{layer['name']}: {layer['flops'] / 1e6:.1f} million operations, {layer['bytes'] / 1e6:.2f} MB"
    return (
        f'<line x1="{place:.1f}" x2="{place:.1f}" y1="{bottom:.1f}" y2="{bottom - 6 - 60 * share:.1f}" '
        f'stroke="{PROJECTED}" stroke-width="3" opacity="0.45"><title>{escape(note)}</title></line>'
    )


def _roofs(figures: dict[str, Any]) -> list[tuple[str, float, float]]:
    """Name, 10^9 operations and 10^9 bytes a second of the fastest mode of one module a kind."""
    found = []
    targets = figures["targets"]
    devices = [name for name in _SHOWN if any(row["device"] == name for row in targets)]
    for device in devices or list(dict.fromkeys(row["device"] for row in targets))[:3]:
        row = max((row for row in targets if row["device"] == device), key=lambda row: row["fp16_tflops"])
        rate = {"fp32": row["fp16_tflops"] / 2, "fp16": row["fp16_tflops"]}.get(figures["precision"], row["int8_tops"])
        found.append((f"{device}, {row['mode']}", rate * 1e3, row["bandwidth_gb_s"]))
    return found


def check_chart(series: Sequence[dict[str, Any]]) -> str:
    """Projected to published time of every figure whose layers are known; 1 is right."""
    rows = [(one, figure) for one in series for figure in one["figures"] if figure["ratio"]]
    if not rows:
        return ""
    left, row_height = 330.0, 18.0
    bottom = len(rows) * row_height + 4
    widest = max(2.0, *(max(figure["ratio"], 1 / figure["ratio"]) for _, figure in rows))

    def at(ratio: float) -> float:
        return left + (WIDTH - left - 60) * (math.log(ratio) / math.log(widest) + 1) / 2

    parts = [
        line(at(tick), 0, at(tick), bottom, "mark" if tick == 1 else "grid")
        + text(at(tick), bottom + 14, "as published" if tick == 1 else f"x{tick:.2f}", "middle")
        for tick in (1 / widest, 1.0, widest)
    ]
    for place, (one, figure) in enumerate(rows):
        y = place * row_height + 11
        parts.append(text(left - 40, y + 4, f"{figure['name']}, {one['device']}, {one['runtime']}", "end"))
        parts.append(
            f'<circle cx="{at(figure["ratio"]):.1f}" cy="{y}" r="4" fill="#fff" stroke="{PROJECTED}" stroke-width="2"/>'
        )
        parts.append(text(WIDTH, y + 4, f"x{figure['ratio']:.2f}", "end"))
    return svg(bottom + 20, "projected to published time", parts)
