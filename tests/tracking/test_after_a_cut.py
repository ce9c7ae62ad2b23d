"""A cut may show another scene, so a target is claimed with more care after one, unless the scene is recognised."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from eatrack_edge.core.boxes import Box
from eatrack_edge.core.crops import Frame
from eatrack_edge.tracking.lifecycle import TrackState
from eatrack_edge.tracking.settings import LifecycleSettings, ReacquisitionSettings, TrackerSettings
from eatrack_edge.tracking.tracker import Tracker
from tracking.simulated import SimulatedBackend, scene

START: Box = (145.0, 110.0, 30.0, 20.0)
LOST = (0.9, *(0.1,) * 5)  # confidences
LOOKS = ReacquisitionSettings().verification_frames
NEVER_AFTER_A_CUT = ReacquisitionSettings(minimum_log_odds_after_cut=1e6, long_minimum_log_odds=1e6)


def flight(*confidences: float, reacquisition: ReacquisitionSettings | None = None) -> tuple[Tracker, str]:
    """A tracker of a target that stays where it is, and the first letters of its states; its confidence is 0.9 now."""
    backend = SimulatedBackend()
    backend.model_spec = replace(backend.model_spec, confidence_scale=1.01)
    settings = TrackerSettings(
        lifecycle=LifecycleSettings(resume_confidence=0.5, lost_after=5),
        reacquisition=reacquisition or ReacquisitionSettings(),
    )
    tracker = Tracker(backend, settings=settings)
    tracker.init(scene(160, 120), START)
    states = ""
    for backend.confidence in confidences:
        states += str(tracker.update(scene(160, 120)).state)[0]
    backend.confidence = 0.9
    return tracker, states


def another_picture() -> Frame:
    """The same target, in another picture."""
    frame = 255 - scene(-100, -100)
    frame[..., 2] = 40  # nothing red
    frame[110:130, 145:175] = (0, 0, 255)
    return frame


def test_what_was_lost_without_a_cut_is_found_by_the_limit_without_one() -> None:
    states = flight(*LOST, *(0.9,) * (LOOKS + 1), reacquisition=NEVER_AFTER_A_CUT)[1]
    assert states == "TUUUUL" + "L" * LOOKS + "R"


@pytest.mark.parametrize("before", [(0.9,), LOST], ids=["tracked", "lost"])
def test_after_a_cut_the_limits_of_one_hold_until_the_target_is_found(before: tuple[float, ...]) -> None:
    tracker, _ = flight(*before, reacquisition=NEVER_AFTER_A_CUT)
    states = [tracker.update(another_picture()).state for _ in range(30)]
    assert TrackState.REACQUIRED not in states
    assert states[-1] is TrackState.LOST


def test_what_was_found_after_a_cut_and_taken_back_is_looked_for_as_after_a_cut() -> None:
    tracker, _ = flight(0.9)
    assert tracker._target is not None
    assert [str(tracker.update(another_picture()).state)[0] for _ in range(LOOKS + 1)] == ["U"] * LOOKS + ["T"]
    tracker._target.verifier.start(-tracker._target.verifier._first)  # now it proves unlike the target
    assert TrackState.LOST in [tracker.update(another_picture()).state for _ in range(8)]
    assert tracker._target.reacquisition.is_after_cut


def test_nothing_is_stored_until_the_target_is_verified_and_its_probation_over() -> None:
    tracker, _ = flight(0.9)
    before = tracker.templates._stored_count
    stored, states = [], []
    for _ in range(LOOKS + 2 + ReacquisitionSettings().probation_frames):
        result = tracker.update(another_picture())
        stored.append(tracker.templates._stored_count - before)
        states.append(str(result.state)[0])
    assert states == ["U"] * LOOKS + ["T"] * (2 + ReacquisitionSettings().probation_frames)
    assert stored == [0] * (LOOKS + ReacquisitionSettings().probation_frames) + [1, 2]


def moved_on() -> Frame:
    """The first scene, whose target stands on the ground, after the camera has moved on by 60 pixels."""
    return np.roll(scene(160, 120), 60, axis=1)


def test_when_the_scene_is_back_the_limits_of_a_cut_no_longer_hold() -> None:
    tracker, _ = flight(0.9, reacquisition=NEVER_AFTER_A_CUT)
    assert isinstance(tracker.backend, SimulatedBackend)
    tracker.backend.confidence = 0.1
    away = [tracker.update(another_picture()).state for _ in range(10)]
    assert away[-1] is TrackState.LOST
    tracker.backend.confidence = 0.9
    back = [tracker.update(moved_on()) for _ in range(LOOKS + 1)]
    assert [str(result.state)[0] for result in back] == ["L"] * LOOKS + ["R"]
    assert back[-1].box == pytest.approx((205.0, 110.0, 30.0, 20.0), abs=1)


def test_a_lost_targets_scene_is_looked_for_from_time_to_time() -> None:
    tracker, _ = flight(*LOST)
    assert tracker._target is not None
    search, known = tracker._target.reacquisition, []
    for frame in (scene(-100, -100),) * 3 + (another_picture()[::-1],) * 3:
        tracker.update(frame)
        known.append(search.ground is not None)
    assert known == [True, True, True, False, False, False]


def test_the_ground_is_that_of_the_latest_frames_in_which_it_was_tracked() -> None:
    tracker, _ = flight(0.9)
    assert tracker._target is not None
    for step in range(1, 12):
        assert tracker.update(scene(160 + 3 * step, 120)).state is TrackState.TRACKING
    tracker.update(another_picture())
    assert tracker._target.reacquisition.ground is None
    tracker.update(scene(193, 120))
    ground = tracker._target.reacquisition.ground
    assert ground is not None
    assert ground[0] == pytest.approx(START[0] + 3 * 9, abs=2)  # the tenth frame
