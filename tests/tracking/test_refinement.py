from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
import pytest

from eatrack_edge.core.boxes import Box
from eatrack_edge.core.crops import Frame
from eatrack_edge.core.errors import ConfigError, UsageError
from eatrack_edge.inference.vittrack_network import Found
from eatrack_edge.tracking.refinement import REFINEMENTS, NoRefinement, Refined
from eatrack_edge.tracking.settings import RefinementSettings, TrackerSettings
from eatrack_edge.tracking.tracker import Tracker
from eatrack_edge.tracking.vittrack_refinement import VitTrackRefinement
from tracking.simulated import SimulatedBackend, scene

FRAME = np.zeros((240, 320, 3), np.uint8)
BOX = (100.0, 100.0, 40.0, 40.0)


class SimulatedNetwork:
    """Answers what it is told, and counts how often it is asked."""

    def __init__(self, box: Box, score: float = 0.9) -> None:
        self.answer, self.looks = Found(box, score), 0

    def show(self, frame: Frame, box: Box) -> None: ...

    def find(self, frame: Frame, around: Box) -> Found:
        del frame, around
        self.looks += 1
        return self.answer


def refined(box: Box = BOX, last: Box = BOX, *, answer: Box, score: float = 0.9, **settings: float) -> Refined | None:
    refinement = VitTrackRefinement(RefinementSettings(policy="vittrack", **settings), "opencv", 1)  # type: ignore[arg-type]
    refinement._network = SimulatedNetwork(answer, score)  # type: ignore[assignment]
    return refinement.refine(FRAME, box, last)


def test_the_reported_box_goes_its_share_of_the_way_and_the_tracker_keeps_its_own() -> None:
    found = refined(answer=(104.0, 100.0, 40.0, 20.0), reported_share=0.5, feedback_share=0.0)
    assert found is not None
    # Half of the way: the centre moves from (120, 120) to (122, 115), the height to the geometric mean.
    assert found.reported == pytest.approx((102.0, 115 - 20 / 2**0.5, 40.0, 40 / 2**0.5))
    assert found.followed == BOX


def test_a_size_that_is_fed_back_goes_its_share_of_the_way_in_the_log_about_our_centre() -> None:
    found = refined(answer=(110.0, 110.0, 20.0, 40.0), minimum_overlap=0.2, feedback_share=0.5)
    assert found is not None
    assert found.followed == pytest.approx((120 - 20 / 2**0.5, 100.0, 40 / 2**0.5, 40.0))


@pytest.mark.parametrize(
    ("case", "is_taken"),
    [
        pytest.param({}, True, id="confident and near"),
        pytest.param({"score": 0.29}, False, id="low score"),
        pytest.param({"answer": (130.0, 100.0, 40.0, 40.0)}, False, id="overlap of a seventh: perhaps another object"),
        pytest.param({"box": (100.0, 100.0, 40.0, 19.0), "answer": (100.0, 100.0, 40.0, 19.0)}, False, id="small"),
    ],
)
def test_a_second_box_is_taken_only_where_it_is_to_be_trusted(case: dict[str, object], is_taken: bool) -> None:
    found = refined(**({"answer": BOX} | case))  # type: ignore[arg-type]
    assert (found is not None) is is_taken


def test_no_second_look_is_paid_for_at_a_small_target() -> None:
    refinement = VitTrackRefinement(RefinementSettings(policy="vittrack"), "opencv", 1)
    network = refinement._network = SimulatedNetwork(BOX)  # type: ignore[assignment]
    refinement.refine(FRAME, (100.0, 100.0, 15.0, 15.0), BOX)
    assert network.looks == 0


def test_between_two_looks_the_latest_change_goes_along_with_our_box() -> None:
    refinement = VitTrackRefinement(RefinementSettings(policy="vittrack", interval=3, reported_share=1.0), "opencv", 1)
    network = refinement._network = SimulatedNetwork((110.0, 100.0, 30.0, 40.0))  # type: ignore[assignment]
    boxes = [refinement.refine(FRAME, (100.0 + 10 * step, 100.0, 40.0, 40.0), BOX) for step in range(3)]
    assert network.looks == 1
    assert [box.reported for box in boxes if box] == [
        pytest.approx((110.0 + 10 * step, 100, 30, 40)) for step in range(3)
    ]
    network.answer = Found(BOX, 0.1)
    assert refinement.refine(FRAME, BOX, BOX) is None  # the next look takes nothing
    assert refinement.refine(FRAME, BOX, BOX) is None
    assert network.looks == 2


def test_a_new_target_begins_with_a_look_of_its_own() -> None:
    refinement = VitTrackRefinement(RefinementSettings(policy="vittrack", interval=2), "opencv", 1)
    network = refinement._network = SimulatedNetwork(BOX)  # type: ignore[assignment]
    for _ in range(2):
        refinement.start(FRAME, BOX)
        refinement.refine(FRAME, BOX, BOX)
    assert network.looks == 2


def test_no_size_is_fed_back_while_the_target_is_fast() -> None:
    answer = (100.0, 100.0, 40.0, 30.0)
    for x, is_fed_back in ((90.0, True), (85.0, False)):
        found = refined(last=(x, 100.0, 40.0, 40.0), answer=answer, feedback_share=1.0, feedback_step_sides=0.3)
        assert found is not None
        assert (found.followed != BOX) is is_fed_back


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("interval", 0, "interval must be at least 1, got 0"),
        ("minimum_score", 1.5, "minimum_score must be at least 0 and at most 1, got 1.5"),
        ("reported_share", -0.1, "reported_share must be at least 0 and at most 1, got -0.1"),
        ("feedback_step_sides", 0.0, "feedback_step_sides must be above 0, got 0.0"),
        ("minimum_side_px", float("nan"), "minimum_side_px must be at least 0, got nan"),
    ],
)
def test_settings_that_cannot_work_are_refused(field: str, value: float, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        RefinementSettings(**{field: value})  # type: ignore[arg-type]
    assert caught.value.message == message


class Wider(NoRefinement):
    """Reports a box 10 px wider, and follows one 2 px wider."""

    name = "wider"
    looks = 0

    def refine(self, frame: Frame, box: Box, last: Box) -> Refined:  # type: ignore[override]
        del frame, last
        type(self).looks += 1
        x, y, w, h = box
        return Refined((x - 5, y, w + 10, h), (x - 1, y, w + 2, h))


@pytest.fixture
def wider() -> Iterator[type[Wider]]:
    Wider.looks = 0
    REFINEMENTS.register("wider")(Wider)
    yield Wider
    REFINEMENTS.unregister("wider")


def test_the_tracker_reports_one_box_and_follows_the_other(wider: type[Wider]) -> None:
    del wider
    plain = Tracker(SimulatedBackend())
    tested = Tracker(SimulatedBackend(), settings=TrackerSettings(refinement=RefinementSettings(policy="wider")))
    for tracker in (plain, tested):
        tracker.init(scene(160, 120), (145.0, 110.0, 30.0, 20.0))
    own, found = (tracker.update(scene(160, 120)) for tracker in (plain, tested))
    assert found.box[2] == pytest.approx(own.box[2] + 10)
    # The next frame shows no target: the box that is reported stays, and the search region is that of the other.
    plain_target, target = plain._target, tested._target
    assert target is not None
    assert plain_target is not None
    assert target.box[2] == pytest.approx(plain_target.box[2] + 2)
    lost = tested.update(np.zeros((240, 320, 3), np.uint8))
    assert lost.note
    assert lost.box == found.box


def test_a_frame_of_low_confidence_is_not_looked_at_again(wider: type[Wider]) -> None:
    backend = SimulatedBackend()
    tracker = Tracker(backend, settings=TrackerSettings(refinement=RefinementSettings(policy="wider")))
    tracker.init(scene(160, 120), (145.0, 110.0, 30.0, 20.0))
    backend.confidence = 0.1
    assert tracker.update(scene(160, 120)).state == "UNCERTAIN"
    assert wider.looks == 0


def test_off_changes_nothing_and_opens_nothing() -> None:
    tracker = Tracker(SimulatedBackend(), settings=TrackerSettings(refinement=RefinementSettings(policy="off")))
    assert tracker.refinement.name == ""


def test_an_unknown_refinement_is_refused_with_a_suggestion() -> None:
    with pytest.raises(UsageError) as caught:
        Tracker(SimulatedBackend(), settings=TrackerSettings(refinement=RefinementSettings(policy="vitrack")))
    assert str(caught.value) == "no refinement called `vitrack`\nhint: did you mean `vittrack`?"


def textured(x: int) -> Frame:
    """A textured target of 60 x 40 pixels on a textured ground, its top left corner at (x, 200)."""
    rng = np.random.default_rng(0)
    ground = cv2.resize(rng.integers(60, 120, (24, 32, 3), dtype=np.uint8), (640, 480), interpolation=cv2.INTER_CUBIC)
    target = cv2.resize(rng.integers(0, 255, (4, 6, 3), dtype=np.uint8), (60, 40), interpolation=cv2.INTER_NEAREST)
    ground[200:240, x : x + 60] = target
    return np.asarray(ground, np.uint8)


def test_vittrack_itself_mends_a_box_that_is_half_again_too_wide() -> None:
    settings = RefinementSettings(policy="vittrack", reported_share=1.0, feedback_share=1.0)
    refinement = VitTrackRefinement(settings, "onnxruntime", 1)
    assert refinement.name == "vittrack (onnxruntime)"
    refinement.start(textured(300), (300.0, 200.0, 60.0, 40.0))
    wide = (290.0, 200.0, 90.0, 40.0)
    found = refinement.refine(textured(304), wide, wide)
    assert found is not None
    assert found.reported == pytest.approx((304.0, 200.0, 60.0, 40.0), abs=4)
    assert found.followed == pytest.approx((305.0, 200.0, 60.0, 40.0), abs=4)
