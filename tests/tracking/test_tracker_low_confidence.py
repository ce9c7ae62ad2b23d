"""How the tracker handles size changes, low confidence, distractors and recovery."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from eatrack_edge.core.crops import Frame, Scratch, cut
from eatrack_edge.core.verifier_model import UNFITTED, SignWeights, VerifierModel
from eatrack_edge.inference.backend import Maps
from eatrack_edge.tracking.result import TrackResult
from eatrack_edge.tracking.search_region import SearchRegion
from eatrack_edge.tracking.settings import (
    MotionSettings,
    RecoverySettings,
    TrackerSettings,
)
from eatrack_edge.tracking.tracker import Tracker
from tracking.simulated import SimulatedBackend, scene

START = (145.0, 110.0, 30.0, 20.0)


def started(backend: SimulatedBackend | None = None, settings: TrackerSettings | None = None) -> Tracker:
    tracker = Tracker(backend or SimulatedBackend(), settings=settings)
    tracker.init(scene(160, 120), START)
    return tracker


def calibrated() -> SimulatedBackend:
    backend = SimulatedBackend()
    backend.model_spec = replace(backend.model_spec, confidence_scale=1.01)
    return backend


def test_the_log_size_is_smoothed() -> None:
    tracker = started()
    widths = [tracker.update(scene(160, 120, 60, 20)).box[2] for _ in range(6)]
    assert widths[0] == pytest.approx(30 * 2**0.6, rel=0.05)
    assert widths == sorted(widths)
    assert widths[-1] == pytest.approx(60, abs=2)


def test_a_frame_with_low_confidence_keeps_the_last_reliable_box() -> None:
    backend = calibrated()
    tracker = started(backend)
    backend.confidence = 0.2
    update = tracker.update(scene(168, 124, 50, 40))
    assert (update.box, update.state) == (START, "UNCERTAIN")


def test_a_blurred_target_in_its_place_is_followed_and_not_called_lost() -> None:
    backend = calibrated()
    tracker = started(backend)
    backend.confidence, backend.is_blurred = 0.1, True
    searches = backend.searches
    results = [tracker.update(scene(160 + 2 * step, 120, 40, 30)) for step in range(1, 13)]
    x, y, w, h = results[-1].box
    assert (x + w / 2, y + h / 2) == pytest.approx((184, 120), abs=1.5)
    assert (w, h) == pytest.approx(START[2:])  # of a blurred target the size is not taken
    assert {str(result.state) for result in results} == {"UNCERTAIN"}
    assert backend.searches - searches == 12  # it is where it is expected: nothing is looked for elsewhere


def after_a_doubt(*, is_neighbour: bool) -> tuple[TrackResult, TrackResult]:
    """The result before a frame without the target, and of the one after it: what is there is 24 px (1 side) away."""
    backend = calibrated()
    tracker = started(backend, ONCE)
    before = tracker.update(scene(160, 120))
    backend.confidence = 0.1
    assert tracker.update(scene(160, 120)).state == "UNCERTAIN"
    backend.confidence = 0.8
    if is_neighbour:
        backend.override = unlike_the_target(backend, scene(160 + 24, 120))
    return before, tracker.update(scene(160 + 24, 120))


def unlike_the_target(backend: SimulatedBackend, frame: Frame) -> Maps:
    """The maps of a search crop about the start, with the tokens of something else."""
    window = SearchRegion(backend.model_spec, Scratch()).window(START)
    maps = backend.infer(cut(frame, window, backend.model_spec.padding_bgr))
    return maps._replace(search_tokens=-maps.search_tokens)


def test_a_neighbour_is_not_followed_however_high_its_confidence() -> None:
    before, result = after_a_doubt(is_neighbour=True)
    assert (result.box, result.state, result.confidence) == (before.box, "UNCERTAIN", 0.0)
    assert result.note == "what appears elsewhere is unlike the target"


def test_the_target_itself_is_followed_when_it_is_back_elsewhere() -> None:
    before, result = after_a_doubt(is_neighbour=False)
    assert result.state == "TRACKING"
    assert result.box[0] == pytest.approx(before.box[0] + 24, abs=1.5)


def test_without_a_calibrated_confidence_the_box_follows_the_peak() -> None:
    backend = SimulatedBackend()
    tracker = started(backend)
    backend.confidence = 0.2
    x, y, w, h = tracker.update(scene(168, 124)).box
    assert (x + w / 2, y + h / 2) == pytest.approx((168, 124), abs=1.5)


ONCE = TrackerSettings(wide_look=False)


def after_a_leap(settings: TrackerSettings, verifier: VerifierModel = UNFITTED) -> tuple[TrackResult, int]:
    """What is found of a target whose near edge is 51 px away, where the search region reaches 49, and how often."""
    backend = calibrated()
    backend.model_spec = replace(backend.model_spec, verifier=verifier.to_text())
    tracker = started(backend, settings)
    tracker.update(scene(160, 120))
    before = backend.searches
    return tracker.update(scene(160 + 66, 120)), backend.searches - before


def test_a_target_that_left_the_search_region_is_found_by_the_wide_look_at_the_same_frame() -> None:
    result, inferences = after_a_leap(TrackerSettings())
    x, y, w, h = result.box
    assert (result.state, inferences) == ("TRACKING", 2)
    assert (x + w / 2, y + h / 2) == pytest.approx((160 + 66, 120), abs=5)


def test_without_the_wide_look_it_is_not_found() -> None:
    result, inferences = after_a_leap(ONCE)
    assert (result.box, result.state, inferences) == (pytest.approx(START, abs=0.5), "UNCERTAIN", 1)


def test_a_target_that_is_found_takes_one_look() -> None:
    backend = calibrated()
    tracker = started(backend)
    before = backend.searches
    tracker.update(scene(163, 120))
    assert backend.searches - before == 1


def test_what_the_wide_look_shows_has_to_be_likelier_the_target_than_not() -> None:
    never = SignWeights(confidence=0.0, first=0.0, latest=0.0, bias=-1.0)
    result, inferences = after_a_leap(TrackerSettings(), VerifierModel(never, never))
    assert (result.box, result.state, inferences) == (pytest.approx(START, abs=0.5), "UNCERTAIN", 2)


@pytest.mark.parametrize(("log_odds", "state"), [(0.9, "UNCERTAIN"), (1.1, "TRACKING")])
@pytest.mark.parametrize("step", [28.0, 66.0])
def test_what_stood_still_jumps_only_where_the_verifier_is_clear(step: float, log_odds: float, state: str) -> None:
    """Within the search region, where the confidence alone decided, and beyond it, where the wide look finds it."""
    always = SignWeights(confidence=0.0, first=0.0, latest=0.0, bias=log_odds)
    backend = calibrated()
    backend.model_spec = replace(backend.model_spec, verifier=VerifierModel(always, always).to_text())
    tracker = started(backend, ONCE if step < 49 else None)
    for _ in range(10):
        assert tracker.update(scene(160, 120)).state == "TRACKING"
    result = tracker.update(scene(160 + step, 120))
    assert result.state == state
    if state == "UNCERTAIN":
        assert result.box == pytest.approx(START, abs=0.5)
    else:
        assert result.box[0] + result.box[2] / 2 == pytest.approx(160 + step, abs=5)


def test_a_search_region_of_one_colour_takes_the_wide_look_too() -> None:
    tracker = started(calibrated())
    frame = scene(160 + 70, 120)
    frame[40:200, 80:212] = 90
    assert tracker.update(frame).state == "TRACKING"


def test_a_motion_model_finds_a_target_that_left_the_search_region_around_its_last_box() -> None:
    def after_a_sprint(settings: TrackerSettings) -> TrackResult:
        tracker = started(calibrated(), replace(settings, wide_look=False))
        tracker.update(scene(180, 120))
        tracker.update(scene(180 + 30, 120))
        return tracker.update(scene(180 + 30 + 66, 120))  # its near edge is 51 px away, the usual crop reaches 49

    assert after_a_sprint(TrackerSettings()).state == "UNCERTAIN"
    assert after_a_sprint(TrackerSettings(motion=MotionSettings(model="common_velocity", gain=0.8))).state == "TRACKING"


class WithNeighbour(SimulatedBackend):
    """Finds a blue neighbour too, with nearly the confidence of the red target."""

    def infer(self, search: Frame) -> Maps:
        red, blue = self._look(search), self._look(search[..., ::-1])
        found = blue.score_map > 0.5
        score = np.where(found, 0.8, red.score_map).astype(np.float32)
        return Maps(
            score,
            np.where(found, blue.offset_map, red.offset_map),
            np.where(found, blue.size_map, red.size_map),
            red.search_tokens,
        )


def beside_a_neighbour(red_is_hidden: bool) -> Frame:
    frame = scene(-100 if red_is_hidden else 160, 120)
    frame[110:130, 181:211] = (255, 0, 0)
    return frame


def centres_after_a_cover(settings: TrackerSettings) -> list[float]:
    """Where the box is, across, while the target is hidden and once it has come out."""
    tracker = started(WithNeighbour(), settings)
    boxes = [tracker.update(beside_a_neighbour(hidden)).box for hidden in (False, True, True, False, False)]
    return [x + w / 2 for x, _, w, _ in boxes]


def test_after_a_jump_to_a_distractor_the_box_returns_when_the_target_reappears() -> None:
    assert centres_after_a_cover(TrackerSettings()) == pytest.approx([160, 196, 196, 160, 160], abs=1.5)


def test_once_the_pace_is_known_a_neighbour_is_not_followed_while_the_target_is_hidden() -> None:
    backend = WithNeighbour()
    backend.model_spec = replace(backend.model_spec, confidence_scale=1.01)
    tracker = started(backend)
    frames = [False] * 10 + [True, True, False, False]
    centres = [x + w / 2 for x, _, w, _ in (tracker.update(beside_a_neighbour(hidden)).box for hidden in frames)]
    assert centres == pytest.approx([160] * len(frames), abs=1.5)
    assert tracker.templates._stored_count == 12  # none while it was hidden


def test_without_recovery_the_box_stays_on_the_distractor() -> None:
    stays = TrackerSettings(recovery=RecoverySettings(watch_frames=0))
    assert centres_after_a_cover(stays) == pytest.approx([160, 196, 196, 196, 196], abs=1.5)


def test_the_last_reliable_box_is_given_up_when_it_leaves_the_search_region() -> None:
    tracker = started()
    watched = []
    for x in (160, 184, 208, 232, 256):  # a target that is merely fast: one side from frame to frame
        tracker.update(scene(x, 120))
        assert tracker._target is not None
        watched.append(tracker._target.recovery.last_reliable_box is not None)
    assert watched == [False, True, True, True, False]


def test_nothing_is_stored_while_a_jump_may_prove_a_mistake() -> None:
    tracker = started(WithNeighbour())
    for hidden in (False, True, True, True):
        tracker.update(beside_a_neighbour(hidden))
    assert tracker.templates._stored_count == 1


def test_of_two_candidates_with_similar_scores_the_one_with_the_last_size_is_chosen() -> None:
    backend = SimulatedBackend()
    tracker = started(backend)
    maps = backend._look(scene(64, 64, width=128, height=128))
    score, size = np.full_like(maps.score_map, 0.01), maps.size_map.copy()
    score[4, 3], score[4, 4] = 0.9, 0.89  # as far from the centre
    side = 1 / tracker.model_spec.cropping.search_factor
    size[:, 4, 3], size[:, 4, 4] = 3 * side, side
    backend.override = maps._replace(score_map=score, size_map=size, offset_map=np.full_like(maps.offset_map, 0.5))
    x, _, w, _ = tracker.update(scene(160, 120)).box
    assert x + w / 2 > 160
