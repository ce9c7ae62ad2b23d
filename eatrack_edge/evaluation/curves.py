"""The success, precision and calibration curves of an evaluation, for its page and for documents alike."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from eatrack_edge.evaluation.confidence_calibration import Calibration
from eatrack_edge.evaluation.evaluate import Evaluation
from eatrack_edge.evaluation.metrics import ERROR_THRESHOLDS_PX, OVERLAP_THRESHOLDS
from eatrack_edge.evaluation.score_tables import ranking, tracker_calibration

Floats = NDArray[np.float64]


class CurveKind(NamedTuple):
    """A kind of curve over thresholds.

    Attributes:
        name: The field of ``SequenceScore`` that holds it.
        score: The field of ``Score`` that sums it up.
        thresholds: Where it has a value.
        x_title: What the thresholds are.
    """

    name: str
    score: str
    thresholds: Floats
    x_title: str


SUCCESS = CurveKind("success", "success_auc", np.asarray(OVERLAP_THRESHOLDS), "overlap threshold")
PRECISION = CurveKind("precision", "precision_20px", np.asarray(ERROR_THRESHOLDS_PX), "centre error, px")


class Curve(NamedTuple):
    """One tracker's curve.

    Attributes:
        title: Of the tracker.
        place: Of the tracker in the ranking, from 0; it decides the style in every plot.
        score: What sums the curve up.
        x, y: The points.
        shares: Of all frames at each point of a calibration, [0, 1]: one with few frames is noise, and its dot is
            small. Empty in other curves, whose points have no dots.
    """

    title: str
    place: int
    score: float
    x: Floats
    y: Floats
    shares: Floats = np.zeros(0)


def score_curves(evaluation: Evaluation, kind: CurveKind) -> list[Curve]:
    """The mean curve of each tracker, the highest score of the kind first."""
    curves = []
    for place, (title, score) in enumerate(ranking(evaluation)):
        rows = [getattr(one, kind.name) for one in evaluation.trackers[title].scores.values()]
        curves.append(Curve(title, place, getattr(score, kind.score), kind.thresholds, np.mean(rows, axis=0)))
    return sorted(curves, key=lambda curve: -curve.score)


def calibration_curves(evaluation: Evaluation) -> list[tuple[Curve, Calibration]]:
    """Overlap over confidence of each tracker that gives one, the best tracker first; scored by the expected error."""
    curves = []
    for place, (title, _) in enumerate(ranking(evaluation)):
        if found := tracker_calibration(evaluation.trackers[title]):
            filled = found.frames > 0
            shares = found.frames[filled] / max(1, int(found.frames.sum()))
            x, y = found.confidence[filled], found.overlap[filled]
            curves.append((Curve(title, place, found.expected_error, x, y, shares), found))
    return curves
