"""Draws the success, precision and calibration curves of an evaluation for its page.

They show what ``plots.py`` draws for documents, in the style of the page's other charts.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from eatrack_edge.evaluation.charts import LEFT
from eatrack_edge.evaluation.confidence_calibration import BINS, Calibration
from eatrack_edge.evaluation.evaluate import Evaluation
from eatrack_edge.evaluation.metrics import ERROR_THRESHOLDS_PX, OVERLAP_THRESHOLDS, Score
from eatrack_edge.evaluation.score_tables import ranking, tracker_calibration
from eatrack_edge.reporting.colours import series_colour, series_dash
from eatrack_edge.reporting.svg import Axis, Chart, Point, Svg

Floats = NDArray[np.float64]

_TOP, _BOTTOM, _RIGHT, _KEY = 30.0, 250.0, 560.0, 582.0
_ROW = 16.0  # of the key


class _Curve(NamedTuple):
    """One tracker's curve, with its place in the ranking, which decides its style."""

    label: str
    place: int
    x: Floats
    y: Floats
    shares: Floats | None = None  # of all frames at each point: a dot's area


def curve_charts(evaluation: Evaluation) -> list[Svg]:
    """The success and precision curves, and the calibration where any tracker has a confidence."""
    ranked = ranking(evaluation)
    if not ranked:
        return []
    places = {title: place for place, (title, _) in enumerate(ranked)}
    charts = []
    for kind, column, thresholds, title, across, key in (
        ("success", "success_auc", OVERLAP_THRESHOLDS, "Success", "overlap threshold", "mean of the curve"),
        ("precision", "precision_20px", ERROR_THRESHOLDS_PX, "Precision", "centre error, px", "share at 20 px"),
    ):
        curves = _scored(evaluation, ranked, kind, column, np.asarray(thresholds))
        words = "more overlap than the threshold" if kind == "success" else "no more centre error than the threshold"
        marks = () if kind == "success" else (20.0,)
        charts.append(_chart(f"{title}: share of frames with {words}", across, curves, key, marks))
    calibrations = {title: tracker_calibration(evaluation.trackers[title]) for title in places}
    known = {title: found for title, found in calibrations.items() if found}
    return [*charts, _calibration(known, places)] if known else charts


def _scored(
    evaluation: Evaluation, ranked: Sequence[tuple[str, Score]], kind: str, column: str, thresholds: Floats
) -> list[_Curve]:
    """The mean curve of each tracker, the highest score of the kind first."""
    curves = []
    scores = [(getattr(score, column), place, name) for place, (name, score) in enumerate(ranked)]
    for score, place, name in sorted(scores, key=lambda row: -row[0]):
        rows = [getattr(one, kind) for one in evaluation.trackers[name].scores.values()]
        curves.append(_Curve(f"{name} {score:.3f}", place, thresholds, np.mean(rows, axis=0)))
    return curves


def _calibration(known: Mapping[str, Calibration], places: Mapping[str, int]) -> Svg:
    curves = []
    for title, found in known.items():
        filled = found.frames > 0
        shares = found.frames[filled] / max(1, int(found.frames.sum()))
        label = f"{title} {found.expected_error:.3f}"
        curves.append(_Curve(label, places[title], found.confidence[filled], found.overlap[filled], shares))
    title = "Calibration: mean overlap of the frames with a confidence, a dot's area is their share"
    return _chart(title, f"confidence, {BINS} bins; dashed: equal to the overlap", curves, "calibration error", None)


def _chart(title: str, across_title: str, curves: Sequence[_Curve], key: str, marks: Sequence[float] | None) -> Svg:
    """Curves in [0, 1] with a key on the right; ``marks`` are vertical lines, ``None`` is a diagonal instead."""
    high = 1.0 if marks is None else float(curves[0].x[-1])
    across, up = Axis(0, high, LEFT, _RIGHT), Axis(0, 1, _BOTTOM, _TOP)
    chart = Chart(title, max(_BOTTOM + 38, _TOP + _ROW * (len(curves) + 2)))
    chart.text(LEFT, 14, title)
    chart.y_axis(up, LEFT, _RIGHT, most=6)
    for tick in across.ticks(6):
        chart.text(across.at(tick), _BOTTOM + 15, f"{tick:g}", "middle")
    chart.text(_RIGHT, _BOTTOM + 32, across_title, "end")
    if marks is None:
        chart.line((across.at(0), up.at(0)), (across.at(1), up.at(1)), "mark")
    for mark in marks or ():
        chart.line((across.at(mark), _TOP), (across.at(mark), _BOTTOM), "mark")
    chart.text(_KEY, _TOP + 4, key)
    for row, curve in enumerate(curves):
        colour, dashes = series_colour(curve.place), series_dash(curve.place)
        points = [Point(across.at(x), up.at(y)) for x, y in zip(curve.x, curve.y, strict=True)]
        chart.curve(points, colour, curve.label, dashes)
        for point, share in zip(points, curve.shares if curve.shares is not None else (), strict=False):
            chart.dot(point.x, point.y, colour, 2 + 8 * math.sqrt(share))
        middle = _TOP + _ROW * (row + 1)
        chart.curve([Point(_KEY, middle), Point(_KEY + 22, middle)], colour, dashes=dashes)
        chart.text(_KEY + 30, middle + 4, curve.label)
    return chart.svg()
