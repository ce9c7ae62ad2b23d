"""Gathers the long-term figures of a tracker over the sequences of an evaluation; they need absent targets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from eatrack_edge.core.boxes import iou
from eatrack_edge.datasets.frame_rate import frame_rate
from eatrack_edge.datasets.sequence import Sequence
from eatrack_edge.evaluation.absences import Delays, Seen, absences, found_again, noticed
from eatrack_edge.evaluation.claims import Claims, Floats, LossReports, claims_of, loss_reports
from eatrack_edge.evaluation.evaluate import Evaluation, TrackerResult
from eatrack_edge.evaluation.false_alarms import FalseAlarms, false_alarms
from eatrack_edge.evaluation.track_store import Track
from eatrack_edge.evaluation.vot_long_term import (
    PrecisionRecall,
    Prediction,
    claimed_scores,
    precision_recall,
)


@dataclass(frozen=True, slots=True, eq=False)
class StateFigures:
    """How a tracker's states fit what happens.

    Attributes:
        claimed: Precision and recall of the frames that claim a visible target.
        silent: Delay until a target that has gone is no longer claimed.
        lost: Delay until ``LOST`` is reported.
        near, found: Delay until a target that is back is found: where it comes back near, and all.
        reports: Frame by frame.
        alarms: Claims that are wrong.
    """

    claimed: tuple[float, float]
    silent: Delays
    lost: Delays
    near: Delays
    found: Delays
    reports: LossReports
    alarms: FalseAlarms


@dataclass(frozen=True, slots=True, eq=False)
class LongTerm:
    """Long-term figures of one tracker; what it has no confidence or no states for is ``None``."""

    curve: PrecisionRecall | None
    states: StateFigures | None


def has_absences(evaluation: Evaluation) -> bool:
    """Whether the target of any sequence is ever absent."""
    return any(sequence.is_truth_known and sequence.absent.any() for sequence in evaluation.sequences.values())


def long_term(evaluation: Evaluation) -> dict[str, LongTerm]:
    """Long-term figures by the tracker's title; empty where no target is ever absent."""
    if not has_absences(evaluation):
        return {}
    rates = {name: frame_rate(sequence) for name, sequence in evaluation.sequences.items()}
    return {
        title: _figures(result, evaluation.sequences, rates)
        for title, result in evaluation.trackers.items()
        if result.scores
    }


def overlaps(sequence: Sequence, track: Track) -> Floats:
    """Overlap per frame, shape (N,), [0, 1]; ``nan`` where the target is absent by the dataset, whatever the protocol.

    Protocols disagree about a true box that begins left of the frame: OTB's calls the target absent. Here it is not.
    """
    with np.errstate(invalid="ignore"):
        found = np.nan_to_num(iou(track.boxes, sequence.boxes))
    return np.where(sequence.absent, np.nan, found).astype(np.float64)


def _figures(result: TrackerResult, sequences: Mapping[str, Sequence], rates: Mapping[str, float]) -> LongTerm:
    predictions: list[Prediction] = []
    seen: list[Seen] = []
    for name in result.scores:
        sequence, track = sequences[name], result.tracks[name]
        overlap = overlaps(sequence, track)
        claims = None if track.states is None else claims_of(track.states)
        predictions.append(Prediction(overlap, track.confidence, claims))
        if claims is not None:
            seen.append(Seen(claims, overlap, sequence.boxes, rates[name]))
    claimed = claimed_scores(predictions)
    states = _state_figures(claimed, seen) if claimed else None
    return LongTerm(precision_recall(predictions), states)


def _state_figures(claimed: tuple[float, float], seen: list[Seen]) -> StateFigures:
    found = [absence for one in seen for absence in absences(one)]
    pairs: list[tuple[Claims, Floats]] = [(one.claims, one.overlap) for one in seen]
    return StateFigures(
        claimed,
        *noticed(found),
        found_again(found, only_near=True),
        found_again(found),
        loss_reports(pairs),
        false_alarms(seen),
    )
