"""Precision, recall and F-score over thresholds of the confidence, as VOT-LT defines them.

A frame counts as predicted where the confidence is at or above a threshold. Precision is the mean overlap of the
predicted frames, recall the sum of their overlaps over the frames with a target; where there is no target the overlap
is 0. Both are averaged over sequences at each threshold, and the tracker's F-score is the highest of
``2 precision recall / (precision + recall)``. Source: Lukezic et al., "Now you see me: evaluating performance in
long-term visual tracking", 2018, section 3; details that the paper leaves open are as in VOT's toolkit:

- Thresholds are 100: infinite ones at both ends, and between them equally spaced ranks of the confidences of all
  sequences, so that trackers with unlike scales can be compared.
- Where no frame is predicted, precision is 1 and recall 0.
- The first frame has a target and no prediction: it is in the denominator of the recall.

Two things differ: a frame in which the tracker reports ``LOST`` has no box, so it is never predicted; and boxes are not
cut at the frame's border, as in the other figures here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from eatrack_edge.evaluation.claims import Claims

Floats = NDArray[np.float64]

RESOLUTION = 100  # thresholds, the infinite ones included


class Prediction(NamedTuple):
    """One sequence of a tracker.

    Attributes:
        overlap: With the true box, shape (N,), [0, 1]; ``nan`` where there is no target.
        confidence: Shape (N,); ``nan`` where there is none.
        claims: What the tracker claims in each frame; ``None`` if it has no states.
    """

    overlap: Floats
    confidence: Floats
    claims: Claims | None = None

    @property
    def certainty(self) -> Floats:
        """The confidence, ``nan`` where no box is predicted."""
        return self.confidence if self.claims is None else np.where(self.claims.absent, np.nan, self.confidence)


@dataclass(frozen=True, slots=True, eq=False)
class PrecisionRecall:
    """Precision and recall of a tracker over thresholds, means over sequences.

    Attributes:
        thresholds: Falling, shape (T,), infinite at both ends.
        precision, recall: Shape (T,), [0, 1].
    """

    thresholds: Floats
    precision: Floats
    recall: Floats

    @property
    def f_score(self) -> Floats:
        """F-score at each threshold, shape (T,), [0, 1]."""
        return f_scores(self.precision, self.recall)

    @property
    def best(self) -> int:
        """Index of the threshold with the highest F-score; the highest such threshold."""
        return int(np.argmax(self.f_score))


def f_scores(precision: Floats, recall: Floats) -> Floats:
    """Harmonic means; 0 where both are 0.

    >>> f_scores(np.array([1.0, 0.5]), np.array([0.0, 1.0])).round(3).tolist()
    [0.0, 0.667]
    """
    total = precision + recall
    return np.asarray(2 * precision * recall / np.where(total > 0, total, 1.0))


def precision_recall(predictions: Iterable[Prediction]) -> PrecisionRecall | None:
    """Precision and recall of a tracker; ``None`` where it gives no confidence."""
    chosen = list(predictions)
    thresholds = choose_thresholds([one.certainty for one in chosen])
    if len(thresholds) == 2:
        return None
    curves = [_curves(one, thresholds) for one in chosen]
    precision, recall = np.mean(curves, axis=0)
    return PrecisionRecall(thresholds, precision, recall)


def choose_thresholds(certainties: Sequence[Floats], resolution: int = RESOLUTION) -> Floats:
    """Thresholds by rank over all sequences, falling, with the infinite ones.

    Args:
        certainties: Confidences by sequence, ``nan`` where there is none.
        resolution: How many at most.

    >>> choose_thresholds([np.array([0.2, np.nan]), np.array([0.9])]).tolist()
    [inf, 0.9, 0.2, -inf]
    """
    values = np.concatenate([np.empty(0), *certainties])
    values = np.sort(values[~np.isnan(values)])[::-1]
    inner = resolution - 2
    if len(values) > inner:
        step = len(values) // inner
        ranks = np.round(np.linspace(step, len(values) - step, inner)).astype(int)
        values = values[ranks]
    return np.concatenate([[np.inf], values, [-np.inf]])


def _curves(one: Prediction, thresholds: Floats) -> tuple[Floats, Floats]:
    """Precision and recall of a sequence at each threshold."""
    known = ~np.isnan(one.certainty)
    order = np.argsort(-one.certainty[known], kind="stable")
    falling, gained = one.certainty[known][order], np.nan_to_num(one.overlap[known][order])
    predicted = np.searchsorted(-falling, -thresholds, side="right")  # frames at or above each threshold
    total = np.concatenate([[0.0], np.cumsum(gained)])[predicted]
    precision = np.where(predicted > 0, total / np.maximum(predicted, 1), 1.0)
    visible = int(np.isfinite(one.overlap).sum())
    return precision, np.where(predicted > 0, total / max(visible, 1), 0.0)


def claimed_scores(predictions: Iterable[Prediction]) -> tuple[float, float] | None:
    """Precision and recall where the frames that claim a visible target are the predicted ones; needs states."""
    found = []
    for one in predictions:
        if one.claims is None:
            return None
        gained = np.nan_to_num(one.overlap[one.claims.visible])
        visible = int(np.isfinite(one.overlap).sum())
        found.append((gained.mean() if len(gained) else 1.0, gained.sum() / max(visible, 1)))
    if not found:
        return None
    precision, recall = np.mean(found, axis=0).tolist()
    return precision, recall
