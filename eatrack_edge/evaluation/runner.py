"""Runs trackers over sequences, in this process or in worker processes, one sequence at a time each."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from time import perf_counter

import cv2
import numpy as np

from eatrack_edge.core.boxes import looks_like_corners, part_in_frame
from eatrack_edge.core.crops import Frame
from eatrack_edge.core.errors import EATrackError, InputError
from eatrack_edge.core.frames import frame_size
from eatrack_edge.datasets.sequence import Sequence
from eatrack_edge.evaluation.frame_reading import open_frames, resized
from eatrack_edge.evaluation.kept_trackers import close_kept_trackers, kept_tracker
from eatrack_edge.evaluation.metered_run import run_metered
from eatrack_edge.evaluation.realtime import track_live
from eatrack_edge.evaluation.track_store import Track
from eatrack_edge.evaluation.tracker_protocol import SingleObjectTracker, state_of
from eatrack_edge.evaluation.trackers import TrackerSpec
from eatrack_edge.evaluation.worker_pool import frame_counts, run_in_pool
from eatrack_edge.machine.energy import idle_watts

# Below this share of their area inside the frame, true boxes that all fit as corners are taken for corners.
_INSIDE_SHARE = 0.8


@dataclass(frozen=True, slots=True)
class Job:
    """One tracker on one sequence."""

    spec: TrackerSpec
    sequence: Sequence


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result of a job: a track, or the reason why there is none."""

    job: Job
    track: Track | None
    reason: str = ""


# Called with the number of frames done in all jobs together.
FrameCount = Callable[[int], None]


def run_sequence(
    tracker: SingleObjectTracker,
    sequence: Sequence,
    on_frame: Callable[[], None] = lambda: None,
    camera_fps: float = 0.0,
) -> Track:
    """Run a tracker over a sequence once, from its initial box.

    Args:
        tracker: The tracker; ``init`` resets it.
        sequence: Frames and the first box.
        on_frame: Called after every frame.
        camera_fps: Rate of a simulated live camera, see ``track_live``; 0 tracks every frame.

    Raises:
        InputError: The number of frames is not that of the true boxes.
        EATrackError: Whatever the frames or the tracker raise.
    """
    scales: list[tuple[float, float]] = []
    with open_frames(sequence) as source_frames:
        frames = _to_first_size(_checked(source_frames, sequence), scales)
        if camera_fps:
            track = track_live(tracker, frames, sequence.first_box, camera_fps, on_frame)
            _check_length(sequence, len(track.boxes))
        else:
            track = _track_every_frame(tracker, frames, sequence, on_frame)
    return _to_own_size(track, scales)


def _track_every_frame(
    tracker: SingleObjectTracker, source_frames: Iterator[Frame], sequence: Sequence, on_frame: Callable[[], None]
) -> Track:
    frames = len(sequence)
    boxes, confidence, seconds = np.full((frames, 4), np.nan), np.full(frames, np.nan), np.zeros(frames)
    states = [""] * frames
    read = 0
    for read, frame in enumerate(source_frames, start=1):
        if read > frames:
            read += _count(source_frames)
            break
        start = perf_counter()
        if read == 1:
            tracker.init(frame, part_in_frame(sequence.first_box, *frame_size(frame)))
            boxes[0] = sequence.first_box
        else:
            result = tracker.update(frame)
            boxes[read - 1], confidence[read - 1] = result.box, result.confidence
            states[read - 1] = state_of(result)
        seconds[read - 1] = perf_counter() - start
        on_frame()
    _check_length(sequence, read)
    return Track(boxes, confidence, seconds, states=np.array(states) if any(states) else None)


def _checked(frames: Iterator[Frame], sequence: Sequence) -> Iterator[Frame]:
    """The same frames, once the true boxes are known not to be corners.

    Raises:
        InputError: They are, as far as one can tell.
    """
    present = sequence.boxes[~sequence.absent]
    for number, frame in enumerate(frames):
        height, width = frame.shape[:2]
        if number == 0 and looks_like_corners(present, width, height, _INSIDE_SHARE):
            raise InputError(
                f"{sequence.dataset}/{sequence.name}: true boxes, such as {sequence.truth[0].tolist()}, reach beyond "
                f"the frame, {width}x{height}, and all fit as corners; they are to be x,y,w,h"
            )
        yield frame


def _to_first_size(frames: Iterator[Frame], scales: list[tuple[float, float]]) -> Iterator[Frame]:
    """Bring frames to the size of the first: in two sequences of GOT-10k's validation split it changes midway.

    Args:
        frames: Of any size each.
        scales: Gets every frame's width and height, as multiples of the first one's.
    """
    first: tuple[int, int] | None = None
    for frame in frames:
        height, width = frame.shape[:2]
        first = first or (width, height)
        scales.append((width / first[0], height / first[1]))
        yield frame if (width, height) == first else resized(frame, first)


def _to_own_size(track: Track, scales: list[tuple[float, float]]) -> Track:
    """Boxes in pixels of the frames as they are stored, as the true boxes are."""
    if set(scales) <= {(1.0, 1.0)}:
        return track
    return replace(track, boxes=track.boxes * np.tile(scales[: len(track.boxes)], 2))


def _check_length(sequence: Sequence, read: int) -> None:
    frames = len(sequence)
    if read != frames:
        raise InputError(f"{sequence.dataset}/{sequence.name}: {read} frames but {frames} true boxes")


def _count(frames: Iterator[Frame]) -> int:
    """Number of frames that are left, up to one that cannot be read."""
    count = 0
    with suppress(EATrackError):
        for _ in frames:
            count += 1
    return count


def run_job(job: Job, on_frame: Callable[[], None] = lambda: None, power_root: Path | None = None) -> Outcome:
    """Run a job; an error becomes its outcome, so that the other jobs continue.

    Args:
        job: What to run.
        on_frame: Called after every frame.
        power_root: Stands for ``/`` where power is read; ``None``: energy is not measured, because other jobs run too.
    """
    cv2.setNumThreads(job.spec.threads)

    def run(tracker: SingleObjectTracker) -> Track:
        return run_sequence(tracker, job.sequence, on_frame, job.spec.camera_fps)

    try:
        tracker = kept_tracker(job.spec)
        idle_w = _idle_watts(job.spec, power_root) if power_root else None
        track = run(tracker) if power_root is None or idle_w is None else run_metered(tracker, idle_w, run, power_root)
        return Outcome(job, track)
    except EATrackError as error:
        return Outcome(job, None, error.message)
    except Exception as error:  # a third-party tracker may raise anything
        return Outcome(job, None, f"{type(error).__name__}: {error}")


def run_jobs(
    jobs: Iterable[Job], workers: int, on_frames: FrameCount = lambda _: None, root: Path = Path("/")
) -> Iterator[Outcome]:
    """Run jobs and yield each outcome as it is ready, in no particular order.

    Args:
        jobs: What to run.
        workers: Number of processes; 1 runs the jobs in this process and measures their energy where power can be read.
        on_frames: Called with the number of frames done so far.
        root: Stands for ``/`` where power is read.
    """
    jobs = list(jobs)
    if workers <= 1:
        yield from _run_locally(jobs, on_frames, root)
        return
    counts = frame_counts(len(jobs))
    waiting = list(range(len(jobs)))
    while waiting:
        suspects = yield from run_in_pool(run_job, jobs, waiting, workers, counts, on_frames)
        # A worker died while it ran one of these. Run each alone to find the one that kills its worker.
        for index in suspects:
            if (yield from run_in_pool(run_job, jobs, [index], 1, counts, on_frames)):
                yield Outcome(jobs[index], None, "the worker process died, twice")


def _run_locally(jobs: list[Job], on_frames: FrameCount, root: Path) -> Iterator[Outcome]:
    frames = 0

    def count() -> None:
        nonlocal frames
        frames += 1
        on_frames(frames)

    try:
        for job in jobs:
            outcome = run_job(job, count, root)
            yield outcome if outcome.track is None else replace(outcome, track=replace(outcome.track, is_alone=True))
    finally:
        close_kept_trackers()


@functools.lru_cache(maxsize=8)
def _idle_watts(spec: TrackerSpec, root: Path) -> float | None:
    """Idle power of the machine in watts, measured once; the caller has loaded the tracker."""
    del spec
    return idle_watts(root)
