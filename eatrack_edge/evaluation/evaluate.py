"""Runs and scores an evaluation: every tracker on every sequence, skipping what an earlier run finished."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import cv2

from eatrack_edge.core.errors import InputError
from eatrack_edge.core.io import sha256
from eatrack_edge.core.resources import DEFAULT_MODEL
from eatrack_edge.datasets.sequence import Dataset, Sequence
from eatrack_edge.evaluation.baselines.registry import BASELINES, weight_files
from eatrack_edge.evaluation.metrics import Score, SequenceScore, mean_score, score_sequence
from eatrack_edge.evaluation.protocol import Protocol
from eatrack_edge.evaluation.result_files import published_boxes, write_result
from eatrack_edge.evaluation.runner import FrameCount, Job, Outcome, run_jobs
from eatrack_edge.evaluation.track_store import Track, TrackStore
from eatrack_edge.evaluation.trackers import FIXED, OURS, TrackerSpec, open_tracker

# Runs jobs and reports the frames done so far: in local processes, or on a cluster.
Run = Callable[[list[Job], FrameCount], Iterator[Outcome]]


@dataclass(frozen=True, slots=True)
class Plan:
    """What to evaluate.

    Attributes:
        dataset: Its sequences.
        trackers: To run on every sequence.
        protocol: How to score.
        output: Folder of tracks and results; an interrupted run resumes from it.
        formats: Toolkits to write result files for.
        title: Name of the data for reports; empty takes the kind of dataset.
    """

    dataset: Dataset
    trackers: tuple[TrackerSpec, ...]
    protocol: Protocol
    output: Path
    formats: tuple[str, ...] = ("otb",)
    title: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class TrackerResult:
    """One tracker's tracks and scores by sequence, and the reasons for the sequences left out."""

    tracks: Mapping[str, Track]
    scores: Mapping[str, SequenceScore]
    skipped: Mapping[str, str]

    def score(self, protocol: Protocol, names: Iterable[str] | None = None) -> Score | None:
        """Mean over the sequences, or over those of ``names``; ``None`` where none was scored."""
        chosen = [score for name, score in self.scores.items() if names is None or name in set(names)]
        return mean_score(chosen, protocol) if chosen else None


@dataclass(frozen=True, slots=True, eq=False)
class Evaluation:
    """The results of an evaluation.

    Attributes:
        dataset: Kind of dataset.
        title: Name of the data for reports.
        protocol: How it was scored.
        sequences: Sequences that could be read, by name.
        trackers: Results by the tracker's title.
        identities: What each tracker's results depend on: name, model and checksums of its weights.
    """

    dataset: str
    title: str
    protocol: Protocol
    sequences: Mapping[str, Sequence]
    trackers: Mapping[str, TrackerResult]
    identities: Mapping[str, Mapping[str, str]]

    @property
    def attributes(self) -> list[str]:
        """Attributes that any sequence has, in order of name."""
        return sorted({attribute for sequence in self.sequences.values() for attribute in sequence.attributes})

    def with_attribute(self, attribute: str) -> list[str]:
        """Names of the sequences with an attribute."""
        return [name for name, sequence in self.sequences.items() if attribute in sequence.attributes]


def evaluate(plan: Plan, run: Run | None = None, on_frames: FrameCount = lambda _: None) -> Evaluation:
    """Run and score every tracker on every sequence; finished sequences are not run again.

    Args:
        plan: What to evaluate.
        run: Runs the jobs; ``None``: in this process.
        on_frames: Called with the number of frames done so far in this run.

    Raises:
        InputError: No sequence can be read, or the weights of a tracker are missing.
        UsageError: The output folder holds results of another model.
        OutputError: The output folder cannot be written.
    """
    sequences, unreadable = readable_sequences(plan.dataset)
    identities = {spec.title: identity(spec) | {"dataset": plan.dataset.kind} for spec in plan.trackers}
    stores = {spec.title: TrackStore(plan.output, spec.title) for spec in plan.trackers}
    for title, store in stores.items():
        store.check_identity(identities[title])
    reasons: dict[str, dict[str, str]] = {spec.title: dict(unreadable) for spec in plan.trackers}
    for outcome in (run or _run_locally)(unfinished(plan, sequences), on_frames):
        title, name = outcome.job.spec.title, outcome.job.sequence.name
        if outcome.track is None:
            reasons[title][name] = outcome.reason
        else:
            stores[title].write(name, outcome.track)
    results = {title: _result(plan, title, store, sequences, reasons[title]) for title, store in stores.items()}
    return Evaluation(plan.dataset.kind, plan.title or plan.dataset.kind, plan.protocol, sequences, results, identities)


def readable_sequences(dataset: Dataset) -> tuple[dict[str, Sequence], dict[str, str]]:
    """Sequences by name, and why the others cannot be read.

    Raises:
        InputError: None can be read.
    """
    found = {name: _sequence_or_reason(dataset, name) for name in dataset.names}
    sequences = {name: value for name, value in found.items() if isinstance(value, Sequence)}
    unreadable = {name: value for name, value in found.items() if isinstance(value, str)}
    if not sequences:
        raise InputError(f"none of {len(unreadable)} sequences can be read: {next(iter(unreadable.values()))}")
    return sequences, unreadable


def _sequence_or_reason(dataset: Dataset, name: str) -> Sequence | str:
    try:
        return dataset.read(name)
    except InputError as error:
        return error.message


def unfinished(plan: Plan, sequences: Mapping[str, Sequence]) -> list[Job]:
    """Jobs without a track in the output folder; the longest first, so that all workers end at about the same time."""
    jobs = [
        Job(spec, sequence)
        for spec in plan.trackers
        for name, sequence in sequences.items()
        if not TrackStore(plan.output, spec.title).has(name, len(sequence))
    ]
    return sorted(jobs, key=lambda job: -len(job.sequence))


def identity(spec: TrackerSpec) -> dict[str, str]:
    """What a tracker's results depend on. Opens the tracker, so that one that cannot run fails at once.

    Raises:
        UsageError: No such tracker or model.
        InputError: Its weights are missing.
        MissingExtra: It needs a package that is not installed.
    """
    from eatrack_edge.tracking.tracker import Tracker

    opened = open_tracker(spec)
    known = {"tracker": spec.name}
    if isinstance(opened, Tracker):
        # The default depends on what is installed, and an INT8 engine's boxes differ from those of a float32 graph.
        known["backend"] = opened.backend.name
    if spec.camera_fps:
        known["camera_fps"] = f"{spec.camera_fps:g}"
    if spec.name in BASELINES and BASELINES.get(spec.name).package == "opencv":
        known["opencv"] = cv2.__version__
    for path in _weights(spec):
        known[path.name] = sha256(path)
    return known


def _weights(spec: TrackerSpec) -> tuple[Path, ...]:
    """Files that a tracker's results depend on; none are known for a user's own tracker."""
    if spec.name in (OURS, FIXED):
        from eatrack_edge.inference.model_files import find_graphs

        return find_graphs(spec.model or DEFAULT_MODEL)
    return tuple(weight_files(spec.name, Path(spec.baselines))) if spec.name in BASELINES else ()


def _run_locally(jobs: list[Job], on_frames: FrameCount) -> Iterator[Outcome]:
    return run_jobs(jobs, 1, on_frames)


def _result(
    plan: Plan, title: str, store: TrackStore, sequences: Mapping[str, Sequence], reasons: dict[str, str]
) -> TrackerResult:
    tracks: dict[str, Track] = {}
    scores: dict[str, SequenceScore] = {}
    for name, sequence in sequences.items():
        if name in reasons:
            continue
        try:
            tracks[name] = track = store.read(name)
            for layout in plan.formats:
                write_result(plan.output / "results" / layout, layout, title, sequence, track)
            if sequence.is_truth_known:
                scores[name] = _scored(sequence, track, plan.protocol)
        except InputError as error:
            reasons[name] = error.message
    return TrackerResult(tracks, scores, reasons)


def _scored(sequence: Sequence, track: Track, protocol: Protocol) -> SequenceScore:
    boxes = published_boxes(sequence, track)
    return score_sequence(boxes, sequence.truth, protocol, flagged=sequence.flagged, frame_size=sequence.frame_size)
