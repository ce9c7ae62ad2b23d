"""A live session on simulated frames; nothing in it may grow with the frames."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from eatrack_edge.benchmarks.measure import live_run
from eatrack_edge.benchmarks.measure.live_run import SIMULATED, measure_live_run
from eatrack_edge.benchmarks.measure.overhead_result import LiveRun
from eatrack_edge.session.events import Event
from eatrack_edge.session.live_summary import LiveSummary


def check_flat(run: LiveRun) -> None:
    assert run.threads_last == run.threads_first > 1
    assert run.descriptors_last == run.descriptors_first > 1
    assert run.rss_last_mb - run.rss_first_mb < 5


def test_every_frame_goes_through_the_session_into_the_log_and_none_is_dropped(tmp_path: Path) -> None:
    seen: list[None] = []
    run = measure_live_run(1000, lambda: seen.append(None), log=tmp_path / "fly.jsonl")
    lines = [json.loads(line) for line in (tmp_path / "fly.jsonl").read_text().splitlines()]
    frames = [line for line in lines if line["type"] == "frame"]
    assert len(seen) == len(frames) == run.frames == 1000
    assert [frame["frame"] for frame in frames] == list(range(1000))
    assert frames[-1]["state"] == "TRACKING"
    assert run.dropped == 0
    assert "no network" in run.simulated == SIMULATED


def test_memory_threads_files_and_time_are_flat_over_many_frames() -> None:
    run = measure_live_run(10_000)
    check_flat(run)
    # The least of each tenth: other programs on the machine slow some frames of every tenth.
    assert run.last_ms.min < 2 * run.first_ms.min


def test_a_session_that_starts_a_thread_now_and_then_and_keeps_its_events_is_found_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    over = threading.Event()

    class Leaking(LiveSummary):
        """Holds on to all it was offered, and to a thread for every 250 of them."""

        def __init__(self) -> None:
            super().__init__()
            self._all: list[Event] = []

        def offer(self, event: Event) -> None:
            super().offer(event)
            self._all.append(event)
            if len(self._all) % 250 == 0:
                threading.Thread(target=over.wait, daemon=True).start()

    monkeypatch.setattr(live_run, "LiveSummary", Leaking)
    run = measure_live_run(1000)
    over.set()
    assert run.threads_last == run.threads_first + 4
    assert run.rss_last_mb - run.rss_first_mb > 50


@pytest.mark.slow
def test_three_hours_of_frames_cost_the_same_from_the_first_to_the_last() -> None:
    run = measure_live_run(324_000)
    check_flat(run)
    first, last = (one.percentiles["25"] for one in (run.first_ms, run.last_ms))
    print(f"lower quartile: {first:.3f} ms, then {last:.3f}; {run}")
    assert last < 1.25 * first
