from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from eatrack_edge.core.crops import Frame
from eatrack_edge.inference.backend import Maps
from eatrack_edge.tracking.lifecycle import Lifecycle, StateChange, TrackState
from eatrack_edge.tracking.result import TrackResult
from eatrack_edge.tracking.settings import LifecycleSettings, ReacquisitionSettings, TemplateSettings, TrackerSettings
from eatrack_edge.tracking.tracker import Tracker
from tracking.simulated import SimulatedBackend, scene

SETTINGS = LifecycleSettings(resume_confidence=0.5, lost_after=4)
EVIDENCE = {"confidence": 0.8, "log_odds": 3.0, "low_frames": 4, "cut": 0.0}
START = (145.0, 110.0, 30.0, 20.0)


def states(*confidences: float, found: Sequence[int] = (), is_calibrated: bool = True) -> str:
    """The state after each confidence, by its first letter."""
    return "".join(str(state)[0] for state in changes(confidences, found, is_calibrated)[0])


def changes(
    confidences: Sequence[float], found: Sequence[int] = (), is_calibrated: bool = True
) -> tuple[list[TrackState], list[StateChange]]:
    """The states and the changes.

    Args:
        confidences: From frame 1.
        found: Frames in which the target was found again, and verified.
        is_calibrated: Whether the confidence is a probability.
    """
    lifecycle = Lifecycle(SETTINGS, 0.3, is_calibrated=is_calibrated)
    seen, changed = [], []
    for index, confidence in enumerate(confidences, start=1):
        change = lifecycle.observe(index, confidence, 3.0, is_found=index in found)
        seen.append(lifecycle.state)
        changed += [change] if change else []
    return seen, changed


@pytest.mark.parametrize(
    ("confidences", "found", "expected"),
    [
        pytest.param((0.9, 0.3, 0.8), (), "TTT", id="the limit itself is high enough"),
        pytest.param((0.9, 0.2, 0.6), (), "TUT", id="one low frame is no loss"),
        pytest.param((0.2, 0.4, 0.4, 0.5), (), "UUUT", id="leaving a doubt takes more than entering it"),
        pytest.param((0.4, 0.4, 0.4, 0.4, 0.4), (), "TTTTT", id="below the upper limit alone is no doubt"),
        pytest.param((0.1, 0.1, 0.1, 0.1), (), "UUUL", id="lost after four low frames"),
        pytest.param((0.1, 0.1, 0.1, 0.6, 0.1, 0.1, 0.1, 0.1), (), "UUUTUUUL", id="a high frame starts the count anew"),
        pytest.param((0.1,) * 4 + (0.9,) * 4, (), "UUULLLLL", id="a high confidence alone finds nothing"),
        pytest.param((0.1,) * 4 + (0.9,) * 4, (7,), "UUULLLRT", id="what is verified is found, and told once"),
        pytest.param(
            (0.1,) * 4 + (0.9,) * 3 + (0.1,) * 4, (7,), "UUULLLRLLLL", id="a find that fails at once is lost at once"
        ),
    ],
)
def test_the_states(confidences: tuple[float, ...], found: tuple[int, ...], expected: str) -> None:
    assert states(*confidences, found=found) == expected


@pytest.mark.parametrize(
    ("found", "expected"),
    [pytest.param(5, "TUUUTT", id="the target is verified"), pytest.param(0, "TUUULL", id="another picture")],
)
def test_after_a_cut_a_high_confidence_has_to_be_verified(found: int, expected: str) -> None:
    lifecycle = Lifecycle(SETTINGS, 0.3, is_calibrated=True)
    seen = ""
    for index in range(1, 7):
        change = lifecycle.observe(index, 0.9, 3.0, is_cut=index == 2, is_found=index == found)
        seen += str(lifecycle.state)[0]
        if index == 2:
            assert change is not None
            assert (change.reason, change.evidence["cut"]) == ("a cut: the whole picture changed", 1.0)
    assert seen == expected


def test_a_claim_that_is_taken_back_is_lost_at_once_and_says_so() -> None:
    lifecycle = Lifecycle(SETTINGS, 0.3, is_calibrated=True)
    lifecycle.observe(1, 0.9, 3.0)
    change = lifecycle.take_back(2, 0.9, -1.0)
    assert change is not None
    assert (str(change.before), str(change.state)) == ("TRACKING", "LOST")
    assert change.reason == "taken back: on probation it proved unlike the target"
    assert lifecycle.take_back(3, 0.9, -1.0) is None


def test_frames_in_which_the_verifier_knows_the_target_do_not_make_it_lost() -> None:
    lifecycle = Lifecycle(SETTINGS, 0.3, is_calibrated=True)
    for index in range(1, 21):
        lifecycle.observe(index, 0.2, 0.0, is_known=True)
        assert lifecycle.state is TrackState.UNCERTAIN
    for index in range(21, 25):
        lifecycle.observe(index, 0.2, -5.0)
    assert lifecycle.state is TrackState.LOST


def test_without_a_calibrated_confidence_nothing_is_called_lost() -> None:
    assert states(*(0.1,) * 6, is_calibrated=False) == "UUUUUU"


def test_each_change_says_when_why_and_by_what_evidence() -> None:
    found = changes((0.9, 0.1, 0.1, 0.1, 0.1, 0.9, 0.9, 0.8, 0.9), found=(8,))[1]
    assert [(one.frame_index, str(one.before), str(one.state), one.reason) for one in found] == [
        (2, "TRACKING", "UNCERTAIN", "confidence 0.10 < 0.3"),
        (5, "UNCERTAIN", "LOST", "confidence below 0.5 in 4 frames"),
        (8, "LOST", "REACQUIRED", "verified: odds of 20 to 1 that it is the target"),
        (9, "REACQUIRED", "TRACKING", "confidence 0.90 >= 0.3"),
    ]
    assert found[2].evidence == EVIDENCE
    assert found[2].to_record() == {
        "before": "LOST",
        "reason": "verified: odds of 20 to 1 that it is the target",
        "evidence": EVIDENCE,
    }


@pytest.mark.parametrize(
    ("confidences", "reason"),
    [
        pytest.param((0.2996,), "confidence 0.2996 < 0.3", id="below"),
        pytest.param((0.1, 0.4987, 0.5012), "confidence 0.501 >= 0.5", id="above"),
        pytest.param((0.1, 0.5), "confidence 0.50 >= 0.5", id="equal"),
    ],
)
def test_a_confidence_close_to_its_limit_is_seen_to_be_below_or_above_it(
    confidences: tuple[float, ...], reason: str
) -> None:
    assert changes(confidences)[1][-1].reason == reason


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
    assert results[-1].state_change.reason == "confidence below 0.5 in 4 frames"
    assert results[2].state_change is None


def test_a_lost_targets_box_stays_until_it_is_verified() -> None:
    tracker, results = flight(0.9, *(0.1,) * 4)
    assert isinstance(tracker.backend, SimulatedBackend)
    tracker.backend.confidence = 0.9
    looks = ReacquisitionSettings().verification_frames
    tried = [tracker.update(scene(170, 126)) for _ in range(looks + 1)]
    assert [str(result.state)[0] for result in tried] == ["L"] * looks + ["R"]
    assert [result.box for result in tried[:looks]] == [results[0].box] * looks
    assert [result.last_reliable_box for result in tried] == [results[0].box] * looks + [None]
    assert tried[looks].box == pytest.approx((155.0, 116.0, 30.0, 20.0), abs=1)
    assert [len(result.candidates) for result in tried] == [0] + [1] * (looks - 1) + [0]


class WideBackend(SimulatedBackend):
    """Finds boxes that are too wide, about the right centre."""

    def infer(self, search: Frame) -> Maps:
        maps = super().infer(search)
        return maps._replace(size_map=maps.size_map * np.float32([1.5, 1.0])[:, None, None])


def test_what_may_be_a_lost_target_is_cut_off_at_the_border_of_the_frame_as_every_box() -> None:
    backend = WideBackend()
    backend.model_spec = replace(backend.model_spec, confidence_scale=1.01)
    tracker = Tracker(backend, settings=TrackerSettings(lifecycle=SETTINGS))
    frame = scene(15, 120)
    tracker.init(frame, (0.0, 110.0, 30.0, 20.0))
    found = []
    for backend.confidence in (*(0.1,) * 4, *(0.9,) * 3):
        found += [(candidate.box, result.box) for result in [tracker.update(frame)] for candidate in result.candidates]
    assert found
    for candidate, box in found:
        assert (candidate[0], box[0]) == (0.0, 0.0)
        assert candidate == pytest.approx((0.0, 110.0, 37.5, 20.0), abs=1)


def test_a_frame_that_shows_nothing_counts_as_low_and_says_why() -> None:
    tracker, _ = flight(0.9)
    result = tracker.update(scene(160, 120) * 0)
    assert result.state_change is not None
    assert result.state_change.reason == "confidence 0.00 < 0.3: the search region shows one flat colour"


def test_nothing_is_stored_before_a_lost_target_is_confirmed() -> None:
    settings = ReacquisitionSettings()
    proved = settings.verification_frames + settings.probation_frames
    stored = [flight(*(0.1,) * 4, *(0.9,) * high)[0].templates._stored_count for high in (4, proved, proved + 1)]
    assert stored == [0, 0, 1]


def test_another_target_begins_in_tracking() -> None:
    tracker, results = flight(*(0.1,) * 4)
    assert results[-1].state is TrackState.LOST
    tracker.init(scene(160, 120), START)
    result = tracker.update(scene(160, 120))
    assert (result.state, result.state_change) == (TrackState.UNCERTAIN, result.state_change)
    assert result.state_change is not None
    assert result.state_change.before is TrackState.TRACKING


def test_a_frame_that_shows_nothing_says_why_also_while_the_target_is_looked_for() -> None:
    tracker, results = flight(0.9, *(0.1,) * 4)
    assert results[-1].state is TrackState.LOST
    result = tracker.update(scene(160, 120) * 0)
    assert (result.confidence, result.note) == (0.0, "the search region shows one flat colour")
    assert tracker.update(scene(160, 120)).note == ""


def test_while_a_target_is_looked_for_the_confidence_is_the_verifiers() -> None:
    tracker, _ = flight(0.9, *(0.1,) * 4)
    assert isinstance(tracker.backend, SimulatedBackend)
    tracker.backend.confidence = 0.9
    assert tracker.update(scene(160, 120)).confidence > 0.95
    assert tracker._target is not None
    tracker._target.verifier.start(
        -tracker._target.verifier._first
    )  # the network finds what is nothing like the target
    assert tracker.update(scene(160, 120)).confidence < 0.05
