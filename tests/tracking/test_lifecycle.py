from __future__ import annotations

from dataclasses import replace

import pytest

from eatrack_edge.tracking.lifecycle import Lifecycle, StateChange, TrackState
from eatrack_edge.tracking.result import TrackResult
from eatrack_edge.tracking.settings import LifecycleSettings, TemplateSettings, TrackerSettings
from eatrack_edge.tracking.tracker import Tracker
from tracking.simulated import SimulatedBackend, scene

SETTINGS = LifecycleSettings(resume_confidence=0.5, lost_after=4, reacquire_after=3)
EVIDENCE = {"confidence": 0.8, "similarity": 0.9, "low_frames": 4, "confirming_frames": 3, "cut": 0.0}
START = (145.0, 110.0, 30.0, 20.0)


def states(*confidences: float, is_calibrated: bool = True) -> str:
    """The state after each confidence, by its first letter."""
    return "".join(str(state)[0] for state in changes(confidences, is_calibrated)[0])


def changes(confidences: tuple[float, ...], is_calibrated: bool = True) -> tuple[list[TrackState], list[StateChange]]:
    lifecycle = Lifecycle(SETTINGS, 0.3, is_calibrated=is_calibrated)
    seen, changed = [], []
    for index, confidence in enumerate(confidences, start=1):
        change = lifecycle.observe(index, confidence, 0.9)
        seen.append(lifecycle.state)
        changed += [change] if change else []
    return seen, changed


@pytest.mark.parametrize(
    ("confidences", "expected"),
    [
        pytest.param((0.9, 0.3, 0.8), "TTT", id="the limit itself is high enough"),
        pytest.param((0.9, 0.2, 0.6), "TUT", id="one low frame is no loss"),
        pytest.param((0.2, 0.4, 0.4, 0.5), "UUUT", id="leaving a doubt takes more than entering it"),
        pytest.param((0.4, 0.4, 0.4, 0.4, 0.4), "TTTTT", id="below the upper limit alone is no doubt"),
        pytest.param((0.1, 0.1, 0.1, 0.1), "UUUL", id="lost after four low frames"),
        pytest.param((0.1, 0.1, 0.1, 0.6, 0.1, 0.1, 0.1, 0.1), "UUUTUUUL", id="a high frame starts the count anew"),
        pytest.param((0.1,) * 4 + (0.9, 0.9, 0.1, 0.9, 0.9), "UUULLLLLL", id="two frames in a row confirm nothing"),
        pytest.param((0.1,) * 4 + (0.9, 0.9, 0.9, 0.9), "UUULLLRT", id="three do, and it is told once"),
        pytest.param((0.1,) * 4 + (0.4,) * 5, "UUULLLLLL", id="a middling confidence confirms nothing"),
        pytest.param((0.1,) * 4 + (0.9,) * 3 + (0.1,), "UUULLLRL", id="a find that fails at once is lost at once"),
    ],
)
def test_the_states(confidences: tuple[float, ...], expected: str) -> None:
    assert states(*confidences) == expected


def test_what_is_unlike_the_first_target_confirms_nothing_however_high_its_confidence() -> None:
    lifecycle = Lifecycle(SETTINGS, 0.3, is_calibrated=True)
    for index in range(4):
        lifecycle.observe(index, 0.1, 0.9)
    for index in range(4, 30):
        assert lifecycle.observe(index, 0.95, 0.64) is None
    assert lifecycle.state is TrackState.LOST


@pytest.mark.parametrize(
    ("similarity", "expected"),
    [pytest.param(0.9, "TUUTTT", id="the target is confirmed"), pytest.param(0.5, "TUUULL", id="another picture")],
)
def test_after_a_cut_a_high_confidence_has_to_be_confirmed(similarity: float, expected: str) -> None:
    lifecycle = Lifecycle(SETTINGS, 0.3, is_calibrated=True)
    seen = ""
    for index in range(6):
        change = lifecycle.observe(index, 0.9, similarity, is_cut=index == 1)
        seen += str(lifecycle.state)[0]
        if index == 1:
            assert change is not None
            assert (change.reason, change.evidence["cut"]) == ("a cut: the whole picture changed", 1.0)
    assert seen == expected


def test_a_cut_while_the_target_is_lost_starts_the_confirmation_anew() -> None:
    lifecycle = Lifecycle(SETTINGS, 0.3, is_calibrated=True)
    for index in range(4):
        lifecycle.observe(index, 0.1, 0.9)
    seen = ""
    for index in range(5):
        lifecycle.observe(index, 0.9, 0.9, is_cut=index == 2)
        seen += str(lifecycle.state)[0]
    assert seen == "LLLLR"


def test_without_a_calibrated_confidence_nothing_is_called_lost() -> None:
    assert states(*(0.1,) * 6, is_calibrated=False) == "UUUUUU"


def test_each_change_says_when_why_and_by_what_evidence() -> None:
    found = changes((0.9, 0.1, 0.1, 0.1, 0.1, 0.9, 0.9, 0.8, 0.9))[1]
    assert [(one.frame_index, str(one.before), str(one.state), one.reason) for one in found] == [
        (2, "TRACKING", "UNCERTAIN", "confidence 0.10 < 0.3"),
        (5, "UNCERTAIN", "LOST", "not found again for 4 frames"),
        (8, "LOST", "REACQUIRED", "confidence 0.80, and like the first template, for 3 frames"),
        (9, "REACQUIRED", "TRACKING", "confidence 0.90 >= 0.3"),
    ]
    assert found[2].evidence == EVIDENCE
    assert found[2].to_record() == {
        "before": "LOST",
        "reason": "confidence 0.80, and like the first template, for 3 frames",
        "evidence": EVIDENCE,
    }


def test_an_upper_limit_below_the_lower_one_is_raised_to_it() -> None:
    lifecycle = Lifecycle(LifecycleSettings(resume_confidence=0.1), 0.3, is_calibrated=True)
    lifecycle.observe(1, 0.2, 0.9)
    lifecycle.observe(2, 0.2, 0.9)
    assert lifecycle.state is TrackState.UNCERTAIN


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("resume_confidence", 1.5, "resume_confidence must be at least 0 and at most 1, got 1.5"),
        ("lost_after", 0, "lost_after must be at least 1, got 0"),
        ("minimum_similarity", 1.5, "minimum_similarity must be at least -1 and at most 1, got 1.5"),
        ("reacquire_after", 0.5, "reacquire_after must be at least 1, got 0.5"),
    ],
)
def test_a_life_cycle_that_cannot_work_is_refused(field: str, value: float, message: str) -> None:
    with pytest.raises(Exception, match=message):
        LifecycleSettings(**{field: value})


def flight(*confidences: float, interval: int = 25) -> tuple[Tracker, list[TrackResult]]:
    """A tracker with a calibrated confidence, and what it reports of a target that stays where it is."""
    backend = SimulatedBackend()
    backend.model_spec = replace(backend.model_spec, confidence_scale=1.01)
    templates = TemplateSettings(interval=interval)
    tracker = Tracker(backend, settings=TrackerSettings(lifecycle=SETTINGS, templates=templates))
    tracker.init(scene(160, 120), START)
    results = []
    for confidence in confidences:
        backend.confidence = confidence
        results.append(tracker.update(scene(160, 120)))
    return tracker, results


def test_a_lost_target_keeps_its_last_reliable_box_and_claims_none() -> None:
    results = flight(0.9, *(0.1,) * 4)[1]
    assert [result.is_target_visible for result in results] == [True, True, True, True, False]
    assert results[-1].last_reliable_box == results[0].box
    assert results[-2].last_reliable_box is None
    assert results[-1].state_change is not None
    assert results[-1].state_change.reason == "not found again for 4 frames"
    assert results[2].state_change is None


def test_what_a_search_tries_while_the_target_is_lost_is_not_called_reliable() -> None:
    tracker, results = flight(0.9, *(0.1,) * 4)
    assert isinstance(tracker.backend, SimulatedBackend)
    tracker.backend.confidence = 0.4
    tried = tracker.update(scene(170, 126))
    assert tried.state is TrackState.LOST
    assert tried.box != results[0].box
    assert tried.last_reliable_box == results[0].box


def test_a_frame_that_shows_nothing_counts_as_low_and_says_why() -> None:
    tracker, _ = flight(0.9)
    result = tracker.update(scene(160, 120) * 0)
    assert result.state_change is not None
    assert result.state_change.reason == "confidence 0.00 < 0.3: the search region shows one flat colour"


def test_nothing_is_stored_before_a_lost_target_is_confirmed() -> None:
    stored = [flight(*(0.1,) * 4, *(0.9,) * high)[0].templates._stored_count for high in (2, 3, 4)]
    assert stored == [0, 0, 1]


def test_after_a_cut_nothing_is_stored_until_the_target_is_confirmed() -> None:
    tracker, _ = flight(0.9)
    before = tracker.templates._stored_count
    another = 255 - scene(-100, -100)
    another[110:130, 145:175] = (0, 0, 255)  # the same target, in another picture
    stored, states = [], []
    for _ in range(4):
        result = tracker.update(another)
        stored.append(tracker.templates._stored_count - before)
        states.append(str(result.state)[0])
    assert (stored, states) == ([0, 0, 1, 2], ["U", "U", "T", "T"])


def test_another_target_begins_in_tracking() -> None:
    tracker, results = flight(*(0.1,) * 4)
    assert results[-1].state is TrackState.LOST
    tracker.init(scene(160, 120), START)
    result = tracker.update(scene(160, 120))
    assert (result.state, result.state_change) == (TrackState.UNCERTAIN, result.state_change)
    assert result.state_change is not None
    assert result.state_change.before is TrackState.TRACKING
