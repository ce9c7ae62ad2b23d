"""Accuracy against speed of several trackers in one plot, from a table of both: which one to take, and what it costs.

The table is a CSV file with the columns ``tracker``, ``family``, ``precision``, ``backend``, ``relative_time`` of an
update, and ``success NAME`` for each set of videos; others are for readers. Rows of one family are joined by a line.
Times are relative to one tracker of the table, which has 1: a ratio also holds where a busy machine slowed both.
"""

from __future__ import annotations

import csv
import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from eatrack_edge.core.errors import InputError
from eatrack_edge.evaluation.charts import draw_accuracy
from eatrack_edge.reporting.colours import series_colour
from eatrack_edge.reporting.svg import stack

_SUCCESS = "success "  # begins the name of a column
_COLUMNS = ("tracker", "family", "precision", "backend", "relative_time")
_MARGIN = 0.05  # of the axis of scores, above and below


@dataclass(frozen=True, slots=True)
class Measured:
    """One tracker in one precision on one backend.

    Attributes:
        tracker: Name for people.
        family: What it is a form of; the same for each precision.
        precision: ``fp32``, ``fp16`` or ``int8``.
        backend: What runs the network.
        relative_time: Of an update, over that of the tracker that has 1.
        success: Success AUC by set of videos, [0, 1].
    """

    tracker: str
    family: str
    precision: str
    backend: str
    relative_time: float
    success: dict[str, float]


def read_table(path: Path) -> list[Measured]:
    """Read a table of accuracy and speed.

    Raises:
        InputError: It cannot be read, or a column or a figure is missing.
    """
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: cannot be read as a table: {error}") from error
    columns = list(rows[0]) if rows else []
    sets = [name for name in columns if name.startswith(_SUCCESS)]
    missing = [name for name in _COLUMNS if name not in columns] + ([] if sets else [f"{_SUCCESS}NAME"])
    if missing:
        raise InputError(f"{path}: no column `{missing[0]}`", hint=f"needed: {', '.join(_COLUMNS)}, {_SUCCESS}NAME")
    return [_measured(row, sets, f"{path}:{number}") for number, row in enumerate(rows, start=2)]


def _measured(row: dict[str, str], sets: Sequence[str], where: str) -> Measured:
    def number(column: str) -> float:
        try:
            value = float(row[column])
        except (TypeError, ValueError):
            value = math.nan
        if not value > 0:
            raise InputError(f"{where}: `{column}` must be a number above 0, got {row[column]!r}")
        return value

    success = {name.removeprefix(_SUCCESS): number(name) for name in sets}
    named = (row["tracker"], row["family"], row["precision"], row["backend"])
    return Measured(*named, number("relative_time"), success)


def front(rows: Sequence[Measured], videos: str) -> list[Measured]:
    """Rows that no other one beats in both accuracy on a set of videos and speed, the fastest first."""
    found: list[Measured] = []
    for row in sorted(rows, key=lambda row: (row.relative_time, -row.success[videos])):
        if not found or row.success[videos] > found[-1].success[videos]:
            found.append(row)
    return found


def draw_pareto(rows: Sequence[Measured]) -> str:
    """Draw the table as one SVG file: a chart for each set of videos, success AUC over the time of an update.

    Half of the rate of the tracker to which the times are relative is marked.

    Raises:
        InputError: No tracker has a time of 1.
    """
    reference = next((row.tracker for row in rows if row.relative_time == 1), None)
    if reference is None:
        raise InputError("no tracker of the table has a `relative_time` of 1: nothing says what times are relative to")
    families = {name: place for place, name in enumerate(dict.fromkeys(row.family for row in rows))}
    colours = {row.tracker: series_colour(families[row.family]) for row in rows}
    ordered = sorted(rows, key=lambda row: (families[row.family], row.relative_time))
    groups = [[row.tracker for row in group] for _, group in groupby(ordered, key=lambda row: row.family)]
    charts = []
    for videos in rows[0].success:
        scores = [row.success[videos] for row in rows]
        chosen = {row.tracker for row in front(rows, videos)}
        chart = draw_accuracy(
            {row.tracker: (row.relative_time, row.success[videos]) for row in rows},
            colours,
            f"time of an update, {reference} is 1",
            {f"half of the rate of {reference}": 2.0},
            score_name=f"success AUC, {videos}",
            scores=(min(scores) - _MARGIN, max(scores) + _MARGIN),
            lines=[group for group in groups if len(group) > 1],
            rings=colours.keys() - chosen,
        )
        charts.append(chart)
    return stack("Accuracy against speed; a ring: another tracker is both faster and more accurate", charts)


def front_table(rows: Sequence[Measured]) -> list[list[str]]:
    """Rows of text, the first of headings: every tracker with its figures, the fastest first.

    An asterisk stands where no other tracker is both faster and more accurate.
    """
    sets = list(rows[0].success)
    fronts = {videos: front(rows, videos) for videos in sets}
    table = [["tracker", "precision", "backend", "relative time", *(f"success AUC, {videos}" for videos in sets)]]
    for row in sorted(rows, key=lambda row: row.relative_time):
        scores = [f"{row.success[videos]:.3f}{' *' if row in fronts[videos] else '  '}" for videos in sets]
        table.append([row.tracker, row.precision, row.backend, f"{row.relative_time:.2f}", *scores])
    return table
