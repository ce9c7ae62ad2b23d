"""Calibration of the confidence: how well it predicts the overlap, and below which threshold the target is lost."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eatrack_edge.evaluation.metrics import SequenceScore
from eatrack_edge.evaluation.track_store import Track

Floats = NDArray[np.float64]

BINS = 10  # of equal width over [0, 1]


@dataclass(frozen=True, slots=True, eq=False)
class Calibration:
    """Confidence against overlap, over all frames except the first of each sequence.

    Attributes:
        confidence: Mean confidence per bin, shape (10,); ``nan`` where the bin is empty.
        overlap: Mean overlap per bin, shape (10,).
        frames: Frames with a target per bin, shape (10,).
        expected_error: Mean of |confidence - overlap| over the bins, weighted by frames: the expected calibration
            error, with overlap in place of accuracy.
        lost_below: Confidence below which the target is classified as lost, by best F1; ``nan`` if it was never lost.
        lost_precision: Share of the frames classified as lost that were lost, in [0, 1].
        lost_recall: Share of the lost frames that were classified as lost, in [0, 1].
        lost_frames: Frames without overlap, or without a target.
    """

    confidence: Floats
    overlap: Floats
    frames: NDArray[np.int64]
    expected_error: float
    lost_below: float
    lost_precision: float
    lost_recall: float
    lost_frames: int


def calibrate(tracks: Iterable[tuple[Track, SequenceScore]]) -> Calibration | None:
    """Compare confidences with overlaps; ``None`` where the tracker gives no confidence."""
    pairs = [(track.confidence[1:], score.overlap[1:]) for track, score in tracks]
    if not pairs:
        return None
    confidence, overlap = (np.concatenate([pair[part] for pair in pairs]) for part in (0, 1))
    known = np.isfinite(confidence)
    if not known.any():
        return None
    confidence, overlap = confidence[known], overlap[known]
    has_target = np.isfinite(overlap)
    mean_confidence, mean_overlap, frames = _by_bin(confidence[has_target], overlap[has_target])
    filled = frames > 0
    error = (np.abs(mean_confidence - mean_overlap)[filled] * frames[filled]).sum() / max(1, frames.sum())
    is_lost = np.nan_to_num(overlap) == 0
    threshold, precision, recall = _best_threshold(confidence, is_lost)
    return Calibration(
        mean_confidence, mean_overlap, frames, float(error), threshold, precision, recall, int(is_lost.sum())
    )


def _by_bin(confidence: Floats, overlap: Floats) -> tuple[Floats, Floats, NDArray[np.int64]]:
    place = np.clip((confidence * BINS).astype(int), 0, BINS - 1)
    frames = np.bincount(place, minlength=BINS).astype(np.int64)
    with np.errstate(invalid="ignore"):
        means = [np.bincount(place, weights=values, minlength=BINS) / frames for values in (confidence, overlap)]
    return means[0], means[1], frames


def _best_threshold(confidence: Floats, is_lost: NDArray[np.bool_]) -> tuple[float, float, float]:
    """Threshold of the confidence with the highest F1 for "lost", and its precision and recall."""
    lost = int(is_lost.sum())
    if not lost:
        return float("nan"), float("nan"), float("nan")
    order = np.argsort(confidence, kind="stable")
    values, hits = confidence[order], np.cumsum(is_lost[order])
    # A threshold can only fall between two different confidences.
    last_of_value = np.append(values[1:] > values[:-1], True)
    classified = np.arange(1, len(values) + 1)[last_of_value]
    correct = hits[last_of_value]
    best = int(np.argmax(2 * correct / (classified + lost)))
    upper = values[classified[best]] if classified[best] < len(values) else values[-1] + 1e-6
    threshold = float((values[classified[best] - 1] + upper) / 2)
    return threshold, float(correct[best] / classified[best]), float(correct[best] / lost)
