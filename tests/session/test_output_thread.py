from __future__ import annotations

import json
import math
import os
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from eatrack_edge.core.errors import OutputError
from eatrack_edge.outputs.base import FrameRecord, RunInfo
from eatrack_edge.outputs.live_jsonl import LiveJsonLines
from eatrack_edge.outputs.registry import open_output
from eatrack_edge.session.commands import Select
from eatrack_edge.session.event_log import EventLog
from eatrack_edge.session.events import EndEvent, Event, FrameEvent, OutputFailedEvent
from eatrack_edge.session.live import LiveSession
from eatrack_edge.session.live_summary import LiveSummary
from eatrack_edge.session.output_thread import FileOutputs, OutputThread
from eatrack_edge.sources.feed import LinkLost
from session.simulated_sessions import BOX, Feed, Heard, SimulatedTracker, live_frame


def session_of(count: int) -> LiveSession:
    session = LiveSession(SimulatedTracker(), Feed([*map(live_frame, range(count)), LinkLost("gone", 7)]))
    session.commands.put(Select(BOX))
    return session


def test_the_log_has_each_frame_each_event_and_the_summary(tmp_path: Path) -> None:
    session, summary = session_of(3), LiveSummary()
    log = EventLog(LiveJsonLines(tmp_path / "fly.jsonl", {"source": "sim://x"}))
    output = OutputThread(log, "log", session.reports.put, capacity=100)
    session.listeners += [summary, output]
    ended = session.run()
    session.emit(EndEvent(summary.table(ended)))
    assert output.close()
    lines = [json.loads(line) for line in (tmp_path / "fly.jsonl").read_text().splitlines()]
    assert [line["type"] for line in lines] == [
        *("header", "selection", "state", "frame", "frame", "frame", "source_lost", "summary")
    ]
    assert lines[0]["schema"] == "eatrack-edge/fly/1"
    frame = lines[4]
    assert (frame["frame"], frame["captured_ns"], frame["dropped"], frame["box"]) == (1, 1001, 0, list(BOX))
    assert frame["age_ms"] > 0
    assert lines[-1]["frames"] == 3
    assert lines[-1]["tracking_frames"] == 3


@pytest.mark.parametrize("name", ["boxes.csv", "video.mp4"])
def test_a_file_of_track_is_an_output_too(name: str, tmp_path: Path) -> None:
    session = session_of(3)
    output = OutputThread(
        FileOutputs(open_output(tmp_path / name, RunInfo("x", 30))), name, session.reports.put, capacity=100
    )
    session.listeners.append(output)
    session.run()
    assert output.close()
    assert (tmp_path / name).stat().st_size > 100


def test_an_output_that_fails_is_reported_once_and_tracking_goes_on() -> None:
    class Full:
        def __init__(self) -> None:
            self.failed = threading.Event()

        def take(self, _event: Event) -> None:
            raise OutputError("out.mp4: cannot be written: no space left on device")

        def finish(self, _error: BaseException | None) -> None:
            self.failed.set()

    full, heard = Full(), Heard()
    session = session_of(50)
    output = OutputThread(full, "out.mp4", session.reports.put)
    session.listeners += [output, heard]

    def wait_for_failure(_event: Event) -> None:
        full.failed.wait(5)

    heard.offer = lambda event: (heard.events.append(event), wait_for_failure(event))[0]  # type: ignore[method-assign]
    session.run()
    (failed,) = heard.of(OutputFailedEvent)
    assert (failed.output, failed.reason) == ("out.mp4", "out.mp4: cannot be written: no space left on device")
    assert len(heard.of(FrameEvent)) == 50
    assert output.close()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 64 KiB."""
    command = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(tmp_path)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True).returncode != 0:
        pytest.skip("only root may mount a small disk")
    yield tmp_path
    subprocess.run(["umount", "--lazy", str(tmp_path)], check=True)


def test_a_full_disk_stops_the_log_and_never_the_session(small_disk: Path) -> None:
    heard, session = Heard(), session_of(2000)
    log = EventLog(LiveJsonLines(small_disk / "fly.jsonl", {"source": "sim://x"}))
    output = OutputThread(log, "fly.jsonl", session.reports.put, capacity=3000)
    session.listeners += [output, heard]
    assert session.run() == "end of source"
    assert output.close()
    failed = [
        *heard.of(OutputFailedEvent),
        *iter(lambda: None if session.reports.empty() else session.reports.get(), None),
    ]
    assert [event.reason for event in failed] == [f"{small_disk}/fly.jsonl: cannot be written: no space left on device"]
    assert len(heard.of(FrameEvent)) == 2000
    whole = (small_disk / "fly.jsonl").read_text().splitlines()[:-1]
    assert len([json.loads(line) for line in whole]) > 100


def test_a_bug_of_an_output_never_ends_the_session() -> None:
    log = EventLog(LiveJsonLines.__new__(LiveJsonLines))
    heard, session = Heard(), session_of(20)
    output = OutputThread(log, "log", session.reports.put)  # a file that was never opened: any bug of an output
    session.listeners += [output, heard]
    session.run()
    assert output.close()
    assert len(heard.of(FrameEvent)) == 20


@pytest.mark.parametrize("kind", [MemoryError, SystemExit, KeyboardInterrupt])
def test_whatever_ends_an_output_is_reported(kind: type[BaseException]) -> None:
    class Ends:
        def take(self, _event: Event) -> None:
            raise kind

        def finish(self, _error: BaseException | None) -> None:
            """Nothing to close."""

    session = session_of(20)
    output = OutputThread(Ends(), "mine", session.reports.put)
    session.listeners.append(output)
    session.run()
    assert output.close()
    assert session.reports.get_nowait().reason == f"{kind.__name__}()"


def test_an_output_that_is_stuck_is_left_behind() -> None:
    class Stuck:
        def take(self, _event: Event) -> None:
            time.sleep(3600)

        def finish(self, _error: BaseException | None) -> None:
            pass

    session = session_of(200)
    output = OutputThread(Stuck(), "viewer", session.reports.put)
    session.listeners.append(output)
    begin = time.monotonic()
    session.run()
    assert not output.close(timeout_s=0.1)
    assert time.monotonic() - begin < 5
    assert output.dropped >= 198


def test_the_summary_has_the_ages_of_the_frames_that_the_tracker_was_given_alone() -> None:
    summary, shown = LiveSummary(), live_frame(0)
    for _ in range(99):  # nothing is selected yet, or a selection catches up
        summary.offer(FrameEvent(shown, FrameRecord(0, 0.0, None, math.nan, "WAITING"), 0.5))
    assert not {"age_ms_p50", "update_ms_p50"} & set(summary.table("quit"))
    summary.offer(FrameEvent(shown, FrameRecord(0, 0.0, None, 0.9, "TRACKING", ms={"total": 102.0}), 110.0))
    table = summary.table("quit")
    assert (table["frames"], summary.tracked_frames) == (100, 1)
    ages_and_updates = [table[name] for name in ("age_ms_p50", "age_ms_p95", "update_ms_p50", "update_ms_p95")]
    assert ages_and_updates == pytest.approx([110, 110, 102, 102], rel=0.003)
