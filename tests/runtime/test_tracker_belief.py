"""What the tracker believes of a target's size and place, and what it does while it does not see the target."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from eatrack_edge.runtime.settings import SearchSettings, TrackerSettings
from eatrack_edge.runtime.tracker import Tracker, Update
from runtime.simulated import SimulatedBackend, scene

START = (145.0, 110.0, 30.0, 20.0)


def started(backend: SimulatedBackend | None = None, settings: TrackerSettings | None = None) -> Tracker:
    tracker = Tracker(backend or SimulatedBackend(), settings=settings)
    tracker.init(scene(160, 120), START)
    return tracker


def calibrated() -> SimulatedBackend:
    backend = SimulatedBackend()
    backend.contract = replace(backend.contract, confidence_scale=1.01)
    return backend


def test_a_change_of_size_is_believed_by_and_by() -> None:
    tracker = started()
    widths = [tracker.update(scene(160, 120, 60, 20)).box[2] for _ in range(6)]
    assert widths[0] == pytest.approx(30 * 2**0.6, rel=0.05)
    assert widths == sorted(widths)
    assert widths[-1] == pytest.approx(60, abs=2)


def test_an_unsure_frame_leaves_the_box_where_it_was() -> None:
    backend = calibrated()
    tracker = started(backend)
    backend.confidence = 0.2
    update = tracker.update(scene(168, 124, 50, 40))
    assert (update.box, update.state) == (START, "UNCERTAIN")


def test_a_peak_that_was_never_calibrated_says_little_so_the_box_follows_it() -> None:
    backend = SimulatedBackend()
    tracker = started(backend)
    backend.confidence = 0.2
    x, y, w, h = tracker.update(scene(168, 124)).box
    assert (x + w / 2, y + h / 2) == pytest.approx((168, 124), abs=1.5)


def test_a_target_that_comes_out_beyond_the_usual_search_crop_is_found_again() -> None:
    def back(settings: TrackerSettings) -> Update:
        tracker = started(calibrated(), settings)
        for _ in range(8):
            tracker.update(scene(-100, -100))  # hidden
        return tracker.update(scene(160 + 66, 120))  # its near edge is 51 px away, the usual crop reaches 49

    narrow = TrackerSettings(search=SearchSettings(widest=1.0))
    assert back(narrow).state == "UNCERTAIN"
    assert back(TrackerSettings()).state == "TRACKING"


def test_a_target_that_runs_out_of_the_search_crop_of_its_last_place_is_looked_for_ahead() -> None:
    def after_a_sprint(settings: TrackerSettings) -> Update:
        tracker = started(calibrated(), settings)
        tracker.update(scene(180, 120))
        tracker.update(scene(180 + 30, 120))
        return tracker.update(scene(180 + 30 + 66, 120))  # its near edge is 51 px away, the usual crop reaches 49

    assert after_a_sprint(TrackerSettings()).state == "UNCERTAIN"
    assert after_a_sprint(TrackerSettings(search=SearchSettings(follow_motion=0.8))).state == "TRACKING"


def test_of_two_targets_that_score_alike_the_one_of_the_last_size_is_chosen() -> None:
    backend = SimulatedBackend()
    tracker = started(backend)
    maps = backend._look(scene(64, 64, width=128, height=128))
    score, size = np.full_like(maps.score_map, 0.01), maps.size_map.copy()
    score[4, 3], score[4, 4] = 0.9, 0.89  # as far from the centre
    side = 1 / tracker.contract.cropping.search_factor
    size[:, 4, 3], size[:, 4, 4] = 3 * side, side
    backend.override = maps._replace(score_map=score, size_map=size, offset_map=np.full_like(maps.offset_map, 0.5))
    x, _, w, _ = tracker.update(scene(160, 120)).box
    assert x + w / 2 > 160


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("widen_after", 0, "widen_after must be at least 1, got 0"),
        ("widest", 0.5, "widen_by and widest must be at least 1, got 1.15 and 0.5"),
    ],
)
def test_a_search_that_cannot_work_is_refused(field: str, value: float, message: str) -> None:
    with pytest.raises(Exception, match=message):
        SearchSettings(**{field: value})
