"""What tracking costs beside inference, over the frames of an hour of flight; a stand-in answers at once."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import cv2
import pytest

from eatrack_edge.benchmarks.measure.overhead import (
    SIZES,
    STAND_IN,
    TARGET,
    StandIn,
    crop_costs,
    fly,
    frame_costs,
    measure_overhead,
    pictures,
)
from eatrack_edge.benchmarks.measure.overhead_result import LIMITS_MS, findings
from eatrack_edge.core.boxes import Box
from eatrack_edge.core.errors import InputError
from eatrack_edge.core.model_spec import ModelSpec
from eatrack_edge.core.resources import DEFAULT_MODEL
from eatrack_edge.inference.model_files import find_graphs
from eatrack_edge.inference.onnx_metadata import read_model_spec
from eatrack_edge.tracking.tracker import Tracker
from machine import boards

pytest_plugins = ["machine.conftest"]

UPDATES = 100_000


@pytest.fixture
def model_spec() -> ModelSpec:
    cv2.setNumThreads(1)
    return read_model_spec(find_graphs(DEFAULT_MODEL)[1])


def unheard(*_: object) -> None:
    """Nobody watches."""


def test_the_stand_in_is_sure_of_a_target_that_goes_around_and_stores_every_frame(model_spec: ModelSpec) -> None:
    start: Box = (600.0, 300.0, *TARGET)
    tracker, frames = Tracker(StandIn(model_spec)), pictures((1280, 720))
    tracker.init(next(frames), start)
    seen = [tracker.update(frame) for frame in islice(frames, 120)]
    assert all(one.state == "TRACKING" and one.confidence > 0.99 for one in seen)
    assert [one.template_event.is_replaced for one in seen if one.template_event] == [True] * 4
    across = [one.box[0] for one in seen]
    assert max(across) - min(across) > 100
    for lap in (60, 120):
        assert seen[lap - 1].box == pytest.approx(start, abs=0.5)


def test_the_overhead_is_within_its_limit_and_does_not_grow_with_the_frame(model_spec: ModelSpec) -> None:
    costs = frame_costs(model_spec, blocks=10)
    # The best of each: a busy machine slows all of them.
    best = [one.latency_ms["total"].min for one in costs]
    assert [(one.width, one.height) for one in costs] == list(SIZES)
    assert max(best) < 1.5 * min(best)
    assert best[1] <= LIMITS_MS["total"]


def test_what_follows_a_network_starts_with_cold_caches_and_costs_more(model_spec: ModelSpec) -> None:
    warm, cold = (frame_costs(model_spec, blocks=2, swept_bytes=size)[1] for size in (0, 32 << 20))
    assert (warm.swept_bytes, cold.swept_bytes) == (0, 32 << 20)
    assert cold.latency_ms["total"].min > warm.latency_ms["total"].min


def test_a_crop_costs_the_same_on_1080p_and_4k(model_spec: ModelSpec) -> None:
    costs = crop_costs(model_spec, rounds=12)
    for side in {one.window_px for one in costs}:
        small, large = (one.latency_ms.min for one in costs if one.window_px == side)
        assert large < 1.5 * small


def test_a_result_is_that_of_the_machine_and_names_the_stand_in(
    nano: boards.Tree, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("eatrack_edge.benchmarks.measure.overhead._SWEPT_BYTES", 1000)
    found = measure_overhead(DEFAULT_MODEL, 100, ["eatrack-edge"], unheard, nano.root, is_live=True)
    assert found.backend == STAND_IN == "a stand-in that answers at once: no network ran"
    assert found.measured_on.endswith("(p3767-0005)")
    assert found.invalid_reasons[0].startswith("the clocks may float")
    assert found.flight.first_ms.count == found.flight.last_ms.count == 10
    assert "infer" not in found.frames[0].latency_ms
    assert found.command_loop is not None
    assert found.command_loop.frames == 1000
    assert found.live_run is not None
    assert found.live_run.frames == 1000
    assert findings(found)[-1].startswith("a live session without an update, 1000 frames: ")


def test_memory_stays_flat_over_half_a_minute_of_frames(model_spec: ModelSpec) -> None:
    flight = fly(model_spec, 1000, unheard)
    assert flight.updates == 1000
    assert flight.rss_growth_mb < 1


@pytest.mark.slow
def test_the_overhead_and_memory_stay_flat_over_an_hour_of_frames(model_spec: ModelSpec) -> None:
    flight = fly(model_spec, UPDATES, unheard)
    # The quarter that others disturbed least.
    first, last = (one.percentiles["25"] for one in (flight.first_ms, flight.last_ms))
    print(f"lower quartile: {first:.3f} ms, then {last:.3f}; memory grew by {flight.rss_growth_mb:.1f} MB")
    assert last < 1.25 * first
    assert flight.rss_growth_mb < 5


def test_an_unknown_model_is_refused_before_anything_is_measured(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds 0 exported models"):
        measure_overhead(tmp_path, 100, [], unheard)
