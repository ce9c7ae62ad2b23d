"""Small charts over the frames of a sequence, as SVG to stand in a page: light, and sharp at any size."""

from __future__ import annotations

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


def _grid(title: str, frames: int) -> str:
    rows = "".join(
        f'<line class="grid" x1="{_LEFT}" x2="{_WIDTH}" y1="{_y(value):.1f}" y2="{_y(value):.1f}"/>'
        f'<text x="{_LEFT - 5}" y="{_y(value) + 4:.1f}" text-anchor="end">{value:g}</text>'
        for value in (0, 0.5, 1)
    )
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
