"""The loop of ``track`` around an update that takes no time; nothing in it may grow with the frames."""

from __future__ import annotations

import pytest

from eatrack_edge.benchmarks.measure import command_loop
from eatrack_edge.benchmarks.measure.command_loop import SIMULATED, measure_command_loop
from eatrack_edge.outputs.base import FrameRecord
from eatrack_edge.session.summary import Summary


def test_every_frame_goes_through_the_loop_and_the_result_says_that_no_network_ran() -> None:
    seen: list[FrameRecord] = []
    found = measure_command_loop(1000, seen.append)
    assert [record.frame for record in seen] == list(range(1000))
    assert (found.frames, found.first_ms.count, found.last_ms.count) == (1000, 100, 100)
    assert len(found.p50_by_tenth_ms) == 10
    assert found.simulated == SIMULATED
    assert "no network" in SIMULATED
    assert 0 < found.first_ms.p50 < 50


def test_a_loop_that_looks_back_at_the_whole_run_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    class Forgetful(Summary):
        """As the summary was once: a median over all frames at every frame."""

        def __init__(self) -> None:
            super().__init__()
            self._all: list[float] = []

        @property
        def update_fps(self) -> float:
            self._all.append(float(self.frames))
            return sorted(self._all * 20)[len(self._all) // 2]

    sound = measure_command_loop(2000)
    monkeypatch.setattr(command_loop, "Summary", Forgetful)
    found = measure_command_loop(2000)
    # The least of each tenth: other programs on the machine slow some frames of every tenth.
    assert found.last_ms.min > 3 * found.first_ms.min
    assert sound.last_ms.min < 3 * sound.first_ms.min


@pytest.mark.slow
def test_a_million_frames_cost_the_same_from_the_first_to_the_last() -> None:
    found = measure_command_loop(1_000_000)
    first, last = (one.percentiles["25"] for one in (found.first_ms, found.last_ms))
    assert last < 1.25 * first
    assert found.rss_last_mb - found.rss_first_mb < 5
