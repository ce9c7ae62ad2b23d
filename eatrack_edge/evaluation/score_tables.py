"""Scores of an evaluation as values for JSON and as rows of text for tables."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from eatrack_edge.evaluation.confidence_calibration import Calibration, calibrate
from eatrack_edge.evaluation.evaluate import Evaluation, TrackerResult
from eatrack_edge.evaluation.long_term import long_term
from eatrack_edge.evaluation.long_term_tables import long_term_summary
from eatrack_edge.evaluation.metrics import Score, SequenceScore
from eatrack_edge.evaluation.protocol import Protocol
from eatrack_edge.evaluation.score_folder import FolderScore
from eatrack_edge.machine.energy import METHOD

COLUMNS = ("success_auc", "precision_20px", "normalised_precision", "success_rate_50", "average_overlap")
SHARED, SHARED_MEANS = "*", "not measured: other runs shared the machine"
_HEADINGS = ("success AUC", "prec. 20 px", "norm. prec.", "SR 0.50", "AO")


def folder_summary(scored: FolderScore, protocol: Protocol) -> dict[str, Any]:
    """Scores of a folder of result files, ready for JSON."""
    return {
        **asdict(scored.score),
        "protocol": protocol.name,
        "toolkit": protocol.toolkit,
        "skipped": dict(scored.skipped),
        "length_mismatches": {name: list(lengths) for name, lengths in scored.mismatched.items()},
        "per_sequence": {name: _sequence_figures(score) for name, score in scored.sequences.items()},
    }


def evaluation_summary(evaluation: Evaluation, conditions: Mapping[str, Any]) -> dict[str, Any]:
    """Scores of an evaluation, ready for JSON. ``nan`` becomes null."""
    found = long_term(evaluation)
    trackers = {title: _tracker_figures(evaluation, title) for title in evaluation.trackers}
    for title, figures in found.items():
        trackers[title]["long_term"] = long_term_summary(figures)
    return {
        "dataset": evaluation.dataset,
        "title": evaluation.title,
        "sequences": len(evaluation.sequences),
        "frames": sum(len(sequence) for sequence in evaluation.sequences.values()),
        "protocol": evaluation.protocol.name,
        "toolkit": evaluation.protocol.toolkit,
        "conditions": dict(conditions),
        "trackers": trackers,
    }


def ranking(evaluation: Evaluation, names: Iterable[str] | None = None) -> list[tuple[str, Score]]:
    """Trackers by success AUC, best first, over all sequences or those of ``names``."""
    chosen = None if names is None else list(names)
    scores = [(title, result.score(evaluation.protocol, chosen)) for title, result in evaluation.trackers.items()]
    return sorted(((title, score) for title, score in scores if score), key=lambda row: -row[1].success_auc)


def overall_table(evaluation: Evaluation) -> list[list[str]]:
    """Rows of text, the first of headings: scores and latency of every tracker."""
    missed = {title: missed_share(result) for title, result in evaluation.trackers.items()}
    energy = {title: joules_per_frame(result) for title, result in evaluation.trackers.items()}
    shared = {title for title, result in evaluation.trackers.items() if not is_measured(result)}
    is_live, is_metered = any(missed.values()), any(value is not None for value in energy.values())
    more = [*(["missed"] if is_live else []), *(["J / frame"] if is_metered else [])]
    note = f" ({SHARED} {SHARED_MEANS})" if shared else ""
    rows = [["tracker", *_HEADINGS, "median ms", "p95 ms", f"fps{note}", *more, "sequences"]]
    for title, score in ranking(evaluation):
        latency = latency_figures(evaluation.trackers[title])
        figures = [f"{getattr(score, column):.3f}" for column in COLUMNS]
        speed = [f"{latency[key]:.1f}{SHARED if title in shared else ''}" for key in ("median_ms", "p95_ms", "fps")]
        rest = [f"{missed[title]:.0%}"] if is_live else []
        rest += ["-" if energy[title] is None else f"{energy[title]:.4f}"] if is_metered else []
        rows.append([title, *figures, *speed, *rest, str(score.sequences)])
    return rows


def attribute_table(evaluation: Evaluation) -> list[list[str]]:
    """Rows of text, the first of headings: success AUC of every tracker on the sequences with each attribute."""
    order = [title for title, _ in ranking(evaluation)]
    rows = [["attribute", "sequences", *order]]
    for attribute in evaluation.attributes:
        names = evaluation.with_attribute(attribute)
        scores = dict(ranking(evaluation, names))
        cells = [f"{scores[title].success_auc:.3f}" if title in scores else "-" for title in order]
        rows.append([attribute, str(len(names)), *cells])
    return rows


def calibration_table(evaluation: Evaluation) -> list[list[str]]:
    """Rows of text, the first of headings: calibration of every tracker that has a confidence."""
    rows = [["tracker", "calibration error", "lost below", "precision", "recall", "lost frames"]]
    for title, _ in ranking(evaluation):
        found = tracker_calibration(evaluation.trackers[title])
        if found:
            figures = (found.lost_below, found.lost_precision, found.lost_recall)
            cells = ["-" if math.isnan(value) else f"{value:.3f}" for value in figures]
            rows.append([title, f"{found.expected_error:.3f}", *cells, str(found.lost_frames)])
    return rows


def latency_figures(result: TrackerResult) -> dict[str, float]:
    """Median and 95th percentile over all updates in ms, and fps as the toolkits report it.

    ``fps`` is the mean over sequences of the mean of 1 / time; a few fast frames weigh more in it than in the median.
    """
    if not result.tracks:
        return {"median_ms": math.nan, "p95_ms": math.nan, "fps": math.nan}
    latency = np.concatenate([track.latency_ms for track in result.tracks.values()])
    rates = [track.frames_per_second for track in result.tracks.values()]
    median, p95 = (float(np.percentile(latency, q)) for q in (50, 95)) if latency.size else (math.nan, math.nan)
    return {"median_ms": median, "p95_ms": p95, "fps": float(np.mean(rates))}


def is_measured(result: TrackerResult) -> bool:
    """Whether the latencies are a measurement: every track of it, of this run or an earlier one, was made alone."""
    return all(track.is_alone for track in result.tracks.values())


def missed_share(result: TrackerResult) -> float:
    """Mean over sequences of the share of frames missed with a live camera; 0 without one."""
    return float(np.mean([track.missed_share for track in result.tracks.values()])) if result.tracks else 0.0


def joules_per_frame(result: TrackerResult) -> float | None:
    """Joules of an update above idle, over all sequences; ``None`` where any of them was not measured."""
    updates = sum(len(track.latency_ms) for track in result.tracks.values())
    total = sum(track.joules for track in result.tracks.values())
    return total / updates if updates and math.isfinite(total) else None


def tracker_calibration(result: TrackerResult) -> Calibration | None:
    """A tracker's calibration over all scored sequences; ``None`` where it gives no confidence."""
    return calibrate((result.tracks[name], score) for name, score in result.scores.items())


def _tracker_figures(evaluation: Evaluation, title: str) -> dict[str, Any]:
    result = evaluation.trackers[title]
    score = result.score(evaluation.protocol)
    calibration, energy = tracker_calibration(result), joules_per_frame(result)
    by_attribute = {
        name: result.score(evaluation.protocol, evaluation.with_attribute(name)) for name in evaluation.attributes
    }
    return {
        **(asdict(score) if score else {}),
        "latency": {**_plain(latency_figures(result)), "is_measurement": is_measured(result)},
        "missed_share": round(missed_share(result), 6),
        "energy": None if energy is None else {"j_per_frame": round(energy, 6), "method": METHOD},
        "calibration": _calibration_figures(calibration) if calibration else None,
        "attributes": {name: asdict(found) for name, found in by_attribute.items() if found},
        "identity": dict(evaluation.identities[title]),
        "reused": result.reused,
        "skipped": dict(result.skipped),
        "per_sequence": {name: _sequence_figures(found) for name, found in result.scores.items()},
    }


def _calibration_figures(calibration: Calibration) -> dict[str, Any]:
    keys = ("expected_error", "lost_below", "lost_precision", "lost_recall", "lost_frames")
    return _plain({key: getattr(calibration, key) for key in keys})


def _sequence_figures(score: SequenceScore) -> dict[str, float]:
    return {
        "success_auc": round(score.success_auc, 6),
        "precision_20px": round(score.precision_20px, 6),
        "frames": len(score.overlap),
    }


def _plain(figures: Mapping[str, float]) -> dict[str, float | None]:
    return {key: None if math.isnan(value) else round(value, 6) for key, value in figures.items()}
