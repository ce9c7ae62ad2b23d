"""Runs and scores an evaluation: every tracker on every sequence, skipping what an earlier run finished."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from eatrack_edge.core.errors import InputError
from eatrack_edge.core.reasons import reason_of
from eatrack_edge.datasets.sequence import Dataset, Sequence
from eatrack_edge.evaluation.identity import sequence_identity, tracker_identity
from eatrack_edge.evaluation.metrics import Score, SequenceScore, mean_score, score_sequence
from eatrack_edge.evaluation.protocol import Protocol
from eatrack_edge.evaluation.result_files import published_boxes, write_result
from eatrack_edge.evaluation.runner import FrameCount, Job, Outcome, run_jobs
from eatrack_edge.evaluation.track_store import Track, TrackStore
from eatrack_edge.evaluation.trackers import TrackerSpec

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
    """One tracker's tracks and scores by sequence, and the reasons for the sequences left out.

    Of the tracks, ``reused`` are from an earlier run.
    """

    tracks: Mapping[str, Track]
    scores: Mapping[str, SequenceScore]
    skipped: Mapping[str, str]
    reused: int = 0

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


@dataclass(frozen=True, slots=True, eq=False)
class Work:
    """What an evaluation has to run, and what it reuses from an earlier run.

    Attributes:
        sequences: Those that can be read, by name.
        unreadable: The reason for the others, by name.
        trackers: What each tracker's results depend on, by the tracker's title.
        inputs: What a track depends on in its sequence, by name.
        jobs: To run; the longest first, so that all workers end at about the same time.
        reused: Number of tracks reused, by the tracker's title.
        changed: Of each stored track that is run again, the parts of its identity that changed.
    """

    sequences: Mapping[str, Sequence]
    unreadable: Mapping[str, str]
    trackers: Mapping[str, Mapping[str, str]]
    inputs: Mapping[str, Mapping[str, str]]
    jobs: list[Job] = field(default_factory=list)
    reused: dict[str, int] = field(default_factory=dict)
    changed: list[list[str]] = field(default_factory=list)

    def identity(self, title: str, name: str) -> dict[str, str]:
        """Everything that a tracker's track of a sequence depends on."""
        return {**self.trackers[title], **self.inputs[name]}


def prepare(plan: Plan) -> Work:
    """Find out what an evaluation has to run, and which stored tracks it reuses.

    Raises:
        InputError: No sequence can be read, or the weights of a tracker are missing.
        UsageError: No such tracker or model.
    """
    sequences, unreadable = readable_sequences(plan.dataset)
    trackers = {spec.title: tracker_identity(spec) | {"dataset": plan.dataset.kind} for spec in plan.trackers}
    inputs = {name: sequence_identity(sequence) for name, sequence in sequences.items()}
    work = Work(sequences, unreadable, trackers, inputs)
    for spec in plan.trackers:
        store = TrackStore(plan.output, spec.title)
        wanted = {name: work.identity(spec.title, name) for name in sequences}
        missing = [name for name in sequences if not store.has(name, len(sequences[name]), wanted[name])]
        work.reused[spec.title] = len(sequences) - len(missing)
        work.jobs.extend(Job(spec, sequences[name]) for name in missing)
        work.changed.extend(parts for name in missing if (parts := store.changed(name, wanted[name])))
    work.jobs.sort(key=lambda job: -len(job.sequence))
    return work


def evaluate(
    plan: Plan, run: Run | None = None, on_frames: FrameCount = lambda _: None, work: Work | None = None
) -> Evaluation:
    """Run and score every tracker on every sequence; finished sequences are not run again.

    Args:
        plan: What to evaluate.
        run: Runs the jobs; ``None``: in this process.
        on_frames: Called with the number of frames done so far in this run.
        work: From ``prepare``, which is called where it is ``None``.

    Raises:
        InputError: No sequence can be read, or the weights of a tracker are missing.
        OutputError: The output folder cannot be written.
    """
    work = work or prepare(plan)
    stores = {spec.title: TrackStore(plan.output, spec.title) for spec in plan.trackers}
    reasons: dict[str, dict[str, str]] = {spec.title: dict(work.unreadable) for spec in plan.trackers}
    for job in work.jobs:  # a job that leaves no outcome must not be scored by an older track
        reasons[job.spec.title][job.sequence.name] = "the run ended without a result"
    outcomes = (run or _run_locally)(work.jobs, on_frames)
    try:
        for outcome in outcomes:
            title, name = outcome.job.spec.title, outcome.job.sequence.name
            if outcome.track is None:
                reasons[title][name] = outcome.reason
            else:
                stores[title].write(name, outcome.track, work.identity(title, name))
                del reasons[title][name]
    finally:  # an interrupted run ends its workers here, not when its generator is collected
        getattr(outcomes, "close", lambda: None)()
    results = {title: _result(plan, title, store, work, reasons[title]) for title, store in stores.items()}
    title = plan.title or plan.dataset.kind
    return Evaluation(plan.dataset.kind, title, plan.protocol, work.sequences, results, work.trackers)


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
    except OSError as error:  # a folder that may not be listed, say
        return f"{dataset.kind}/{name}: cannot be read: {reason_of(error)}"


def _run_locally(jobs: list[Job], on_frames: FrameCount) -> Iterator[Outcome]:
    return run_jobs(jobs, 1, on_frames)


def _result(plan: Plan, title: str, store: TrackStore, work: Work, reasons: dict[str, str]) -> TrackerResult:
    tracks: dict[str, Track] = {}
    scores: dict[str, SequenceScore] = {}
    for name, sequence in work.sequences.items():
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
    return TrackerResult(tracks, scores, reasons, work.reused[title])


def _scored(sequence: Sequence, track: Track, protocol: Protocol) -> SequenceScore:
    boxes = published_boxes(sequence, track)
    return score_sequence(boxes, sequence.truth, protocol, flagged=sequence.flagged, frame_size=sequence.frame_size)
