from __future__ import annotations

from dataclasses import replace

import pytest

from eatrack_edge.core.boxes import Box
from eatrack_edge.core.crops import Scratch
from eatrack_edge.core.errors import ConfigError
from eatrack_edge.tracking.reacquisition import Look, Reacquisition
from eatrack_edge.tracking.search_region import SearchRegion
from eatrack_edge.tracking.settings import ReacquisitionSettings
from tracking.simulated import model_spec

LAST: Box = (300.0, 220.0, 40.0, 40.0)
NEAR: Box = (400.0, 220.0, 40.0, 40.0)
OTHER: Box = (200.0, 220.0, 40.0, 40.0)
FAR: Box = (1000.0, 600.0, 40.0, 40.0)
SETTINGS = ReacquisitionSettings(
    inferences_per_frame=2,
    verification_frames=3,
    minimum_log_odds=2.5,
    minimum_log_odds_after_cut=3.5,
    long_verification_frames=6,
    long_minimum_log_odds=3.0,
    log_odds_margin=0.5,
    scene_minimum_log_odds=1.0,
    scene_margin=2.0,
    probation_frames=4,
)
NOTHING = -10.0


class World:
    """What each place shows, frame after frame."""

    def __init__(self, settings: ReacquisitionSettings = SETTINGS, *, is_after_cut: bool = False) -> None:
        self.search = Reacquisition(settings, model_spec().cropping.search_factor, (1280, 720))
        self.search.start(LAST, is_after_cut=is_after_cut)
        self.frame = 0

    def next(self, **shown: float) -> Box | None:
        """A frame in which places show something with these log odds; what is verified, if anything."""
        self.frame += 1
        boxes = {"near": NEAR, "other": OTHER, "far": FAR}
        for look in list(self.search.looks(self.frame)):
            box, log_odds = max(
                ((boxes[name], odds) for name, odds in shown.items() if inside(boxes[name], look)),
                key=lambda found: found[1],
                default=(look.expected, NOTHING),
            )
            self.search.looked(look, self.frame, box, log_odds)
        found = self.search.found(self.frame)
        return None if found is None else found.box


def inside(box: Box, look: Look) -> bool:
    x, y = box[0] + box[2] / 2, box[1] + box[3] / 2
    window = SearchRegion(model_spec(), Scratch()).window(look.expected, look.scale)
    return window.x <= x <= window.x + window.side and window.y <= y <= window.y + window.side


def frames_until_found(world: World, limit: int, **shown: float) -> int | None:
    return next((frame for frame in range(1, limit + 1) if world.next(**shown) is not None), None)


def test_what_is_clear_in_three_looks_after_the_first_is_found() -> None:
    world = World()
    assert [world.next(near=3.0) for _ in range(4)] == [None, None, None, NEAR]
    assert not world.search.is_on


def test_after_a_cut_it_has_to_be_clearer_or_likely_in_more_looks() -> None:
    assert frames_until_found(World(is_after_cut=True), 40, near=3.5) == 1 + 3
    assert frames_until_found(World(is_after_cut=True), 40, near=3.4) == 1 + 6
    assert frames_until_found(World(is_after_cut=True), 40, near=3.0) == 1 + 6
    assert frames_until_found(World(is_after_cut=True), 40, near=2.9) is None


def test_after_a_cut_it_never_takes_less_than_without_one() -> None:
    settings = replace(SETTINGS, minimum_log_odds=4.0)
    assert frames_until_found(World(settings, is_after_cut=True), 40, near=3.9) is None
    assert frames_until_found(World(settings, is_after_cut=True), 40, near=4.0) == 1 + 3
    one_look = replace(SETTINGS, long_verification_frames=1)
    assert frames_until_found(World(one_look, is_after_cut=True), 40, near=3.0) == 1 + 3


def test_after_a_cut_what_was_likely_only_at_first_is_not_found() -> None:
    world = World(is_after_cut=True)
    shown = [3.4, 3.4, 3.4, 2.0, 2.5, 2.0, 2.0, 2.0, 2.0]
    assert [world.next(near=log_odds) for log_odds in shown] == [None] * 9


def test_after_a_cut_to_the_scene_it_was_tracked_in_it_takes_no_more_than_without_one() -> None:
    world = World(is_after_cut=True)
    assert frames_until_found(world, 10, near=2.9) is None
    world.search.on_ground(LAST)
    assert frames_until_found(world, 10, near=2.9) is None  # once may be by chance
    world.search.on_ground(LAST)
    assert frames_until_found(world, 10, near=2.9) == 1
    for ground in (LAST, None, LAST):
        world.search.start(LAST, is_after_cut=True)
        world.search.on_ground(ground)
        assert frames_until_found(world, 10, near=2.9) is None


def in_its_scene() -> World:
    world = World(is_after_cut=True)
    world.search.on_ground(LAST)
    world.search.on_ground(LAST)
    return world


def test_in_its_scene_what_is_clearly_likelier_than_all_else_is_found_with_less() -> None:
    looks_elsewhere = 5
    assert frames_until_found(in_its_scene(), 40, near=1.0) == looks_elsewhere
    assert frames_until_found(in_its_scene(), 40, near=0.9) is None
    assert frames_until_found(World(is_after_cut=False), 40, near=2.4) is None  # it is not known which scene it is


def test_in_its_scene_it_has_to_wait_until_something_nearly_as_likely_elsewhere_is_long_ago() -> None:
    unlike, alike = in_its_scene(), in_its_scene()
    unlike.next(other=-1.1)
    alike.next(other=-0.9)
    assert frames_until_found(unlike, 60, near=1.0) == 6
    assert frames_until_found(alike, 60, near=1.0) == 45


@pytest.mark.parametrize("ground", [None, LAST], ids=["another_scene", "elsewhere"])
def test_what_was_near_by_its_ground_alone_is_no_longer_near_without_it(ground: Box | None) -> None:
    world = World()
    world.search.on_ground(FAR)
    world.next(far=6.0)
    world.search.on_ground(ground)
    assert frames_until_found(world, 20, far=6.0) is None
    assert [candidate.is_near for candidate in world.search.candidates] == [False]


def test_a_target_that_stands_on_the_ground_is_looked_for_there_first_and_again_and_again() -> None:
    world = World()
    world.search.on_ground(FAR)
    looks = [look for frame in range(1, 7) for look in world.search.looks(frame)]
    on_ground = [index for index, look in enumerate(looks) if look.expected == FAR]
    assert on_ground == [0, 3, 6, 9]
    assert [looks[index].scale for index in on_ground] == [SETTINGS.search_scale, 1.0] * 2
    assert frames_until_found(world, 20, far=6.0) == 1 + SETTINGS.verification_frames


@pytest.mark.parametrize("ground", [LAST, (1300.0, 220.0, 40.0, 40.0)], ids=["where_it_was", "outside"])
def test_no_look_is_wasted_on_ground_that_is_looked_at_anyway_or_out_of_sight(ground: Box) -> None:
    world, other = World(), World()
    world.search.on_ground(ground)
    assert list(world.search.looks(1)) == list(other.search.looks(1))
    assert list(world.search.looks(2)) == list(other.search.looks(2))


@pytest.mark.parametrize("log_odds", [2.4, 0.0, -0.9])
def test_what_is_less_clear_is_a_candidate_for_a_person_and_not_found(log_odds: float) -> None:
    world = World()
    assert frames_until_found(world, 40, near=log_odds) is None
    [candidate] = world.search.candidates
    assert (candidate.box, candidate.is_near) == (NEAR, True)
    assert candidate.probability == pytest.approx(1 / (1 + 2.718281828**-log_odds))


def test_a_first_look_that_promises_little_earns_a_second_one() -> None:
    world = World()
    world.next(near=-4.0)
    assert world.search.candidates == ()
    assert [world.next(near=3.0) for _ in range(3)] == [None, None, NEAR]


@pytest.mark.parametrize("log_odds", [-1.1, -4.6])
def test_what_is_unlike_the_target_is_dropped(log_odds: float) -> None:
    world = World()
    for _ in range(10):
        world.next(near=log_odds)
        assert world.search.candidates == ()


def test_of_two_that_are_alike_neither_is_found_and_a_person_may_choose() -> None:
    world = World(replace(SETTINGS, verification_frames=6))
    assert frames_until_found(world, 60, near=3.0, other=2.9) is None
    assert {candidate.box for candidate in world.search.candidates} == {NEAR, OTHER}
    assert frames_until_found(world, 10, near=6.0, other=2.9) is not None


def test_one_far_away_is_offered_and_never_found_by_itself() -> None:
    world = World()
    assert frames_until_found(world, 300, far=6.0) is None
    [candidate] = world.search.candidates
    assert (candidate.box, candidate.is_near) == (FAR, False)


def test_one_of_another_size_is_no_candidate() -> None:
    world = World()
    for frame in range(1, 30):
        for look in world.search.looks(frame):
            x, y, w, h = look.expected
            world.search.looked(look, frame, (x, y, 2.6 * w, 2.6 * h), 5.0)
    assert world.search.candidates == ()


def test_a_candidate_that_is_not_seen_again_is_forgotten() -> None:
    world = World(replace(SETTINGS, minimum_log_odds=9.0))
    frames_until_found(world, 5, near=3.0)
    assert len(world.search.candidates) == 1
    world.next()
    assert world.search.candidates == ()


@pytest.mark.parametrize("looks", [2, 3, 4])
def test_every_frame_takes_the_looks_that_were_asked_for(looks: int) -> None:
    search = Reacquisition(
        replace(SETTINGS, inferences_per_frame=looks), model_spec().cropping.search_factor, (1280, 720)
    )
    search.start(LAST, is_after_cut=False)
    for frame in range(1, 6):
        now = list(search.looks(frame))
        assert len(now) == looks
        for look in now:
            search.looked(look, frame, NEAR, 1.0)


def test_on_probation_a_doubt_takes_it_back() -> None:
    world = World()
    frames_until_found(world, 4, near=3.0)
    assert world.search.is_on_probation
    assert [world.search.is_taken_back(odds) for odds in (1.0, -3.0, 1.0)] == [False, False, True]


def test_probation_ends() -> None:
    world = World()
    frames_until_found(world, 4, near=3.0)
    assert [world.search.is_taken_back(3.0) for _ in range(4)] == [False] * 4
    assert not world.search.is_on_probation
    assert not any(world.search.is_taken_back(-9.0) for _ in range(9))


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("inferences_per_frame", 1, "inferences_per_frame must be at least 2, got 1"),
        ("verification_frames", 0, "verification_frames must be at least 1, got 0"),
        ("probation_frames", -1, "probation_frames must be at least 0, got -1"),
        ("search_scale", 0.5, "search_scale must be at least 1, got 0.5"),
        ("minimum_log_odds", float("nan"), "minimum_log_odds must be finite, got nan"),
        ("minimum_log_odds_after_cut", float("inf"), "minimum_log_odds_after_cut must be finite, got inf"),
        ("long_verification_frames", 0, "long_verification_frames must be at least 1, got 0"),
        ("long_minimum_log_odds", float("nan"), "long_minimum_log_odds must be finite, got nan"),
        ("scene_minimum_log_odds", float("nan"), "scene_minimum_log_odds must be finite, got nan"),
        ("scene_margin", -0.1, "scene_margin must be at least 0, got -0.1"),
    ],
)
def test_settings_that_cannot_work_are_refused(field: str, value: float, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        ReacquisitionSettings(**{field: value})
