from __future__ import annotations

import gc
import json
import math
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from eatrack_edge.core.boxes import Box
from eatrack_edge.core.errors import SourceLost
from eatrack_edge.outputs.live_jsonl import LiveJsonLines
from eatrack_edge.session.commands import Quit, Select, Stop
from eatrack_edge.session.event_log import EventLog
from eatrack_edge.session.events import (
    FrameEvent,
    OutputFailedEvent,
    SourceFoundEvent,
    SourceLostEvent,
    StateEvent,
)
from eatrack_edge.session.live import LiveSession
from eatrack_edge.session.live_summary import LiveSummary
from eatrack_edge.session.output_thread import OutputThread
from eatrack_edge.sources.feed import FeedItem, LinkFound, LinkLost, LiveFrame
from eatrack_edge.sources.latest import LiveSource
from eatrack_edge.sources.live_options import LiveOptions
from eatrack_edge.tracking.settings import LifecycleSettings, TrackerSettings
from eatrack_edge.tracking.tracker import Tracker
from session.simulated_sessions import BOX, Feed, Flight, Heard, SimulatedTracker, live_frame
from sources.simulated_links import SimulatedLink
from tracking.simulated import SimulatedBackend, scene


@pytest.fixture
def flight() -> Flight:
    return Flight([])


def test_without_a_target_frames_are_delivered_and_nothing_is_tracked(flight: Flight) -> None:
    assert flight.scripted(live_frame(0), live_frame(1)) == "end of source"
    records = [event.record for event in flight.heard.of(FrameEvent)]
    assert [(record.frame, record.box, record.state) for record in records] == [
        (0, None, "WAITING"),
        (1, None, "WAITING"),
    ]
    assert all(math.isnan(record.confidence) for record in records)
    assert flight.tracker.inits == []


def test_quit_ends_the_session(flight: Flight) -> None:
    assert flight.scripted(live_frame(0), Quit(), live_frame(1)) == "quit"


def test_low_confidence_is_a_change_of_state(flight: Flight) -> None:
    def items() -> Iterator[FeedItem | None]:
        yield live_frame(0)
        flight.session.commands.put(Select(BOX))
        yield live_frame(1)
        flight.tracker.confidence = 0.1
        yield live_frame(2)
        flight.tracker.confidence = 0.8
        yield live_frame(3)

    flight.scripted(*[])
    flight.session._feed = Feed(items())
    flight.session.run()
    assert [state for state, _, _ in flight.states] == ["TRACKING", "UNCERTAIN", "TRACKING"]


def test_a_lost_target_has_no_box_and_the_event_says_why() -> None:
    backend = SimulatedBackend()
    backend.model_spec = replace(backend.model_spec, confidence_scale=1.01)
    tracker = Tracker(backend, settings=TrackerSettings(lifecycle=LifecycleSettings(lost_after=2)))

    def frames() -> Iterator[LiveFrame]:
        for k in range(4):
            yield LiveFrame(k, k / 30, scene(160, 120), captured_ns=1000 + k)
            backend.confidence = 0.1  # from the frame after the selection on it is covered

    session, heard = LiveSession(tracker, Feed(frames())), Heard()
    session.listeners.append(heard)
    session.commands.put(Select((145.0, 110.0, 30.0, 20.0)))
    session.run()
    last = heard.of(FrameEvent)[-1].record
    assert (last.state, last.box, last.last_reliable_box) == ("LOST", None, (145.0, 110.0, 30.0, 20.0))
    lost = heard.of(StateEvent)[-1]
    assert (lost.state, lost.before, lost.reason) == ("LOST", "UNCERTAIN", "confidence below 0.5 in 2 frames")
    assert lost.evidence["confidence"] == pytest.approx(0.1, abs=0.01)


def test_a_selector_chooses_the_first_target_and_no_other() -> None:
    chosen: list[int] = []

    def select(shown: LiveFrame) -> Box:
        chosen.append(shown.index)
        return BOX

    def frames() -> Iterator[LiveFrame]:
        yield live_frame(0)
        session.commands.put(Stop())
        yield from map(live_frame, range(1, 5))

    session, heard = LiveSession(SimulatedTracker(), Feed(frames()), selector=select), Heard()
    session.listeners.append(heard)
    session.run()
    assert chosen == [0]
    assert [event.state for event in heard.of(StateEvent)] == ["TRACKING", "WAITING"]


def test_the_target_is_kept_while_the_source_is_lost(flight: Flight) -> None:
    lost, found = LinkLost("the stream ended", 1), LinkFound("PyAV", 2, 3.5)
    flight.scripted(live_frame(0), Select(BOX), lost, None, None, found, live_frame(7))
    assert flight.tracker.updates == [7]


def test_a_source_that_never_came_is_not_found_yet_and_no_loss(flight: Flight) -> None:
    summary = LiveSummary()
    flight.session.listeners.append(summary)
    absent, found, lost = LinkLost("refused", 1), LinkFound("PyAV", 2, 3.5), LinkLost("the stream ended", 3)
    flight.scripted(absent, found, live_frame(0), lost, found, live_frame(7))
    assert flight.heard.of(SourceLostEvent) == [
        SourceLostEvent("refused", 1, was_found=False),
        SourceLostEvent("the stream ended", 3, was_found=True),
    ]
    assert [event.was_found for event in flight.heard.of(SourceFoundEvent)] == [False, True]
    assert summary.source_losses == 1


def test_a_picture_of_another_size_is_scaled_and_the_box_is_in_its_own_pixels(flight: Flight) -> None:
    flight.scripted(live_frame(0), Select(BOX), live_frame(1, 128, 96), live_frame(2))
    assert [event.record.box for event in flight.heard.of(FrameEvent)] == [None, (40.0, 20.0, 24.0, 16.0), BOX]


def test_a_picture_of_another_shape_ends_the_track_with_the_reason(flight: Flight) -> None:
    flight.scripted(live_frame(0), Select(BOX), live_frame(1, 48, 64), live_frame(2))
    assert flight.states[-1] == ("WAITING", 1, "the picture is 48x64, the target was selected on 64x48")
    assert flight.tracker.updates == []


def test_what_other_threads_report_is_passed_on(flight: Flight) -> None:
    failed = OutputFailedEvent("log", "the disk is full", 1)
    flight.session.reports.put(failed)
    flight.scripted(live_frame(0))
    assert flight.heard.of(OutputFailedEvent) == [failed]


def test_a_selector_chooses_while_there_is_no_target() -> None:
    tracker, heard = SimulatedTracker(), Heard()
    asked = []

    def selector(shown: LiveFrame) -> Box | None:
        asked.append(shown.index)
        return BOX if shown.index == 2 else None

    session = LiveSession(tracker, Feed(map(live_frame, range(5))), selector=selector)
    session.listeners.append(heard)
    session.run(max_frames=4)
    assert (asked, tracker.inits, tracker.updates) == ([0, 1, 2], [(2, BOX)], [3])
    assert len(heard.of(FrameEvent)) == 4


def test_a_source_that_is_lost_for_good_ends_the_session_with_its_error() -> None:
    options = LiveOptions(reopen=False)
    source = LiveSource(lambda: SimulatedLink(fps=100, count=2), name="x", uri="sim://x", options=options)
    with source, pytest.raises(SourceLost, match="unplugged"):
        LiveSession(SimulatedTracker(), source).run()


def test_the_caller_can_end_it_while_no_frame_comes() -> None:
    with LiveSource(lambda: SimulatedLink(fps=0.2), name="x", uri="sim://x") as source:
        end = time.monotonic() + 0.3
        assert LiveSession(SimulatedTracker(), source).run(is_stopped=lambda: time.monotonic() > end) == "interrupted"
    assert time.monotonic() < end + 8


class Stuck:
    """An output that never returns from its first frame, as a viewer that never reads."""

    def take(self, _event: object) -> None:
        time.sleep(3600)

    def finish(self, _error: BaseException | None) -> None:
        pass


class SlowTracker(SimulatedTracker):
    def update(self, frame):  # type: ignore[no-untyped-def]
        time.sleep(0.113)  # no multiple of the source's interval, so that every phase between the two occurs
        return super().update(frame)


def check_age_stays_flat(seconds: float, percent: float) -> None:
    heard, summary = Heard(), LiveSummary()
    with LiveSource(lambda: SimulatedLink(fps=30), name="x", uri="sim://x") as source:
        session = LiveSession(SlowTracker(), source)
        stuck = OutputThread(Stuck(), "viewer", session.reports.put)
        session.listeners += [heard, summary, stuck]
        session.commands.put(Select(BOX))
        end = time.monotonic() + seconds
        session.run(is_stopped=lambda: time.monotonic() > end)
    events = heard.of(FrameEvent)
    ages = [event.age_ms for event in events]
    third = len(ages) // 3
    assert np.percentile(ages[-third:], percent) <= np.percentile(ages[:third], percent) + 20
    last = events[-1].record.frame
    assert last == len(events) - 1 + sum(event.record.dropped for event in events)  # every frame is accounted for
    assert summary.dropped > len(events)
    assert stuck.dropped >= len(events) - 2


def test_the_age_of_results_stays_flat_with_a_slow_tracker_and_a_viewer_that_never_reads() -> None:
    check_age_stays_flat(5, 50)  # of a dozen frames p95 is the worst one, and a busy machine's


@pytest.mark.slow
def test_the_age_of_results_stays_flat_for_a_minute() -> None:
    check_age_stays_flat(60, 95)


def resident_kib() -> int:
    return next(
        int(line.split()[1]) for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmRSS")
    )


def check_flat(frames: int) -> None:
    """Memory and time a frame of the last third against the first, through a live source and an output thread."""
    marks: list[tuple[float, int]] = []

    class Sink:
        def take(self, _event: object) -> None:
            pass

        def finish(self, _error: BaseException | None) -> None:
            pass

    class Counter:
        count = 0

        def offer(self, event: object) -> None:
            self.count += isinstance(event, FrameEvent)
            if self.count % (frames // 3) == 1:
                gc.collect()
                marks.append((time.process_time(), resident_kib()))

    tracker = SimulatedTracker()
    tracker.is_recording = False
    picture = live_frame(0).frame
    session = LiveSession(tracker, Feed(LiveFrame(number, number / 30, picture) for number in range(frames)))
    summary, output = LiveSummary(), OutputThread(Sink(), "sink", session.reports.put)
    session.listeners += [summary, output, Counter()]
    session.commands.put(Select(BOX))
    session.run()
    output.close()
    (_, _), (begin, early_kib), (middle, late_kib), *_ = marks
    marks.append((time.process_time(), resident_kib()))
    assert marks[-1][1] - early_kib < 2048
    assert late_kib - early_kib < 2048
    assert marks[-1][0] - middle < 2 * (middle - begin) + 1
    assert summary.frames == frames


def test_a_hundred_thousand_frames_are_flat_in_memory_and_time() -> None:
    check_flat(100_000)


@pytest.mark.slow
def test_a_million_frames_are_flat_in_memory_and_time() -> None:
    check_flat(1_000_000)


def test_every_event_of_a_flight_with_a_loss_can_be_written_to_the_log(tmp_path: Path) -> None:
    log = EventLog(LiveJsonLines(tmp_path / "log.jsonl", {}))
    log.take(StateEvent("LOST", "UNCERTAIN", 7, 1, "confidence below 0.5 in 8 frames", {"confidence": 0.1}))
    session = LiveSession(SimulatedTracker(), Feed([live_frame(0)]))
    heard = Heard()
    session.listeners.append(heard)
    session.commands.put(Select(BOX))
    session.run()
    for event in heard.events:
        log.take(event)
    log.finish(None)
    lines = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    states = [(line["state"], line["evidence"]) for line in lines if line["type"] == "state"]
    assert states == [("LOST", {"confidence": 0.1}), ("TRACKING", {})]
    assert [line["type"] for line in lines][-1] == "frame"
