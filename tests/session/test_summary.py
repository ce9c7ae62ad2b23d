from __future__ import annotations

import time
import tracemalloc

import numpy as np
import pytest

from eatrack_edge.outputs.base import FrameRecord, RunEvent
from eatrack_edge.session.session import TrackedFrame
from eatrack_edge.session.summary import Summary
from eatrack_edge.sources.base import SourceFrame

FRAME = np.zeros((4, 4, 3), np.uint8)


def _tracked(index: int, total_ms: float, **shown: object) -> TrackedFrame:
    record = FrameRecord(index, index / 30, (0, 0, 2, 2), 0.5, ms={"total": total_ms})
    return TrackedFrame(SourceFrame(index, index / 30, FRAME, **shown), record)  # type: ignore[arg-type]


def test_an_hour_of_flight_takes_no_more_time_and_memory_a_frame_than_a_minute() -> None:
    summary = Summary()
    seconds = []
    tracemalloc.start()
    for index in range(0, 200_000, 2_000):
        start = time.process_time()
        for step in range(2_000):
            summary.add(_tracked(index + step, 5 + step % 7))
            _ = summary.update_fps if step % 10 == 0 else None
        seconds.append(time.process_time() - start)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1_000_000
    assert np.median(seconds[-20:]) < 3 * np.median(seconds[5:25])
    table = summary.table("end of source")
    assert table["frames"] == 200_000
    assert table["update_ms_p50"] == pytest.approx(8, rel=0.003)
    assert table["update_ms_p95"] == pytest.approx(11, rel=0.003)


def test_the_speed_that_is_shown_follows_the_last_updates() -> None:
    summary = Summary()
    for index in range(100):
        summary.add(_tracked(index, 100.0 if index < 60 else 10.0))
    assert summary.update_fps == pytest.approx(100)


def test_lost_and_damaged_frames_and_changes_of_size_are_counted_and_told() -> None:
    summary = Summary()
    summary.add(_tracked(0, 1.0))
    one, two = _tracked(1, 0.0, lost=1), _tracked(2, 1.0, is_damaged=True)
    summary.add(one._replace(events=(RunEvent("gap", 1, {"frames": 1, "reason": "lost"}),)))
    summary.add(two._replace(events=(RunEvent("size_change", 2, {"from": (4, 4), "size": (8, 6)}),)))
    table = summary.table("end of source")
    assert (table["frames"], table["lost_frames"], table["damaged_frames"], table["size_changes"]) == (3, 1, 1, 1)
    assert summary.warnings() == [
        "1 frames were lost to damage and 1 were damaged in part, the first is frame 1",
        "frame 2 is 8x6: frames of another size than the first were scaled to that",
    ]


def test_a_sound_source_has_no_warnings_and_no_lines_for_them() -> None:
    summary = Summary()
    summary.add(_tracked(0, 1.0))
    assert summary.warnings() == []
    assert not {"lost_frames", "damaged_frames", "size_changes"} & set(summary.table("x"))
