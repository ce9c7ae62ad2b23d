"""One page that holds a whole evaluation: no script, no link, nothing to load; open it anywhere."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

from eatrack_edge.core.boxes import Box
from eatrack_edge.core.errors import EATrackError
from eatrack_edge.core.io import write_whole
from eatrack_edge.evaluation.charts import accuracy_chart, frame_chart
from eatrack_edge.evaluation.evaluate import Evaluation
from eatrack_edge.evaluation.failure_frames import first_failure, read_frame, thumbnail
from eatrack_edge.evaluation.plots import style
from eatrack_edge.evaluation.score_tables import (
    attribute_table,
    calibration_table,
    joules_per_frame,
    latency_figures,
    overall_table,
    ranking,
)
from eatrack_edge.machine.energy import METHOD
from eatrack_edge.reporting.html import definitions, document, table

_OPEN_AT_FIRST = 3  # sequences shown unfolded

_STYLE = """
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(440px, 1fr)); gap: 12px; }
.plots svg { width: 100%; height: auto; }
.key { display: flex; flex-wrap: wrap; gap: 2px 18px; font-size: 14px; position: sticky; top: 0; background: #fff;
       padding: 8px 0; border-bottom: 1px solid #e4e4e4; }
.key i { display: inline-block; width: 22px; height: 4px; vertical-align: middle; margin-right: 6px; }
details { border-bottom: 1px solid #e4e4e4; padding: 6px 0; } summary { cursor: pointer; }
summary b { display: inline-block; min-width: 10em; }
summary span { color: #5a5a5a; margin-right: 14px; white-space: nowrap; }
figure { margin: 6px 0; display: inline-block; vertical-align: top; } figure img { display: block; max-width: 100%; }
"""


def write_page(
    evaluation: Evaluation, plots: Mapping[str, Path], conditions: Mapping[str, Any], path: Path, failure_frames: int
) -> None:
    """Write the page.

    Args:
        evaluation: What to show.
        plots: SVG files to put into the page, by name.
        conditions: Where and with what it was made.
        path: The HTML file.
        failure_frames: How many pictures of failures to put in at most; 0 for frames that must not be passed on.

    Raises:
        OutputError: It cannot be written.
    """
    colours = {title: style(place)["color"] for place, (title, _) in enumerate(ranking(evaluation))}
    title = f"Evaluation on {evaluation.title}"
    body = [
        f"<h1>{escape(title)}</h1>{_subtitle(evaluation)}{_skipped(evaluation)}",
        f"<h2>Scores</h2>{table(overall_table(evaluation))}",
        _against_latency(evaluation, conditions, colours),
        _against_energy(evaluation, colours),
        _by_attribute(evaluation),
        f'<h2>Plots</h2><div class="plots">{"".join(_inline(plots[name]) for name in plots)}</div>',
        _confidence(evaluation),
        f"<h2>Sequences</h2>{_sequences(evaluation, colours, failure_frames)}",
        f"<h2>Conditions</h2>{_conditions(evaluation, conditions)}",
    ]
    write_whole(path, document(title, body, _STYLE))


def _subtitle(evaluation: Evaluation) -> str:
    frames = sum(len(sequence) for sequence in evaluation.sequences.values())
    return (
        f'<p class="quiet">{len(evaluation.sequences)} sequences, {frames} frames, one pass each. '
        f"Scored by the protocol <b>{escape(evaluation.protocol.name)}</b>: {escape(evaluation.protocol.toolkit)}.</p>"
    )


def _skipped(evaluation: Evaluation) -> str:
    rows = [
        f"<li>{escape(title)}, {escape(name)}: {escape(reason)}</li>"
        for title, result in evaluation.trackers.items()
        for name, reason in result.skipped.items()
    ]
    if not rows:
        return ""
    return f'<div class="wrong"><b>Left out of the scores:</b><ul>{"".join(rows)}</ul></div>'


def _against_latency(evaluation: Evaluation, conditions: Mapping[str, Any], colours: Mapping[str, str]) -> str:
    camera_fps = conditions.get("camera_fps") or 0
    points = {
        title: (latency_figures(evaluation.trackers[title])["median_ms"], score.success_auc)
        for title, score in ranking(evaluation)
    }
    chart = accuracy_chart(points, colours, "median ms of an update", 1000 / camera_fps if camera_fps else 0)
    live = (
        f"A live camera of {camera_fps:g} frames a second: frames that came while an update ran were missed and have "
        "the box known when they came. The dashed line is the time between two frames."
    )
    meaning = f'<p class="quiet">{live}</p>' if camera_fps else ""
    return f"<h2>Accuracy against latency</h2>{meaning}{chart}" if chart else ""


def _against_energy(evaluation: Evaluation, colours: Mapping[str, str]) -> str:
    energy = {title: joules_per_frame(evaluation.trackers[title]) for title in colours}
    scores = dict(ranking(evaluation))
    points = {title: (cost, scores[title].success_auc) for title, cost in energy.items() if cost is not None}
    if not points:
        return ""
    others = ", ".join(title for title, cost in energy.items() if cost is None)
    meaning = f"Joules of an update: {METHOD}.{f' Not measured: {others}.' if others else ''}"
    chart = accuracy_chart(points, colours, "joules of an update")
    return f'<h2>Accuracy against energy</h2><p class="quiet">{escape(meaning)}</p>{chart}'


def _by_attribute(evaluation: Evaluation) -> str:
    if not evaluation.attributes:
        return ""
    return f"<h2>Success AUC by attribute</h2>{table(attribute_table(evaluation))}"


def _confidence(evaluation: Evaluation) -> str:
    rows = calibration_table(evaluation)
    if len(rows) == 1:
        return ""
    meaning = (
        "The calibration error is the mean distance between confidence and overlap over ten bins. A frame is lost if "
        "the box does not touch the target, or there is none; the threshold is the one of best F1."
    )
    return f'<h2>Confidence</h2><p class="quiet">{meaning}</p>{table(rows)}'


def _inline(svg: Path) -> str:
    text = svg.read_text(encoding="utf-8")
    return text[text.index("<svg") :]


def _sequences(evaluation: Evaluation, colours: Mapping[str, str], failure_frames: int) -> str:
    titles = list(colours)
    if not titles:
        return "<p>None was scored.</p>"
    key = "".join(
        f'<span><i style="background:{colour}"></i>{escape(title)}</span>' for title, colour in colours.items()
    )
    names = sorted(evaluation.sequences, key=lambda name: _mean_success(evaluation, name))
    parts = ['<p class="quiet">The hardest first. A dashed line marks where a tracker lost its target.</p>']
    parts.append(f'<div class="key">{key}<span class="quiet">white: true box</span></div>')
    for place, name in enumerate(names):
        pictures = 1 if place < failure_frames else 0
        parts.append(_sequence(evaluation, name, colours, is_open=place < _OPEN_AT_FIRST, pictures=pictures))
    return "".join(parts)


def _mean_success(evaluation: Evaluation, name: str) -> float:
    scores = [result.scores[name].success_auc for result in evaluation.trackers.values() if name in result.scores]
    return float(np.mean(scores)) if scores else 2.0


def _sequence(evaluation: Evaluation, name: str, colours: Mapping[str, str], *, is_open: bool, pictures: int) -> str:
    scores = {title: evaluation.trackers[title].scores.get(name) for title in colours}
    overlaps = {title: score.overlap for title, score in scores.items() if score}
    if not overlaps:
        return ""
    tracks = {title: evaluation.trackers[title].tracks[name] for title in overlaps}
    confidences = {t: track.confidence for t, track in tracks.items() if np.isfinite(track.confidence).any()}
    found = {title: first_failure(overlap) for title, overlap in overlaps.items()}
    failures = {title: frame for title, frame in found.items() if frame is not None}
    marks = {frame: f"{title} lost its target at frame {frame}" for title, frame in failures.items()}
    figures = "".join(f"<span>{escape(t)} {score.success_auc:.3f}</span>" for t, score in scores.items() if score)
    charts = frame_chart("overlap", overlaps, colours, marks) + frame_chart("confidence", confidences, colours, {})
    shown = "".join(_failure(evaluation, name, t, frame, colours) for t, frame in list(failures.items())[:pictures])
    summary = f"<summary><b>{escape(name)}</b>{figures}</summary>"
    return f"<details{' open' if is_open else ''}>{summary}{charts}{shown}</details>"


def _failure(evaluation: Evaluation, name: str, title: str, frame: int, colours: Mapping[str, str]) -> str:
    sequence = evaluation.sequences[name]
    try:
        picture = read_frame(sequence, frame)
    except EATrackError as error:
        return f'<p class="quiet">No picture of the failure: {escape(error.message)}</p>'
    boxes = {t: _box(r.tracks[name].boxes[frame]) for t, r in evaluation.trackers.items() if name in r.scores}
    truth = None if sequence.absent[frame] else _box(sequence.boxes[frame])
    caption = f"Frame {frame}: {escape(title)} has lost its target."
    source = thumbnail(picture, truth, boxes, colours)
    return f'<figure><img src="{source}" alt="{caption}"><figcaption>{caption}</figcaption></figure>'


def _box(row: Any) -> Box:
    x, y, w, h = (float(value) for value in row)
    return x, y, w, h


def _conditions(evaluation: Evaluation, conditions: Mapping[str, Any]) -> str:
    rows = {key: value for key, value in conditions.items() if key != "packages"}
    rows |= dict(conditions.get("packages", {}))
    for title, known in evaluation.identities.items():
        rows[title] = ", ".join(f"{key} {value}" for key, value in known.items() if value)
    return definitions(rows)
