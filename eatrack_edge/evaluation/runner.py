"""Runs trackers over sequences: here, in worker processes, one sequence at a time each."""

from __future__ import annotations

import functools
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from multiprocessing import get_context
from pathlib import Path
from time import perf_counter
from typing import Any

import cv2
import numpy as np

from eatrack_edge.core.crops import Frame
from eatrack_edge.core.errors import EATrackError, InputError
from eatrack_edge.datasets.sequence import ImageFrames, Sequence
from eatrack_edge.evaluation.power import rest_watts, run_metered
from eatrack_edge.evaluation.realtime import track_live
from eatrack_edge.evaluation.track_store import Track
from eatrack_edge.evaluation.tracker_protocol import SingleObjectTracker
from eatrack_edge.evaluation.trackers import TrackerSpec, open_tracker
from eatrack_edge.machine.power import read_rails
from eatrack_edge.sources.base import Source, SourceFrame
from eatrack_edge.sources.images import ImageSource
from eatrack_edge.sources.video import VideoSource

_POLL_S = 0.2  # between looks at the workers' frame counts


@dataclass(frozen=True, slots=True)
class Job:
    """One tracker on one sequence."""

    spec: TrackerSpec
    sequence: Sequence


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a job ended: with a track, or with the reason why there is none."""

    job: Job
    track: Track | None
    reason: str = ""


# Told how many frames are done in all jobs together.
FrameCount = Callable[[int], None]


@contextmanager
def open_frames(sequence: Sequence) -> Iterator[Iterator[Frame]]:
    """Open a sequence's frames, to be read one after the other.

    Raises:
        InputError: They cannot be opened or read.
        MissingExtra: A video, and PyAV is not installed.
    """
    source: Source
    if isinstance(sequence.frames, ImageFrames):
        every, uri = 1, str(sequence.frames.paths[0].parent)
        source = ImageSource(list(sequence.frames.paths), name=sequence.name, uri=uri)
    else:
        every = sequence.frames.every
        source = VideoSource(sequence.frames.path, is_threaded=False)  # the other cores are the other workers'
    with source:
        yield (_sound(item, sequence) for item in islice(source, 0, None, every))


def _sound(item: SourceFrame, sequence: Sequence) -> Frame:
    """A frame to be scored: one that was lost to damage is replaced by the one before, which has another truth."""
    if item.lost:
        raise InputError(f"{sequence.dataset}/{sequence.name}: frame {item.index} is damaged and cannot be decoded")
    return item.frame


def run_sequence(
    tracker: SingleObjectTracker,
    sequence: Sequence,
    on_frame: Callable[[], None] = lambda: None,
    camera_fps: float = 0.0,
) -> Track:
    """Run a tracker over a sequence once, from its first true box.

    Args:
        tracker: The tracker; ``init`` forgets any earlier target.
        sequence: Frames and the first box.
        on_frame: Called after every frame.
        camera_fps: Of a live camera, see ``track_live``; 0 lets every frame wait for the tracker.

    Raises:
        InputError: There are fewer or more frames than true boxes.
        EATrackError: Whatever the frames or the tracker raise.
    """
    frames = len(sequence)
    if camera_fps:
        with open_frames(sequence) as pictures:
            track = track_live(tracker, pictures, sequence.first_box, camera_fps, on_frame)
        _check_length(sequence, len(track.boxes))
        return track
    boxes, confidence, seconds = np.full((frames, 4), np.nan), np.full(frames, np.nan), np.zeros(frames)
    read = 0
    with open_frames(sequence) as pictures:
        for read, frame in enumerate(pictures, start=1):
            if read > frames:
                break
            start = perf_counter()
            if read == 1:
                tracker.init(frame, sequence.first_box)
                boxes[0] = sequence.first_box
            else:
                seen = tracker.update(frame)
                boxes[read - 1], confidence[read - 1] = seen.box, seen.confidence
            seconds[read - 1] = perf_counter() - start
            on_frame()
    _check_length(sequence, read)
    return Track(boxes, confidence, seconds)


def _check_length(sequence: Sequence, read: int) -> None:
    frames = len(sequence)
    if read != frames:
        found = f"more than {frames}" if read > frames else str(read)
        raise InputError(f"{sequence.dataset}/{sequence.name}: {found} frames but {frames} true boxes")


def run_job(job: Job, on_frame: Callable[[], None] = lambda: None, power_root: Path | None = None) -> Outcome:
    """Run a job; whatever goes wrong with its sequence is an outcome, because the others shall go on.

    Args:
        job: What to run.
        on_frame: Called after every frame.
        power_root: Stands for ``/`` where power is read; ``None`` where others run beside it, whose power it is too.
    """
    cv2.setNumThreads(job.spec.threads)

    def run(tracker: SingleObjectTracker) -> Track:
        return run_sequence(tracker, job.sequence, on_frame, job.spec.camera_fps)

    try:
        tracker = _kept_open(job.spec)
        rest_w = _rest_watts(job.spec, power_root) if power_root and read_rails(power_root) else None
        track = run(tracker) if power_root is None or rest_w is None else run_metered(tracker, rest_w, run, power_root)
        return Outcome(job, track)
    except EATrackError as error:
        return Outcome(job, None, error.message)
    except Exception as error:  # another's tracker may raise anything
        return Outcome(job, None, f"{type(error).__name__}: {error}")


def run_jobs(
    jobs: Iterable[Job], workers: int, on_frames: FrameCount = lambda _: None, root: Path = Path("/")
) -> Iterator[Outcome]:
    """Run jobs, yielding each as it ends, in no particular order.

    Args:
        jobs: What to run.
        workers: Processes; 1 runs them here, one after the other, and measures their energy where power can be read.
        on_frames: Told the number of frames done so far.
        root: Stands for ``/`` where power is read.
    """
    jobs = list(jobs)
    if workers <= 1:
        yield from _run_here(jobs, on_frames, root)
        return
    # One slot a job, written by the one process that runs it: a lock could be left held by a worker that died.
    done = get_context("spawn").RawArray("q", len(jobs) or 1)
    waiting = list(range(len(jobs)))
    while waiting:
        suspects = yield from _run_in_pool(jobs, waiting, workers, done, on_frames)
        # A worker died under one of these. Alone in a pool of its own, each shows whether it was the one.
        for index in suspects:
            if (yield from _run_in_pool(jobs, [index], 1, done, on_frames)):
                yield Outcome(jobs[index], None, "the worker process died, twice")


def _run_here(jobs: list[Job], on_frames: FrameCount, root: Path) -> Iterator[Outcome]:
    frames = 0

    def count() -> None:
        nonlocal frames
        frames += 1
        on_frames(frames)

    for job in jobs:
        yield run_job(job, count, root)


def _run_in_pool(
    jobs: list[Job], waiting: list[int], workers: int, done: Any, on_frames: FrameCount
) -> Generator[Outcome, None, list[int]]:
    """Run waiting jobs, taking each off the list as it is handed out, until all are done or a worker dies.

    Only as many as there are workers are handed out at a time, so that those under a dying worker are known.

    Returns:
        Jobs that were running when a worker died; none otherwise.
    """
    running: dict[Future[Outcome], int] = {}
    with ProcessPoolExecutor(workers, get_context("spawn"), initializer=_start_worker, initargs=(done,)) as pool:
        while waiting or running:
            while waiting and len(running) < workers:
                index = waiting.pop(0)
                running[pool.submit(_run_counted, jobs[index], index)] = index
            finished, _ = wait(running, timeout=_POLL_S, return_when=FIRST_COMPLETED)
            on_frames(sum(done))
            for future in finished:
                if isinstance(future.exception(), BrokenProcessPool):
                    return list(running.values())
                yield future.result()
                del running[future]
    return []


_frames_done: Any = None  # in a worker: the array of frames done, one slot a job


def _start_worker(done: Any) -> None:
    global _frames_done
    _frames_done = done


def _run_counted(job: Job, index: int) -> Outcome:
    _frames_done[index] = 0

    def count() -> None:
        _frames_done[index] += 1

    return run_job(job, count)


@functools.lru_cache(maxsize=8)
def _kept_open(spec: TrackerSpec) -> SingleObjectTracker:
    """A worker runs many sequences with a few trackers, and loads each once."""
    return open_tracker(spec)


@functools.lru_cache(maxsize=8)
def _rest_watts(spec: TrackerSpec, root: Path) -> float | None:
    """What the machine draws at rest with a tracker loaded; it is opened before this is asked."""
    del spec
    return rest_watts(root)
