"""Measures whether a very long live session costs the same from its first frame to its last.

The source captures the next small frame when the last one has its result, and the update takes no time, both simulated;
all between them is what is deployed: the capture thread, the session, events, summary and the thread of the log.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

from eatrack_edge.benchmarks.measure.command_loop import BOX, OUTPUTS, noise_frames
from eatrack_edge.benchmarks.measure.live_loop import IdleTracker
from eatrack_edge.benchmarks.measure.overhead_result import LiveRun
from eatrack_edge.benchmarks.measure.tenths import Tenths
from eatrack_edge.outputs.live_jsonl import LiveJsonLines
from eatrack_edge.session.commands import Select
from eatrack_edge.session.event_log import EventLog
from eatrack_edge.session.events import Event, FrameEvent
from eatrack_edge.session.live import LiveSession
from eatrack_edge.session.live_summary import LiveSummary
from eatrack_edge.session.output_thread import OutputThread
from eatrack_edge.sources.latest import LiveSource
from eatrack_edge.sources.link import LinkError, Picture
from eatrack_edge.sources.live_options import LiveOptions

SIMULATED = "simulated frames on demand and an update that takes no time: no network and no decoder ran"
_WAIT_S = 60.0  # for the result of the last frame: others may have the machine for seconds
_TURN_S = 0.1  # between two looks whether the session has ended


class _LinkOnDemand:
    """Captures a picture for each result, so that none is dropped and the session never waits for a camera."""

    description = "pictures on demand"
    fps: float | None = 30.0

    def __init__(self, demand: threading.Semaphore, is_over: threading.Event) -> None:
        self._frames = noise_frames()
        self._demand, self._is_over, self._number = demand, is_over, 0

    def read(self) -> Picture:
        """The next picture, when it is wanted."""
        deadline = time.monotonic() + _WAIT_S
        while not self._demand.acquire(timeout=_TURN_S):
            if self._is_over.is_set() or time.monotonic() > deadline:
                raise LinkError("no picture was asked for")
        self._number += 1
        frame = self._frames[self._number % len(self._frames)]
        return Picture(time.monotonic_ns(), frame.copy)

    def interrupt(self) -> None:
        """Its waits are short."""

    def close(self) -> None:
        """Nothing to close."""


class _Clock:
    """Takes the time between two results, then asks for the next picture; the last of the listeners."""

    def __init__(self, tenths: Tenths, demand: threading.Semaphore, advance: Callable[[], None]) -> None:
        self._tenths, self._demand, self._advance = tenths, demand, advance
        self._before = perf_counter()

    def offer(self, event: Event) -> None:
        """Note the time of a frame."""
        if isinstance(event, FrameEvent):
            self._tenths.add(1000 * (perf_counter() - self._before))
            self._advance()
            self._before = perf_counter()
            self._demand.release()


def measure_live_run(
    frames: int, advance: Callable[[], None] = lambda: None, root: Path = Path("/"), log: Path = Path("/dev/null")
) -> LiveRun:
    """Run a live session, and compare its first tenth with its last in time, memory, threads and open files.

    Args:
        frames: At least 1000.
        advance: Called at every result.
        root: Stands for ``/`` wherever the machine is read.
        log: Gets the JSON lines of the session.
    """
    tenths, demand, summary, is_over = Tenths(frames, root), threading.Semaphore(), LiveSummary(), threading.Event()
    options = LiveOptions(read_timeout_s=_WAIT_S)
    with LiveSource(lambda: _LinkOnDemand(demand, is_over), name="bench", uri="bench://", options=options) as source:
        session = LiveSession(IdleTracker(BOX), source)
        output = OutputThread(
            EventLog(LiveJsonLines(log, {}, overwrite=True)), "log", session.reports.put, capacity=300
        )
        session.listeners[:] = [summary, output, _Clock(tenths, demand, advance)]
        session.commands.put(Select(BOX))
        session.run(max_frames=frames)
        is_over.set()
        output.close()
    return LiveRun(
        frames=frames,
        **tenths.summary(),
        threads_first=tenths.threads[0],
        threads_last=tenths.threads[-1],
        descriptors_first=tenths.descriptors[0],
        descriptors_last=tenths.descriptors[-1],
        dropped=summary.dropped + output.dropped,
        outputs=OUTPUTS,
        simulated=SIMULATED,
    )
