"""Writes the HTML page of an evaluation: scores, charts, plots, and every sequence with its tracking failures."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from eatrack_edge.core.boxes import Box
from eatrack_edge.core.errors import EATrackError
from eatrack_edge.evaluation.charts import LEFT, accuracy_chart, frame_chart
from eatrack_edge.evaluation.curve_charts import curve_charts
from eatrack_edge.evaluation.evaluate import Evaluation
from eatrack_edge.evaluation.frame_picture import frame_picture
from eatrack_edge.evaluation.frame_reading import read_frame
from eatrack_edge.evaluation.long_term import long_term
from eatrack_edge.evaluation.long_term_tables import state_table, vot_table
from eatrack_edge.evaluation.score_tables import (
    attribute_table,
    calibration_table,
    joules_per_frame,
    latency_figures,
    overall_table,
    ranking,
)
from eatrack_edge.evaluation.state_ribbon import STATE_COLOURS, state_ribbon
from eatrack_edge.evaluation.tracking_failures import failures_by_frame, frame_to_show
from eatrack_edge.machine.energy import METHOD
from eatrack_edge.reporting.colours import series_colour
from eatrack_edge.reporting.html import write_html

_OPEN_AT_FIRST = 3  # sequences shown unfolded


def write_page(evaluation: Evaluation, conditions: Mapping[str, Any], path: Path, failure_frames: int) -> None:
    """Write the page.

    Args:
        evaluation: What to show.
        conditions: Where and with what it was made.
        path: The HTML file.
        failure_frames: How many frames to put in at most, one of a sequence, of its first tracking failure where it has
            one; 0 for frames that must not be passed on.

    Raises:
        MissingExtra: Jinja2 is not installed.
        OutputError: The file cannot be written.
    """
    colours = {title: series_colour(place) for place, (title, _) in enumerate(ranking(evaluation))}
    calibration = calibration_table(evaluation)
    found = long_term(evaluation)
    values = {
        "title": f"Evaluation on {evaluation.title}",
        "sequence_count": len(evaluation.sequences),
        "frame_count": sum(len(sequence) for sequence in evaluation.sequences.values()),
        "protocol": evaluation.protocol,
        "skipped": [
            f"{title}, {name}: {reason}"
            for title, result in evaluation.trackers.items()
            for name, reason in result.skipped.items()
        ],
        "scores": overall_table(evaluation),
        **_latency(evaluation, conditions, colours),
        **_energy(evaluation, colours),
        "long_term": vot_table(found) if found else None,
        "states": state_table(found),
        "state_colours": STATE_COLOURS,
        "attributes": attribute_table(evaluation) if evaluation.attributes else None,
        "curves": curve_charts(evaluation),
        "calibration": calibration if len(calibration) > 1 else None,
        "colours_by_tracker": colours,
        "sequences": _sequences(evaluation, colours, failure_frames) if colours else [],
        "conditions": _conditions(evaluation, conditions),
    }
    write_html(path, "evaluation", values)


def _latency(evaluation: Evaluation, conditions: Mapping[str, Any], colours: Mapping[str, str]) -> dict[str, Any]:
    camera_fps = conditions.get("camera_fps") or 0
    points = {
        title: (latency_figures(evaluation.trackers[title])["median_ms"], score.success_auc)
        for title, score in ranking(evaluation)
    }
    note = (
        f"A live camera of {camera_fps:g} frames a second: frames that came while an update ran were missed and have "
        "the box known when they came. The dashed line is the time between two frames."
    )
    chart = accuracy_chart(points, colours, "median ms of an update", 1000 / camera_fps if camera_fps else 0)
    return {"latency_chart": chart, "latency_note": note if camera_fps else ""}


def _energy(evaluation: Evaluation, colours: Mapping[str, str]) -> dict[str, Any]:
    energy = {title: joules_per_frame(evaluation.trackers[title]) for title in colours}
    scores = dict(ranking(evaluation))
    points = {title: (cost, scores[title].success_auc) for title, cost in energy.items() if cost is not None}
    others = ", ".join(title for title, cost in energy.items() if cost is None)
    note = f"Joules of an update: {METHOD}.{f' Not measured: {others}.' if others else ''}"
    return {"energy_chart": accuracy_chart(points, colours, "joules of an update"), "energy_note": note}


def _sequences(evaluation: Evaluation, colours: Mapping[str, str], failure_frames: int) -> list[dict[str, Any]]:
    """What the page shows of every scored sequence, the hardest first."""
    names = sorted(evaluation.sequences, key=lambda name: _mean_success(evaluation, name))
    shown = [
        _sequence(evaluation, name, colours, is_open=place < _OPEN_AT_FIRST, has_picture=place < failure_frames)
        for place, name in enumerate(names)
    ]
    return [sequence for sequence in shown if sequence["scores"]]


def _mean_success(evaluation: Evaluation, name: str) -> float:
    scores = [result.scores[name].success_auc for result in evaluation.trackers.values() if name in result.scores]
    return float(np.mean(scores)) if scores else 2.0


def _sequence(
    evaluation: Evaluation, name: str, colours: Mapping[str, str], *, is_open: bool, has_picture: bool
) -> dict[str, Any]:
    found = {title: evaluation.trackers[title].scores.get(name) for title in colours}
    scores = {title: score for title, score in found.items() if score}
    overlaps = {title: score.overlap for title, score in scores.items()}
    tracks = {title: evaluation.trackers[title].tracks[name] for title in scores}
    confidences = {t: track.confidence for t, track in tracks.items() if np.isfinite(track.confidence).any()}
    states = {title: track.states for title, track in tracks.items() if track.states is not None}
    picture = frame_to_show(overlaps) if has_picture else None
    return {
        "name": name,
        "is_open": is_open,
        "scores": [f"{title} {score.success_auc:.3f}" for title, score in scores.items()],
        "overlap": frame_chart("overlap", overlaps, colours, failures_by_frame(overlaps)),
        "ribbon": state_ribbon(states, evaluation.sequences[name].absent, colours, LEFT),
        "confidence": frame_chart("confidence", confidences, colours, {}),
        "picture": _picture(evaluation, name, *picture, colours) if picture else None,
    }


def _picture(evaluation: Evaluation, name: str, frame: int, caption: str, colours: Mapping[str, str]) -> dict[str, str]:
    """A frame with all boxes on it, and its caption; without an image where it cannot be read."""
    sequence = evaluation.sequences[name]
    try:
        pixels = read_frame(sequence, frame)
    except EATrackError as error:
        return {"image": "", "caption": f"{caption} It cannot be shown: {error.message}"}
    boxes = {t: _box(r.tracks[name].boxes[frame]) for t, r in evaluation.trackers.items() if name in r.scores}
    truth = None if sequence.absent[frame] else _box(sequence.boxes[frame])
    return {"image": frame_picture(pixels, truth, boxes, colours), "caption": caption}


def _box(row: Any) -> Box:
    x, y, w, h = (float(value) for value in row)
    return x, y, w, h


def _conditions(evaluation: Evaluation, conditions: Mapping[str, Any]) -> dict[str, Any]:
    rows = {key: value for key, value in conditions.items() if key != "packages"}
    rows |= dict(conditions.get("packages", {}))
    reused = {title: result.reused for title, result in evaluation.trackers.items() if result.reused}
    if reused:
        rows["reused from an earlier run"] = ", ".join(f"{title}: {count}" for title, count in reused.items())
    for title, known in evaluation.identities.items():
        rows[title] = ", ".join(f"{key} {value}" for key, value in known.items() if value)
    return {key: value for key, value in rows.items() if value not in (None, "")}
