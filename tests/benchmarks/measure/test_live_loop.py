from __future__ import annotations

import json
from pathlib import Path

import pytest

from eatrack_edge.benchmarks.measure.live_loop import LIMIT_MS, SCHEMA, measure_live_loop, write_live_loop

pytest.importorskip("av")
COMMITTED = sorted((Path(__file__).parents[3] / "benchmarks" / "results").glob("live_loop--*.json"))


def test_the_loop_is_measured_by_thread_and_for_the_whole_process(tmp_path: Path) -> None:
    result = measure_live_loop(20, ["test"], width=320, height=180, fps=100)
    assert (result.schema, result.frames, result.dropped) == (SCHEMA, 20, result.dropped)
    assert 0 < result.loop_ms["p50"] <= result.loop_ms["p95"]
    assert result.all_threads_ms > 0
    write_live_loop(result, tmp_path / "live.json")
    assert json.loads((tmp_path / "live.json").read_text())["width"] == 320


@pytest.mark.parametrize("path", COMMITTED, ids=lambda path: path.stem)
def test_a_committed_result_is_within_the_limit(path: Path) -> None:
    found = json.loads(path.read_text())
    assert (found["width"], found["height"], found["env"]["is_dirty"]) == (1280, 720, False)
    assert found["all_threads_ms"] < LIMIT_MS
