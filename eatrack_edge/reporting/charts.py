"""What was measured, drawn as SVG to stand in a page: stages, spread, course and ratios."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape
from typing import Any

from eatrack_edge.evaluation.plots import COLOURS

MEASURED, SECOND = COLOURS[0], COLOURS[1]
WIDTH = 900
_LEFT, _RIGHT, _ROW = 150, 90, 26


def nice_ticks(highest: float, most: int = 8) -> list[float]:
    """Round numbers from 0 up to at most ``highest``.

    >>> nice_ticks(23.4)
    [0, 5, 10, 15, 20]
    >>> nice_ticks(0.9, most=4)
    [0.0, 0.25, 0.5, 0.75]
    """
    if highest <= 0:
        return [0]
    power = 10 ** math.floor(math.log10(highest / most))
    step = next(power * factor for factor in (1, 2, 2.5, 5, 10, 20) if highest / (power * factor) <= most)
    return [round(step * place, 10) for place in range(int(highest / step + 1e-9) + 1)]


def svg(height: float, label: str, parts: Sequence[str]) -> str:
    """A chart of the page's width."""
    head = f'<svg class="chart" viewBox="0 0 {WIDTH} {height:g}" role="img" aria-label="{escape(label)}">'
    return f"{head}{''.join(parts)}</svg>"


def upright(middle: float, words: str) -> str:
    """The name of a vertical axis, beside it and turned."""
    turned = f'transform="rotate(-90 13 {middle:g})"'
    return f'<text x="13" y="{middle:g}" text-anchor="middle" {turned}>{escape(words)}</text>'


def text(x: float, y: float, words: str, anchor: str = "start") -> str:
    """Words at a point."""
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'


def line(x1: float, y1: float, x2: float, y2: float, kind: str = "grid") -> str:
    """A straight line of the grid, or a dashed mark."""
    return f'<line class="{kind}" x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}"/>'


def bar(x: float, y: float, width: float, height: float, colour: str, *, note: str = "", opacity: float = 1) -> str:
    """A filled rectangle, explained when pointed at."""
    size = f'x="{x:.1f}" y="{y:.1f}" width="{max(width, 0.5):.1f}" height="{max(height, 0):.1f}"'
    return f'<rect {size} fill="{colour}" opacity="{opacity:g}"><title>{escape(note)}</title></rect>'


def stage_bars(stages: dict[str, dict[str, Any]]) -> str:
    """A bar a stage: the median filled, and a thinner one up to the 95th percentile."""
    if not stages:
        return ""
    highest = max(spread["p95"] for spread in stages.values()) or 1.0
    ticks = nice_ticks(highest)
    bottom = len(stages) * _ROW + 4

    def at(value: float) -> float:
        return _LEFT + (WIDTH - _LEFT - _RIGHT) * value / highest

    parts = [line(at(tick), 0, at(tick), bottom) + text(at(tick), bottom + 14, f"{tick:g}", "middle") for tick in ticks]
    for place, (name, spread) in enumerate(stages.items()):
        top, p50, p95 = place * _ROW + 4, spread["p50"], spread["p95"]
        note = f"{name}: median {p50:.3f} ms, 95th percentile {p95:.3f} ms, longest {spread['max']:.3f} ms"
        parts.append(text(_LEFT - 8, top + 13, name, "end"))
        parts.append(bar(_LEFT, top + 6, at(p95) - _LEFT, 6, MEASURED, note=note, opacity=0.35))
        parts.append(bar(_LEFT, top, at(p50) - _LEFT, 18, MEASURED, note=note))
        parts.append(text(at(p95) + 6, top + 13, f"{p50:.3g} ms"))
    parts.append(text(WIDTH, bottom + 14, "ms", "end"))
    return svg(bottom + 20, "latency by stage", parts)


def histogram(edges: Sequence[float], counts: Sequence[float], marks: dict[str, float]) -> str:
    """How often an update took how long, with percentiles marked.

    Args:
        edges: Bounds of the bins, ms, one more than counts.
        counts: Updates in each.
        marks: Places to mark, by name, ms; those beyond the last edge are left out.
    """
    if not counts or max(counts) <= 0:
        return ""
    low, high, top, bottom = edges[0], edges[-1], 18.0, 150.0
    span = (high - low) or 1.0

    def at(value: float) -> float:
        return 40 + (WIDTH - 60) * (value - low) / span

    parts = [line(40, bottom, WIDTH - 20, bottom)]
    for start, end, count in zip(edges, edges[1:], counts, strict=False):
        height = (bottom - top) * count / max(counts)
        note = f"{start:.2f} to {end:.2f} ms: {count:g} updates"
        parts.append(bar(at(start) + 0.5, bottom - height, at(end) - at(start) - 1, height, MEASURED, note=note))
    for name, value in marks.items():
        if low <= value <= high:
            parts.append(line(at(value), top - 4, at(value), bottom, "mark") + text(at(value), top - 7, name, "middle"))
    parts += [text(at(low + tick), bottom + 15, f"{low + tick:.3g}", "middle") for tick in nice_ticks(span * 0.96)]
    parts += [text(36, top + 8, f"{max(counts):g}", "end"), text(WIDTH, bottom + 15, "ms", "end")]
    return svg(bottom + 22, "how often an update took how long", parts)


def course(moments: Sequence[dict[str, Any]]) -> str:
    """Panels over time, one a quantity that the machine told: latency, temperature, power."""
    wanted = {"p50": "median ms", "temperature_c": "hottest, C", "power_w": "power, W"}
    panels = [_panel(moments, key, name) for key, name in wanted.items()]
    return "".join(panel for panel in panels if panel)


def _panel(moments: Sequence[dict[str, Any]], key: str, name: str) -> str:
    known = [(moment["t_s"], moment[key]) for moment in moments if moment.get(key) is not None]
    if len(known) < 2:
        return ""
    begin, last = known[0][0], known[-1][0]
    values = [value for _, value in known]
    # Latency and power start at nothing; a temperature's zero means nothing.
    low = min(values) - 1 if key == "temperature_c" else 0.0
    high = max(values) * 1.05 if key != "temperature_c" else max(values) + 1
    bottom = 96.0

    def at(moment: tuple[float, float]) -> str:
        x = 60 + (WIDTH - 80) * (moment[0] - begin) / ((last - begin) or 1.0)
        return f"{x:.1f} {bottom - (bottom - 8) * (moment[1] - low) / ((high - low) or 1.0):.1f}"

    ticks = [tick for tick in nice_ticks(high, most=4) if tick >= low]
    heights = {tick: float(at((begin, tick)).split()[1]) for tick in ticks}
    grid = "".join(line(60, y, WIDTH - 20, y) + text(54, y + 4, f"{tick:g}", "end") for tick, y in heights.items())
    times = [float(at((begin + tick, low)).split()[0]) for tick in nice_ticks(last - begin)]
    axis = "".join(
        text(x, bottom + 15, f"{tick:g}", "middle") for x, tick in zip(times, nice_ticks(last - begin), strict=True)
    )
    label = upright(bottom / 2, name)
    colour = MEASURED if key == "p50" else SECOND
    path = f'<path d="M{"L".join(at(moment) for moment in known)}" stroke="{colour}"/>'
    return svg(bottom + 22, f"{name} over time", [grid, axis, label, path, text(WIDTH, bottom + 15, "s", "end")])


def ratio_chart(rows: Sequence[tuple[str, dict[str, Any]]]) -> str:
    """How many times longer the others took: the median as a dot, half of the blocks as a bar.

    Args:
        rows: Names, and ``median``, ``q25`` and ``q75`` of the block ratios.
    """
    if not rows:
        return ""
    lowest = min(0.5, *(row["q25"] for _, row in rows))
    highest = max(2.0, *(row["q75"] for _, row in rows))
    left, bottom = 230.0, len(rows) * _ROW + 4.0

    def at(value: float) -> float:
        return left + (WIDTH - left - 70) * math.log(value / lowest) / math.log(highest / lowest)

    shown = [tick for tick in (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50) if lowest <= tick <= highest]
    parts = [line(at(tick), 0, at(tick), bottom, "mark" if tick == 1 else "grid") for tick in shown]
    parts += [text(at(tick), bottom + 14, "ours" if tick == 1 else f"x{tick:g}", "middle") for tick in shown]
    for place, (name, row) in enumerate(rows):
        y, colour = place * _ROW + 14, MEASURED if row["median"] > 1 else SECOND
        note = f"{name}: {row['median']:.2f} times ours, half of the blocks {row['q25']:.2f} to {row['q75']:.2f}"
        parts.append(text(left - 10, y + 4, name, "end"))
        parts.append(bar(at(row["q25"]), y - 5, at(row["q75"]) - at(row["q25"]), 10, colour, note=note, opacity=0.35))
        parts.append(f'<circle cx="{at(row["median"]):.1f}" cy="{y}" r="5" fill="{colour}"/>')
        parts.append(text(WIDTH, y + 4, f"x{row['median']:.2f}", "end"))
    return svg(bottom + 20, "how many times longer the others took", parts)
