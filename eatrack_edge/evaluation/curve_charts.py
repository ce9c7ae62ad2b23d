"""Draws the success, precision and calibration curves of an evaluation for its page.

They show what ``plots.py`` draws for documents, in the style of the page's other charts.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from eatrack_edge.evaluation.charts import LEFT
from eatrack_edge.evaluation.confidence_calibration import BINS
from eatrack_edge.evaluation.curves import PRECISION, SUCCESS, Curve, calibration_curves, score_curves
from eatrack_edge.evaluation.evaluate import Evaluation
from eatrack_edge.reporting.colours import series_colour, series_dash
from eatrack_edge.reporting.svg import Axis, Chart, Point, Svg

_TOP, _BOTTOM, _RIGHT, _KEY = 30.0, 250.0, 560.0, 582.0
_ROW = 16.0  # of the key


def curve_charts(evaluation: Evaluation) -> list[Svg]:
    """The success and precision curves, and the calibration where any tracker has a confidence."""
    charts = []
    for kind, title, key, marks in (
        (SUCCESS, "Success: share of frames with more overlap than the threshold", "mean of the curve", ()),
        (PRECISION, "Precision: share of frames with no more centre error than the threshold", "share at 20 px", (20,)),
    ):
        if curves := score_curves(evaluation, kind):
            charts.append(_chart(title, kind.x_title, curves, key, marks))
    if calibrations := [curve for curve, _ in calibration_curves(evaluation)]:
        title = "Calibration: mean overlap of the frames with a confidence, a dot's area is their share"
        x_title = f"confidence, {BINS} bins; dashed: equal to the overlap"
        charts.append(_chart(title, x_title, calibrations, "calibration error", None))
    return charts


def _chart(title: str, across_title: str, curves: Sequence[Curve], key: str, marks: Sequence[float] | None) -> Svg:
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
        label = f"{curve.title} {curve.score:.3f}"
        points = [Point(across.at(x), up.at(y)) for x, y in zip(curve.x, curve.y, strict=True)]
        chart.curve(points, colour, label, dashes)
        for point, share in zip(points, curve.shares, strict=False):
            chart.dot(point.x, point.y, colour, 2 + 8 * math.sqrt(share))
        middle = _TOP + _ROW * (row + 1)
        chart.curve([Point(_KEY, middle), Point(_KEY + 22, middle)], colour, dashes=dashes)
        chart.text(_KEY + 30, middle + 4, label)
    return chart.svg()
