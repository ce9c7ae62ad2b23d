"""The log of a run: one CSV row a judgement, and its curve as an SVG that any browser shows."""

from __future__ import annotations

import csv
import math
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from eatrack_edge.core.errors import InputError
from eatrack_edge.reporting.svg import line_chart, stack

_CURVES = (("total", "loss"), ("pair_iou", "pair IoU"), ("pair_hit", "hit rate"), ("pair_slope", "size slope"))


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
    """Draw the log as an SVG: one chart for each of loss, pair IoU, hit rate and size slope, over samples.

    Args:
        rows: At least one, see ``read_log``.
        title: Above all charts.
    """
    charts = []
    for key, name in _CURVES:
        points = [(row["samples"], row[key]) for row in rows if not math.isnan(row.get(key, math.nan))]
        if points:
            values = [value for _, value in points]
            charts.append(line_chart(f"{name}: last {values[-1]:.3f}", points, "samples", min(values), max(values)))
    return stack(title, charts)
