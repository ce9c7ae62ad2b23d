"""Computes success, precision and normalised precision of a sequence by the rules of a protocol.

Boxes are in the coordinates of the published truth, where the first pixel is usually 1, because some protocols test
the sign of ``x`` and ``y``. Checked against published scores in
``tests/evaluation/test_published.py``.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eatrack_edge.core.boxes import Boxes, iou
from eatrack_edge.core.errors import InputError
from eatrack_edge.evaluation.protocol import AbsentError, Protocol, Validity

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

OVERLAP_THRESHOLDS: Floats = np.arange(21) / 20  # 0, 0.05, ... 1; a frame succeeds strictly above
ERROR_THRESHOLDS_PX: Floats = np.arange(51).astype(np.float64)  # a frame is precise at or below
NORMALISED_THRESHOLDS: Floats = np.arange(51) / 100  # the same, in sides of the true box
_READ_AT = 20  # index of 20 px, and of 0.20


@dataclass(frozen=True, slots=True, eq=False)
class SequenceScore:
    """Score of one tracker on one sequence.

    Attributes:
        success: Share of frames whose overlap is above each threshold, shape (21,).
        precision: Share of frames whose centre error is at most 0 ... 50 px, shape (51,).
        normalised: The same for the error in sides of the true box, 0 ... 0.50, shape (51,).
        overlap: Overlap per frame, shape (N,); ``nan`` where the target is absent.
        pooled: Overlaps by GOT-10k's rule (first frame and invisible ones dropped, boxes clipped to the frame).
    """

    success: Floats
    precision: Floats
    normalised: Floats
    overlap: Floats
    pooled: Floats

    @property
    def success_auc(self) -> float:
        """Mean of the success curve, in [0, 1]."""
        return float(self.success.mean())

    @property
    def precision_20px(self) -> float:
        """Share of frames within 20 px, in [0, 1]."""
        return float(self.precision[_READ_AT])


@dataclass(frozen=True, slots=True)
class Score:
    """Unweighted mean over sequences, every figure in [0, 1]."""

    success_auc: float
    precision_20px: float
    normalised_precision: float  # at 0.20, or the mean of the curve: depends on the protocol
    success_rate_50: float  # share of frames whose overlap is above 0.5, GOT-10k's SR 0.50
    success_rate_75: float
    average_overlap: float  # GOT-10k's AO, over all frames pooled
    sequences: int


def score_sequence(
    predicted: Boxes,
    truth: Boxes,
    protocol: Protocol,
    *,
    flagged: Flags | None = None,
    frame_size: tuple[int, int] | None = None,
) -> SequenceScore:
    """Score one sequence.

    Args:
        predicted: Boxes as the tracker wrote them, shape (M, 4). Frames beyond the truth are dropped; frames it
            lacks count as failures.
        truth: True boxes as published, shape (N, 4). ``nan`` or an empty box: absent.
        protocol: Whose rules to follow.
        flagged: Frames that the dataset flags absent beside its boxes, shape (N,). ``None``: it flags none.
        frame_size: Width and height in pixels, to clip boxes for GOT-10k's pooled overlaps; ``None``: not clipped.

    Raises:
        InputError: Not (N, 4), no frame, not a flag a frame, or a prediction that the protocol refuses.
    """
    predicted, truth = _rows("predicted", predicted), _rows("true", truth)
    if flagged is not None and len(flagged) != len(truth):
        raise InputError(f"{len(flagged)} flags but {len(truth)} true boxes")
    with np.errstate(invalid="ignore"):
        predicted = _prepare(predicted, truth, protocol)
        flagged = np.zeros(len(truth), bool) if flagged is None else flagged
        present = _valid(truth, protocol.overlap_valid) & ~flagged
        overlap = _overlap(predicted, truth)
        curves = _curves(predicted, truth, overlap, flagged, protocol)
        pooled = overlap
        if frame_size is not None:
            pooled = _overlap(_clipped(predicted, frame_size), _clipped(truth, frame_size))
    return SequenceScore(*curves, np.where(present, overlap, np.nan), pooled[1:][present[1:]])


def mean_score(scores: Iterable[SequenceScore], protocol: Protocol) -> Score:
    """Score of a dataset: the mean over sequences, each counting the same.

    Raises:
        InputError: No sequence.
    """
    scores = list(scores)
    if not scores:
        raise InputError("no sequence to score")
    normalised = np.mean([score.normalised for score in scores], axis=0)
    pooled = np.concatenate([score.pooled for score in scores])
    return Score(
        success_auc=float(np.mean([score.success_auc for score in scores])),
        precision_20px=float(np.mean([score.precision_20px for score in scores])),
        normalised_precision=float(
            normalised[_READ_AT] if protocol.normalised_score == "at 0.20" else normalised.mean()
        ),
        success_rate_50=float((pooled > 0.5).mean()) if pooled.size else 0.0,
        success_rate_75=float((pooled > 0.75).mean()) if pooled.size else 0.0,
        average_overlap=float(pooled.mean()) if pooled.size else 0.0,
        sequences=len(scores),
    )


def _rows(what: str, boxes: Boxes) -> Floats:
    rows: NDArray[Any] = np.array(boxes, np.float64)
    if rows.ndim != 2 or rows.shape[1] != 4 or not len(rows):
        raise InputError(f"{what} boxes must be an array of shape (N, 4), got {rows.shape}")
    return rows


def _prepare(predicted: Floats, truth: Floats, protocol: Protocol) -> Floats:
    """Predictions as the toolkit sees them: as many as true boxes, missing rows repaired, first frame set."""
    if protocol.refuses_invalid and (np.isnan(predicted).any() or (predicted[:, 2:] < 0).any()):
        row = int(np.argmax(np.isnan(predicted).any(axis=1) | (predicted[:, 2:] < 0).any(axis=1)))
        raise InputError(f"`{protocol.name}` refuses NaN and negative sides, frame {row} is {predicted[row].tolist()}")
    predicted = predicted[: len(truth)]
    written = len(predicted)
    predicted = _repaired(predicted, truth[:written], protocol)
    if written < len(truth):
        fill = 0.0 if protocol.short_result == "zeros" else np.nan
        predicted = np.concatenate([predicted, np.full((len(truth) - written, 4), fill)])
    if protocol.first_frame == "replaced":
        predicted[0] = truth[0]
    return predicted


def _repaired(predicted: Floats, truth: Floats, protocol: Protocol) -> Floats:
    """Repeat the previous frame's box where the protocol repairs it; the first row is never repaired."""
    holes = {
        "none": np.zeros(len(predicted), bool),
        "nan": np.isnan(predicted).all(axis=1),
        "nan or empty": np.isnan(predicted).all(axis=1) | (predicted[:, 2:] <= 0).any(axis=1),
        "zero side": (predicted[:, 2:] == 0).any(axis=1),
    }[protocol.repair]
    holes = holes & ~np.isnan(truth).any(axis=1)
    # The last valid row before each, or the first row; a row copied from a hole that truth's NaN exempts stays a hole.
    source = np.maximum.accumulate(np.where(holes, 0, np.arange(len(predicted))))
    return predicted[source]


def _valid(truth: Floats, rule: Validity) -> Flags:
    if rule == "not nan":
        return np.asarray(~np.isnan(truth).any(axis=1))
    if rule == "centre>0":
        return np.asarray((_centre(truth) > 0).all(axis=1))
    return np.asarray((truth[:, 2:] > 0 if rule == "wh>0" else truth > 0).all(axis=1))


def _centre(boxes: Floats) -> Floats:
    return boxes[:, :2] + (boxes[:, 2:] - 1) / 2


def _overlap(predicted: Floats, truth: Floats) -> Floats:
    """Overlap per frame; 0 where a box is invalid, so that it fails every threshold as in every toolkit."""
    return np.clip(np.nan_to_num(iou(predicted, truth)), 0, 1)


def _clipped(boxes: Floats, frame_size: tuple[int, int]) -> Floats:
    corner = np.clip(boxes[:, :2], 0, frame_size)
    return np.concatenate([corner, np.clip(boxes[:, 2:], 0, np.asarray(frame_size) - corner)], axis=1)


def _curves(
    predicted: Floats, truth: Floats, overlap: Floats, flagged: Flags, protocol: Protocol
) -> tuple[Floats, Floats, Floats]:
    unflagged = ~flagged if protocol.is_flag_removed else np.ones(len(truth), bool)
    if protocol.is_empty_flagged:
        unflagged = unflagged & _valid(truth, "wh>0")
    present = _valid(truth, protocol.overlap_valid) & unflagged
    offset = _centre(predicted) - _centre(truth)
    error, normalised = (np.sqrt((part**2).sum(axis=1)) for part in (offset, offset / (truth[:, 2:] + 1e-16)))
    has_centre = _valid(truth, protocol.centre_valid)
    error = _with_absent(error, has_centre, unflagged, protocol.absent_centre)
    normalised = _with_absent(normalised, has_centre, unflagged, protocol.absent_normalised)
    frames = max(1, int(present.sum())) if protocol.is_absent_removed else len(truth)
    return (
        (len(truth) - _at_most(np.where(present, overlap, -1.0), OVERLAP_THRESHOLDS)) / frames,
        _at_most(error, ERROR_THRESHOLDS_PX) / frames,
        _at_most(normalised, NORMALISED_THRESHOLDS) / frames,
    )


def _at_most(values: Floats, thresholds: Floats) -> NDArray[np.int64]:
    """How many values are at or below each threshold; ``nan`` is above all."""
    return np.searchsorted(np.sort(values), thresholds, side="right").astype(np.int64)


def _with_absent(error: Floats, valid: Flags, unflagged: Flags, rule: AbsentError) -> Floats:
    error = np.where(valid, error, -1.0 if rule == "precise" else np.inf)
    return np.where(unflagged, error, np.inf)
