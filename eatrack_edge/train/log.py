"""The log of a run: one CSV row a judgement, and its curve as an SVG that any browser shows."""

from __future__ import annotations

import csv
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from eatrack_edge.errors import InputError

_CURVES = (
    ("total", "loss"),
    ("pair_iou", "pair IoU"),
    ("pair_hit", "hit rate"),
    ("pair_slope", "size slope"),
    ("loop_success", "closed-loop success"),
    ("loop_failures", "failures a thousand frames"),
)
_WIDTH, _HEIGHT, _MARGIN = 640, 150, 46  # px, of one curve


def append_row(path: Path, row: Mapping[str, float]) -> None:
    """Add a row; the first writes the header. ``time`` is added, as local date and hour."""
    stamped = {"time": time.strftime("%Y-%m-%dT%H:%M:%S"), **row}
    is_new = not path.exists()
    with path.open("a", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, stamped)
        if is_new:
            writer.writeheader()
        writer.writerow(stamped)


def read_log(path: Path) -> list[dict[str, float]]:
    """Rows of a log, their numbers alone.

    Raises:
        InputError: No such log, or not one of ours.
    """
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = [{key: float(value) for key, value in row.items() if key != "time"} for row in csv.DictReader(file)]
    except (OSError, TypeError, ValueError) as error:
        raise InputError(f"{path}: cannot be read as a training log: {error}") from error
    if any("samples" not in row for row in rows):
        raise InputError(f"{path}: not a training log: no column `samples`")
    return rows


def draw_curve(rows: Sequence[Mapping[str, float]], title: str) -> str:
    """The log as an SVG: one small curve for each of loss, pair IoU, hit rate and size slope, over samples.

    Args:
        rows: At least one, see ``read_log``.
        title: Above all.
    """
    names = [(key, name) for key, name in _CURVES if key in rows[0]]
    height = 30 + _HEIGHT * len(names)
    size = f'viewBox="0 0 {_WIDTH} {height}" font-family="sans-serif" font-size="11"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size}><rect width="100%" height="100%" fill="#fff"/>',
        f'<text x="{_MARGIN}" y="20" font-size="14">{title}</text>',
    ]
    for place, (key, name) in enumerate(names):
        points = [(row["samples"], row[key]) for row in rows if row[key] == row[key]]  # nan is not drawn
        if points:
            parts.append(_panel(points, name, 30 + place * _HEIGHT))
    return "\n".join([*parts, "</svg>\n"])


def _panel(points: Sequence[tuple[float, float]], name: str, top: int) -> str:
    xs, ys = zip(*points, strict=True)
    low, high = min(ys), max(ys)
    spread = (high - low) or 1.0
    inner_w, inner_h = _WIDTH - 2 * _MARGIN, _HEIGHT - 40
    line = " ".join(
        f"{_MARGIN + inner_w * x / max(xs):.1f},{top + 14 + inner_h * (high - y) / spread:.1f}" for x, y in points
    )
    foot = top + 14 + inner_h
    return (
        f'<text x="{_MARGIN}" y="{top + 8}">{name}: last {ys[-1]:.3f}</text>'
        f'<text x="4" y="{top + 20}">{high:.3g}</text><text x="4" y="{foot}">{low:.3g}</text>'
        f'<path d="M{_MARGIN} {top + 14}V{foot}H{_WIDTH - _MARGIN}" fill="none" stroke="#999"/>'
        f'<text x="{_WIDTH - _MARGIN}" y="{foot + 14}" text-anchor="end">{max(xs):.0f} samples</text>'
        f'<polyline points="{line}" fill="none" stroke="#0072b2" stroke-width="1.8"/>'
    )
