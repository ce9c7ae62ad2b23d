from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from benchmarks.samples import result as bench_result
from eatrack_edge.benchmarks.measure.bench_result import Ratio
from eatrack_edge.benchmarks.measure.latency import spread
from eatrack_edge.benchmarks.measure.overhead_result import (
    LIMITS_MS,
    CommandLoop,
    CropCost,
    Flight,
    FrameCost,
    OverheadResult,
    crop_table,
    findings,
    frame_table,
    write_overhead,
)

COMMITTED = sorted((Path(__file__).parents[3] / "benchmarks" / "results").glob("overhead--*.json"))


def result(total_ms: float = 0.6) -> OverheadResult:
    """A small result; its figures are made up."""
    times, other = Ratio(1.0, 1.0, 1.0, 0.98, 1.02, 10), bench_result()
    cost = {"crop": spread([0.4]), "total": spread([total_ms])}
    return OverheadResult(
        command=["eatrack-edge", "bench", "overhead"],
        measured_at="2026-01-02T03:04:05+00:00",
        measured_on="ACME Notebook 14, not a Jetson Orin",
        env=other.env,
        board=other.board,
        backend="a stand-in",
        shaped_as="eatrack_s",
        target_px=[64.0, 48.0],
        limits_ms=dict(LIMITS_MS),
        frames=[FrameCost(1920, 1080, swept, cost, times) for swept in (0, 1000)],
        crops=[CropCost(1920, 1080, 222.0, spread([0.4])), CropCost(3840, 2160, 222.0, spread([0.41]))],
        flight=Flight(1920, 1080, 1000, spread([0.6]), spread([0.63]), [0.6, 0.63], 100.0, 100.5),
        command_loop=CommandLoop(
            frames=10_000,
            first_ms=spread([0.1]),
            last_ms=spread([0.102]),
            p50_by_tenth_ms=[0.1, 0.102],
            rss_first_mb=60.0,
            rss_last_mb=60.1,
            outputs="JSON lines",
            simulated="no network ran",
        ),
        valid=True,
        invalid_reasons=[],
        notes=[],
    )


def test_findings_say_what_was_asked_and_what_was_found() -> None:
    assert findings(result()) == [
        "crop at 1080p: 0.400 ms in the median, 0.400 at best; at most 0.5 is asked: met",
        "total at 1080p: 0.600 ms in the median, 0.600 at best; at most 1 is asked: met",
        "crop at 1080p, caches swept: 0.400 ms in the median, 0.400 at best; at most 0.5 is asked: met",
        "total at 1080p, caches swept: 0.600 ms in the median, 0.600 at best; at most 1 is asked: met",
        "search crops alone at 1080p: within 0.5 ms up to a window of 222 px",
        "1000 updates: 0.600 ms in the median of the first tenth, 0.630 of the last (+5.0%); memory 100.0 MB, then 100.5",
        "the loop of track without an update, 10000 frames: 0.100 ms in the median of the first tenth, 0.102 of the last (+2.0%); memory 60.0 MB, then 60.1",
    ]
    assert findings(result(total_ms=1.2))[1].endswith("at most 1 is asked: NOT met")


def test_tables_have_a_row_a_size_and_a_row_a_window() -> None:
    assert [row[0] for row in frame_table(result())[1:]] == ["1920x1080", "1920x1080, caches swept"]
    assert crop_table(result()) == [
        [
            "search crop, ms",
            *(f"{size} {name}" for size in ("1920x1080", "3840x2160") for name in ("min", "p50", "p95")),
        ],
        ["window of 222 px", "0.400", "0.400", "0.400", "0.410", "0.410", "0.410"],
    ]


def test_a_result_survives_the_way_to_a_file_and_back(tmp_path: Path) -> None:
    write_overhead(result(), tmp_path / "a.json")
    assert msgspec.json.decode((tmp_path / "a.json").read_bytes(), type=OverheadResult) == result()


@pytest.mark.parametrize("path", COMMITTED, ids=lambda path: path.stem)
def test_a_committed_result_can_be_read_and_says_whether_it_is_valid(path: Path) -> None:
    found = msgspec.json.decode(path.read_bytes(), type=OverheadResult)
    assert found.valid == (not found.invalid_reasons)
    assert found.flight.updates >= 100_000
