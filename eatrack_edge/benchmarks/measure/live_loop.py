"""Measures what the live session costs around ``Tracker.update``: taking, converting, recording and handing on."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

import msgspec
import numpy as np
from numpy.typing import NDArray

from eatrack_edge.core.boxes import Box
from eatrack_edge.core.crops import Frame
from eatrack_edge.core.imports import require
from eatrack_edge.core.io import write_whole
from eatrack_edge.machine.conditions import Environment, read_environment, read_work
from eatrack_edge.outputs.live_jsonl import LiveJsonLines
from eatrack_edge.session.commands import Select
from eatrack_edge.session.event_log import EventLog
from eatrack_edge.session.events import Event, FrameEvent
from eatrack_edge.session.live import LiveSession
from eatrack_edge.session.live_summary import LiveSummary
from eatrack_edge.session.output_thread import OutputThread
from eatrack_edge.sources.latest import LiveSource
from eatrack_edge.sources.link import Picture
from eatrack_edge.tracking.lifecycle import TrackState
from eatrack_edge.tracking.result import Latency, TrackResult

SCHEMA = "eatrack-edge/live-loop/1"
LIMIT_MS = 4.0  # of one core, around an update at 1280x720, without viewers
_BOX: Box = (600.0, 300.0, 60.0, 40.0)
_WARM_FRAMES = 60


@dataclass(frozen=True, slots=True)
class LiveLoopResult:
    """Processor time a frame, apart from decoding the video and from ``Tracker.update``."""

    schema: str
    width: int
    height: int
    fps: float
    frames: int
    loop_ms: dict[str, float]  # p50, p95 and mean of the session's thread, conversion to BGR included
    all_threads_ms: float  # mean of the whole process: the loop, the capture thread and the log's
    age_ms: dict[str, float]  # p50 and p95 of the results' age, with an update that takes no time
    dropped: int
    outputs: str
    env: Environment
    command: list[str]


class _DecodedLink:
    """Decoded YUV pictures at a fixed rate, as they would leave a decoder."""

    description = "decoded pictures"

    def __init__(self, width: int, height: int, fps: float) -> None:
        av = require("av", to="convert pictures")
        noise = np.random.default_rng(0).integers(0, 256, (height * 3 // 2, width), np.uint8)
        self.fps: float | None = fps
        self._pictures = [av.VideoFrame.from_ndarray(np.roll(noise, step, 1), format="yuv420p") for step in range(8)]
        self._converter = av.video.reformatter.VideoReformatter()
        self._number, self._due = 0, time.monotonic()

    def read(self) -> Picture:
        """The next picture, at its time."""
        self._due += 1 / (self.fps or 30.0)
        time.sleep(max(0.0, self._due - time.monotonic()))
        self._number += 1
        return Picture(time.monotonic_ns(), partial(self._frame, self._pictures[self._number % 8]))

    def _frame(self, decoded: Any) -> Frame:
        return cast("Frame", self._converter.reformat(decoded, format="bgr24").to_ndarray())

    def interrupt(self) -> None:
        """Its waits are short."""

    def close(self) -> None:
        """Nothing to close."""


class IdleTracker:
    """An update that takes no time.

    Args:
        box: Where it finds its target, always.
    """

    _latency = Latency(0.0, 0.0, 0.0, 0.0, 0.0)

    def __init__(self, box: Box) -> None:
        self._box = box

    def init(self, frame: NDArray[Any], box: Box) -> None:
        """Take any box."""

    def update(self, frame: NDArray[Any]) -> TrackResult:
        """Find it where it was."""
        del frame
        return TrackResult(self._box, 0.9, TrackState.TRACKING, self._latency)

    def bridge(self, frames: Iterable[NDArray[Any]]) -> None:
        """It moves nowhere."""
        del frames

    def propose(self, frame: NDArray[Any], x: float, y: float) -> Box:
        """Propose any box."""
        del frame, x, y
        return self._box

    def restore_template(self, number: int) -> None:
        """There is none."""


class _Clock:
    """Reads the processor's clocks at every result; the first listener, so that the others count for the next."""

    def __init__(self, progress: Callable[[int], None]) -> None:
        self.thread_s: list[float] = []
        self.process_s: list[float] = []
        self.ages_ms: list[float] = []
        self._progress = progress

    def offer(self, event: Event) -> None:
        """Note the time of a frame."""
        if isinstance(event, FrameEvent):
            self.thread_s.append(time.thread_time())
            self.process_s.append(time.process_time())
            self.ages_ms.append(event.age_ms)
            self._progress(len(self.ages_ms))


def measure_live_loop(
    frames: int,
    command: list[str],
    progress: Callable[[int], None] = lambda _count: None,
    *,
    width: int = 1280,
    height: int = 720,
    fps: float = 30.0,
) -> LiveLoopResult:
    """Run a live session with a log and no viewer on decoded pictures, and an update that takes no time.

    Args:
        frames: Results to measure, after some to warm up.
        command: How this was asked for, for the record.
        progress: Called with the number of results.
        width: Of the pictures, px.
        height: Of the pictures, px.
        fps: Pictures a second.
    """
    clock, summary, before = _Clock(progress), LiveSummary(), read_work()
    with TemporaryDirectory() as folder:
        source = LiveSource(lambda: _DecodedLink(width, height, fps), name="bench", uri="bench://")
        with source:
            session = LiveSession(IdleTracker(_BOX), source)
            log = EventLog(LiveJsonLines(Path(folder) / "fly.jsonl", {}))
            output = OutputThread(log, "log", session.reports.put, capacity=300)
            session.listeners[:] = [clock, summary, output]
            session.commands.put(Select(_BOX))
            session.run(max_frames=_WARM_FRAMES + frames)
            output.close()
    loop_ms = 1000 * np.diff(clock.thread_s[_WARM_FRAMES - 1 :])
    process_ms = 1000 * np.diff(clock.process_s[_WARM_FRAMES - 1 :])
    ages = clock.ages_ms[_WARM_FRAMES:]
    return LiveLoopResult(
        SCHEMA,
        *(width, height, fps, frames),
        loop_ms={**_percentiles(loop_ms), "mean": round(float(np.mean(loop_ms)), 4)},
        all_threads_ms=round(float(np.mean(process_ms)), 4),
        age_ms=_percentiles(ages),
        dropped=summary.dropped,
        outputs="JSON lines",
        env=read_environment(before, read_work()),
        command=command,
    )


def _percentiles(values: Any) -> dict[str, float]:
    return {f"p{percent}": round(float(np.percentile(values, percent)), 4) for percent in (50, 95)}


def write_live_loop(result: LiveLoopResult, path: Path) -> None:
    """Write the result as JSON.

    Raises:
        OutputError: The file cannot be written.
    """
    write_whole(path, msgspec.json.format(msgspec.json.encode(result), indent=1).decode() + "\n")
