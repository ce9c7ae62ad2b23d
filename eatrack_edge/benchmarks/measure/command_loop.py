"""Measures what ``track`` does for a frame apart from ``Tracker.update`` and decoding, over a very long run.

The source repeats a few small frames and the update takes no time, both simulated; all between them is what is
deployed: events, record, summary, JSON lines and the progress display.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from time import perf_counter
from types import SimpleNamespace
from typing import Any, cast

import numpy as np

from eatrack_edge.benchmarks.measure.overhead_result import CommandLoop
from eatrack_edge.benchmarks.measure.tenths import Tenths
from eatrack_edge.core.boxes import Box
from eatrack_edge.core.crops import Frame
from eatrack_edge.outputs.base import FrameRecord, RunInfo
from eatrack_edge.outputs.outputs import Outputs
from eatrack_edge.outputs.registry import OutputRequest
from eatrack_edge.session.delivery import deliver
from eatrack_edge.session.session import track
from eatrack_edge.session.summary import Summary
from eatrack_edge.sources.base import BaseSource, SourceFrame
from eatrack_edge.tracking.lifecycle import TrackState
from eatrack_edge.tracking.result import Latency, TrackResult
from eatrack_edge.tracking.tracker import Tracker

SIMULATED = "simulated frames and an update that takes no time: no network and no decoder ran"
OUTPUTS = "JSON lines into /dev/null"
SIZE = (320, 240)
BOX: Box = (140.0, 100.0, 40.0, 30.0)
_FPS = 30.0


def noise_frames() -> list[Frame]:
    """The few frames of ``SIZE`` that a loop shows again and again."""
    chance = np.random.default_rng(0)
    return [chance.integers(0, 255, (SIZE[1], SIZE[0], 3), np.uint8) for _ in range(4)]


class _RepeatedFrames(BaseSource):
    """The same few frames again and again, with numbers and times that go on."""

    def __init__(self, count: int) -> None:
        super().__init__("bench://", SIZE, name="bench", fps=_FPS, frame_count=count)
        self._count = count

    def __iter__(self) -> Iterator[SourceFrame]:
        frames = noise_frames()
        for index in range(self._count):
            yield SourceFrame(index, index / _FPS, frames[index % len(frames)], truth=BOX)


class _IdleTracker:
    """An update that takes no time; its figures change from frame to frame, as real ones do."""

    templates = SimpleNamespace(crops=[])

    def __init__(self) -> None:
        chance = np.random.default_rng(1)
        self._results = [
            TrackResult(BOX, float(confidence), TrackState.TRACKING, Latency(0.3, ms, 0.1, 0.1, 0.5 + ms))
            for confidence, ms in zip(chance.uniform(0.4, 1, 97), chance.lognormal(3, 0.3, 97).tolist(), strict=True)
        ]
        self._number = 0

    def init(self, frame: Frame, box: Box) -> None:
        """Take any box."""

    def update(self, frame: Frame) -> TrackResult:
        """One of a few results in turn."""
        del frame
        self._number += 1
        return self._results[self._number % len(self._results)]


def measure_command_loop(
    frames: int, advance: Callable[[FrameRecord], None] = lambda _record: None, root: Path = Path("/")
) -> CommandLoop:
    """Run the loop of ``track``, and compare its first tenth with its last in time and memory.

    Args:
        frames: At least 1000.
        advance: What the command shows its progress with; its time is part of the loop's.
        root: Stands for ``/`` wherever the machine is read.
    """
    tenths = Tenths(frames, root)
    tracker: Any = _IdleTracker()
    before = perf_counter()

    def clocked(record: FrameRecord) -> None:
        nonlocal before
        advance(record)
        tenths.add(1000 * (perf_counter() - before))
        before = perf_counter()

    requests = [OutputRequest("jsonl", Path("/dev/null"))]
    with _RepeatedFrames(frames) as source, Outputs(requests, RunInfo("bench", _FPS)) as outputs:
        tracked = track(cast("Tracker", tracker), source, BOX)
        deliver(
            tracked,
            outputs,
            Summary(),
            templates=lambda: tracker.templates.crops,
            advance=clocked,
            ended=lambda: "",
        )
    return CommandLoop(frames=frames, **tenths.summary(), outputs=OUTPUTS, simulated=SIMULATED)
