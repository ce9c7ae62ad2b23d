"""Small charts over the frames of a sequence, as SVG to stand in a page: light, and sharp at any size."""

from __future__ import annotations

import math
from collections.abc import Mapping
from html import escape

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _TOP = 900, 130, 34, 18, 6
_MOST_POINTS = 450  # a line has no more points than its chart has room for


def frame_chart(title: str, curves: Mapping[str, Floats], colours: Mapping[str, str], marks: Mapping[int, str]) -> str:
    """Curves in [0, 1] over frames.

    Args:
        title: What the curves are, shown on the left.
        curves: Values per frame by tracker, shape (N,); a gap where ``nan``.
        colours: Colour by tracker.
        marks: Frames to mark with a vertical line, and why.
    """
    frames = max((len(curve) for curve in curves.values()), default=0)
    if frames < 2:
        return ""
    lines = [
        f'<path d="{_path(curve)}" stroke="{colours[name]}"><title>{escape(name)}</title></path>'
        for name, curve in curves.items()
    ]
    marked = [
        f'<line class="mark" x1="{_x(frame, frames):.1f}" x2="{_x(frame, frames):.1f}" y1="{_TOP}" y2="{_y(0)}">'
        f"<title>{escape(reason)}</title></line>"
        for frame, reason in marks.items()
    ]
    return (
        f'<svg class="chart" viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{escape(title)} over frames">'
        f"{_grid(title, frames)}{''.join(marked)}<g>{''.join(lines)}</g></svg>"
    )


def accuracy_chart(
    points: Mapping[str, tuple[float, float]], colours: Mapping[str, str], axis: str, period_ms: float = 0
) -> str:
    """Success AUC over what an update costs, a dot a tracker; cheap and right is at the top left.

    Args:
        points: Cost and success AUC by tracker; one that costs nothing is left out.
        colours: Colour by tracker.
        axis: What the cost is, e.g. ``median ms of an update``.
        period_ms: Between two frames of a live camera, marked; 0 without one.
    """
    known = {title: point for title, point in points.items() if point[0] > 0}
    if not known:
        return ""
    height, foot = 300, 34
    costs = [cost for cost, _ in known.values()] + ([period_ms] if period_ms else [])
    low, high = min(costs) / 1.5, max(costs) * 2.5  # room for the name beside the last dot

    def x(cost: float) -> float:
        return _LEFT + (_WIDTH - _LEFT - 4) * math.log(cost / low) / math.log(high / low)

    def y(score: float) -> float:
        return height - foot - (height - foot - _TOP) * score

    parts = [_score_line(score, y(score)) for score in (0, 0.25, 0.5, 0.75, 1)]
    ticks = [factor * 10.0**power for power in range(-5, 5) for factor in (1, 2, 5)]
    parts += [
        f'<text x="{x(t):.1f}" y="{height - 18}" text-anchor="middle">{t:g}</text>' for t in ticks if low < t < high
    ]
    parts.append(f'<text x="{_WIDTH}" y="{height - 3}" text-anchor="end">{escape(axis)}</text>')
    if period_ms:
        place = f'x1="{x(period_ms):.1f}" x2="{x(period_ms):.1f}" y1="{_TOP}" y2="{y(0):.1f}"'
        parts.append(f'<line class="mark" {place}><title>{1000 / period_ms:g} frames a second</title></line>')
    parts += [
        f'<circle cx="{x(point[0]):.1f}" cy="{y(point[1]):.1f}" r="6" fill="{colours[title]}"/>'
        f'<text x="{x(point[0]) + 10:.1f}" y="{y(point[1]) + 4:.1f}">{escape(title)} {point[1]:.3f}</text>'
        for title, point in known.items()
    ]
    label = f"success AUC over {escape(axis)}"
    return f'<svg class="chart" viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="{label}">{"".join(parts)}</svg>'


def _score_line(score: float, y: float) -> str:
    """A line across the chart at a score, and its name."""
    return (
        f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH}" y1="{y:.1f}" y2="{y:.1f}"/>'
        f'<text x="{_LEFT - 5}" y="{y + 4:.1f}" text-anchor="end">{score:g}</text>'
    )


def _grid(title: str, frames: int) -> str:
    rows = "".join(_score_line(value, _y(value)) for value in (0, 0.5, 1))
    middle = (_TOP + _y(0)) / 2
    name = f'<text x="9" y="{middle}" text-anchor="middle" transform="rotate(-90 9 {middle})">{escape(title)}</text>'
    step = _round_step(frames)
    ticks = "".join(
        f'<text x="{_x(frame, frames):.1f}" y="{_HEIGHT - 4}" text-anchor="middle">{frame}</text>'
        for frame in range(step, frames, step)
    )
    return rows + name + ticks


def _path(curve: Floats) -> str:
    """Points of a line, thinned to the lowest value of each stretch so that no failure is thinned away."""
    frames = len(curve)
    size = max(1, -(-frames // _MOST_POINTS))
    parts: list[str] = []
    is_down = False
    for start in range(0, frames, size):
        stretch = curve[start : start + size]
        if np.isnan(stretch).all():
            is_down = False
            continue
        x, y = _x(start, frames), _y(float(np.clip(np.nanmin(stretch), 0, 1)))
        parts.append(f"{'L' if is_down else 'M'}{x:.1f} {y:.1f}")
        is_down = True
    return "".join(parts)


def _x(frame: int, frames: int) -> float:
    return _LEFT + (_WIDTH - _LEFT - 4) * frame / (frames - 1)


def _y(value: float) -> float:
    return _HEIGHT - _BOTTOM - (_HEIGHT - _BOTTOM - _TOP) * value


def _round_step(frames: int) -> int:
    """A step that puts at most ten round numbers under the axis.

    >>> _round_step(469), _round_step(82)
    (50, 10)
    """
    step = 1
    while frames / step > 10:
        step = {1: 2, 2: 5, 5: 10}[int(str(step)[0])] * 10 ** (len(str(step)) - 1)
    return step
