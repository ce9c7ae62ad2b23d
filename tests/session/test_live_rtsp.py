"""The live session against a real RTSP server that is killed and returns."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from eatrack_edge.session.commands import Quit
from eatrack_edge.session.events import Event, FrameEvent, SourceFoundEvent, SourceLostEvent
from eatrack_edge.session.first_motion import FirstMotion
from eatrack_edge.session.live import LiveSession
from eatrack_edge.sources.latest import LiveSource
from eatrack_edge.sources.live_options import LiveOptions
from eatrack_edge.sources.registry import open_source
from session.simulated_sessions import SimulatedTracker
from sources.streams import RtspServer, needs_rtsp_server

pytest.importorskip("av")
pytestmark = needs_rtsp_server


class Watch:
    """Waits for a kind of event, from another thread than the session's."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._events: list[Event] = []

    def offer(self, event: Event) -> None:
        with self._changed:
            self._events.append(event)
            self._changed.notify_all()

    def forget(self) -> None:
        with self._changed:
            self._events.clear()

    def wait(self, is_it: Callable[[Event], bool], within_s: float) -> float:
        """Seconds until there is an event for which ``is_it`` holds."""
        begin = time.monotonic()
        with self._changed:
            assert self._changed.wait_for(lambda: any(map(is_it, self._events)), within_s), "it never came"
        return time.monotonic() - begin


def is_tracked(event: Event) -> bool:
    return isinstance(event, FrameEvent) and event.record.state == "TRACKING"


def open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def check_kills(outages_s: list[float]) -> list[float]:
    """Seconds from each return of the server to the first frame that is tracked again."""
    seconds = []
    with RtspServer() as server:
        source = open_source(server.uri, live=LiveOptions(reopen=True, reader="pyav"))
        assert isinstance(source, LiveSource)
        watch, session = Watch(), LiveSession(SimulatedTracker(), source, selector=FirstMotion())
        session.listeners.append(watch)
        flight = threading.Thread(target=session.run)
        flight.start()
        try:
            watch.wait(is_tracked, 20)
            threads, files = threading.active_count(), open_files()
            for outage_s in outages_s:
                watch.forget()
                server.kill()
                watch.wait(lambda event: isinstance(event, SourceLostEvent), 3)
                time.sleep(outage_s)
                server.start()
                watch.forget()
                seconds.append(watch.wait(is_tracked, 10))
            assert threading.active_count() == threads
            assert open_files() <= files
        finally:
            session.commands.put(Quit())
            flight.join(10)
            source.close()
    return seconds


def test_a_server_that_is_killed_and_returns_is_tracked_again_within_three_seconds() -> None:
    assert max(check_kills([0.3, 1.2])) < 3


@pytest.mark.slow
def test_a_server_that_is_killed_ten_times_in_a_minute_is_tracked_again_each_time() -> None:
    begin = time.monotonic()
    assert max(check_kills([0.2, 1.0, 2.0, 0.5, 1.5, 0.1, 2.5, 0.8, 1.2, 0.4])) < 3
    assert time.monotonic() - begin < 70


def test_the_source_is_found_with_the_time_that_it_was_away() -> None:
    with RtspServer() as server:
        source = open_source(server.uri, live=LiveOptions(reopen=True, reader="pyav"))
        assert isinstance(source, LiveSource)
        found: list[SourceFoundEvent] = []

        class Found:
            def offer(self, event: Event) -> None:
                found.extend([event] if isinstance(event, SourceFoundEvent) else [])

        session = LiveSession(SimulatedTracker(), source)
        session.listeners.append(Found())
        with source:
            session.run(max_frames=3)
            server.kill()
            time.sleep(0.5)
            server.start()
            session.run(max_frames=20)
    assert len(found) == 2
    assert found[1].outage_s > 0.5
    assert found[1].description.startswith("PyAV")
