from __future__ import annotations

import os
import threading
from mmap import mmap
from pathlib import Path

import pytest

from eatrack_edge.benchmarks.measure.tenths import TENTHS, Tenths


@pytest.mark.parametrize(
    ("steps", "ends"),
    [
        pytest.param(100, list(range(9, 100, 10)), id="a multiple of ten"),
        pytest.param(109, list(range(9, 100, 10)), id="the rest belongs to no tenth of its own"),
        pytest.param(19, list(range(10)), id="few steps"),
    ],
)
def test_the_process_is_looked_at_ten_times(steps: int, ends: list[int]) -> None:
    tenths = Tenths(steps)
    assert [step for step in range(steps) if tenths.add(1.0)] == ends
    assert len(tenths.threads) == len(tenths.descriptors) == TENTHS


def test_the_times_of_the_first_and_the_last_tenth_are_told_apart() -> None:
    tenths = Tenths(50)
    for step in range(50):
        tenths.add(float(step // 5))
    found = tenths.summary()
    assert (found["first_ms"].p50, found["last_ms"].p50, found["last_ms"].count) == (0, 9, 5)
    assert found["p50_by_tenth_ms"] == list(range(10))


def test_threads_files_and_memory_that_stay_open_are_counted() -> None:
    tenths, over, opened, kept = Tenths(10), threading.Event(), [], []
    for _ in range(10):
        opened.append(os.open("/dev/null", os.O_RDONLY))
        threading.Thread(target=over.wait, daemon=True).start()
        kept.append(mmap(-1, 4_000_000))  # new memory from the system, not what an earlier test gave back
        kept[-1].write(b"x" * 4_000_000)
        tenths.add(1.0)
    over.set()
    for descriptor in opened:
        os.close(descriptor)
    for block in kept:
        block.close()
    assert tenths.descriptors[-1] - tenths.descriptors[0] == 9
    assert tenths.threads[-1] - tenths.threads[0] == 9
    found = tenths.summary()
    assert found["rss_last_mb"] - found["rss_first_mb"] > 30


def test_a_machine_that_reports_nothing_gives_zeros(tmp_path: Path) -> None:
    tenths = Tenths(10, tmp_path)
    for _ in range(10):
        tenths.add(1.0)
    assert (tenths.threads, tenths.descriptors) == ([0] * 10, [0] * 10)
