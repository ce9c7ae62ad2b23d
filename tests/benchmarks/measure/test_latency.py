from __future__ import annotations

import itertools
from time import perf_counter, sleep
from typing import NamedTuple

import numpy as np
import pytest

from eatrack_edge.benchmarks.measure import latency
from eatrack_edge.benchmarks.measure.frame_blocks import Block
from eatrack_edge.benchmarks.measure.latency import (
    Contestant,
    Plan,
    histogram,
    measure,
    replay,
    spread,
    spreads,
    warm_up,
)
from eatrack_edge.tracking.tracker import Tracker
from tracking.simulated import SimulatedBackend, scene

BOX = (145.0, 110.0, 30.0, 20.0)


class BaselineResult(NamedTuple):
    box: tuple[float, float, float, float]
    confidence: float = 0.0


class Sleeper:
    """A simulated tracker that takes the times it is given, in seconds, and then the last of them."""

    def __init__(self, *seconds: float) -> None:
        self.seconds = itertools.chain(seconds, itertools.repeat(seconds[-1]))
        self.started = 0

    def init(self, _frame: object, _box: object) -> None:
        self.started += 1

    def update(self, _frame: object) -> BaselineResult:
        sleep(next(self.seconds))
        return BaselineResult(BOX)


def blocks(size: int = 4, per_pass: int = 3) -> itertools.cycle[Block]:
    frames = [scene(160 + step, 120) for step in range(size)]
    plain = Block(frames, [2.0] * size, [BOX] * size, None)
    return itertools.cycle([Block(frames, [2.0] * size, [BOX] * size, frames[0]), *[plain] * (per_pass - 1)])


def quiet(_done: int, _seconds: float) -> None:
    """Progress that nobody looks at."""


def test_a_spread_is_numpys() -> None:
    values = np.random.default_rng(0).gamma(2, 5, 500)
    found = spread(values.tolist(), (75, 99.9))
    assert (found.count, found.min, found.max) == (
        500,
        pytest.approx(values.min(), abs=1e-3),
        pytest.approx(values.max(), abs=1e-3),
    )
    for name, percentile in (("p50", 50), ("p90", 90), ("p95", 95), ("p99", 99)):
        assert getattr(found, name) == pytest.approx(np.percentile(values, percentile), abs=1e-3)
    assert found.cov == pytest.approx(values.std() / values.mean(), abs=1e-4)
    assert found.percentiles == {
        "75": pytest.approx(np.percentile(values, 75), abs=1e-3),
        "99.9": pytest.approx(np.percentile(values, 99.9), abs=1e-3),
    }


@pytest.mark.parametrize(
    ("update_ms", "ages", "missed"),
    [
        pytest.param([5.0] * 4, [5.0] * 4, 0.0, id="faster than the camera: no frame is missed"),
        pytest.param([30.0] * 4, [30.0, 40.0, 30.0, 40.0], 0.2, id="slower: the newest frame, which has waited"),
        pytest.param([100.0, 5.0, 5.0], [100.0, 5.0, 5.0], 4 / 7, id="one stall: the frames of it are missed"),
        pytest.param([20.0] * 3, [20.0] * 3, 0.0, id="exactly as fast"),
    ],
)
def test_a_live_camera_is_replayed_from_the_latencies(update_ms: list[float], ages: list[float], missed: float) -> None:
    seen = replay(update_ms, 50.0)
    assert seen.missed_share == pytest.approx(missed, abs=1e-4)
    assert (seen.frame_age_ms.min, seen.frame_age_ms.max) == (pytest.approx(min(ages)), pytest.approx(max(ages)))
    assert seen.frame_age_ms.mean == pytest.approx(np.mean(ages), abs=1e-3)


def test_the_stages_of_ours_add_up_to_the_total() -> None:
    contestant = Contestant("ours", lambda: Tracker(SimulatedBackend()))
    source = blocks()
    warm_up([contestant], source, BOX, Plan(warmup_ms=0))
    measure([contestant], source, BOX, Plan(iterations=8, duration_s=0), quiet)
    stages = {name: np.array(values) for name, values in contestant.stages.items()}
    np.testing.assert_allclose(stages["end_to_end"], stages["total"] + 2.0)
    np.testing.assert_allclose(stages["around_infer"], stages["total"] - stages["infer"])
    parts = stages["crop"] + stages["maps"] + stages["template"] + stages["infer"]
    assert (parts <= stages["total"]).all()
    assert contestant.overlaps


def test_a_stage_that_cannot_be_told_apart_is_absent() -> None:
    contestant = Contestant("baseline", lambda: Sleeper(0.0))
    measure([contestant], blocks(), BOX, Plan(iterations=4, duration_s=0), quiet)
    assert list(spreads(contestant)) == ["decode", "total", "end_to_end"]


def test_warm_up_ends_when_two_blocks_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(latency, "WARM_WITHIN", 0.4)  # sleeping is no precise clock
    slow_start = Contestant("slow", lambda: Sleeper(*[0.04] * 4, *[0.02] * 4, 0.005))
    warm_up([slow_start], blocks(), BOX, Plan(warmup_ms=0))
    assert slow_start.is_warm
    assert slow_start.warmup_updates >= 16, "the third and fourth block are the first two alike"


def test_who_has_settled_once_stays_warm_while_others_still_settle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(latency, "WARM_WITHIN", 0.4)  # sleeping is no precise clock
    restless = [0.004, 0.004, 0.02, 0.02]  # two blocks of two frames
    early = Contestant("early", lambda: Sleeper(*[0.005] * 12, *restless * 10))
    late = Contestant("late", lambda: Sleeper(*restless * 3, *[0.005] * 12, *restless * 10))
    warm_up([early, late], blocks(size=2), BOX, Plan(warmup_ms=0))
    assert early.is_warm
    assert late.is_warm
    assert early.warmup_updates == late.warmup_updates


def test_warm_up_lasts_as_long_as_was_asked() -> None:
    steady, frames = Contestant("steady", lambda: Sleeper(0.005)), blocks()
    start = perf_counter()
    warm_up([steady], frames, BOX, Plan(warmup_ms=150))
    assert perf_counter() - start >= 0.15


def test_a_tracker_that_never_settles_is_said_not_to_be_warm() -> None:
    restless = Contestant("restless", lambda: Sleeper(*[0.002, 0.002, 0.01, 0.01] * latency.WARM_BLOCKS))
    warm_up([restless], blocks(size=2), BOX, Plan(warmup_ms=0))
    assert not restless.is_warm
    assert restless.warmup_updates == 2 * latency.WARM_BLOCKS


def test_turns_rotate_and_every_tracker_sees_every_block(monkeypatch: pytest.MonkeyPatch) -> None:
    turns: list[str] = []
    monkeypatch.setattr(Contestant, "measure", lambda self, _block: turns.append(self.label))
    contestants = [Contestant(name, lambda: Sleeper(0.0)) for name in "abc"]
    measure(contestants, blocks(), BOX, Plan(iterations=16, duration_s=0), quiet)
    assert "".join(turns) == "abc" + "bca" + "cab" + "abc"


def test_each_pass_over_the_source_begins_with_init() -> None:
    contestant = Contestant("steady", lambda: Sleeper(0.0))
    measure([contestant], blocks(per_pass=3), BOX, Plan(iterations=24, duration_s=0), quiet)
    assert contestant.follower.started == 2


def test_it_measures_until_both_limits_are_reached() -> None:
    contestant = Contestant("steady", lambda: Sleeper(0.001))
    seconds = measure([contestant], blocks(), BOX, Plan(iterations=4, duration_s=0.2), quiet)
    assert seconds >= 0.2
    assert len(contestant.stages["total"]) > 4


def test_a_histogram_holds_every_update() -> None:
    found = histogram([1.0] * 98 + [2.0, 500.0])
    assert sum(found["counts"]) == 100
    assert len(found["edges"]) == len(found["counts"]) + 1
    assert found["edges"][-1] < 500
