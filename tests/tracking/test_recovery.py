from __future__ import annotations

from itertools import pairwise

import pytest

from eatrack_edge.core.boxes import Box
from eatrack_edge.core.errors import ConfigError
from eatrack_edge.tracking.decode import Decoded
from eatrack_edge.tracking.recovery import JumpRecovery, has_reappeared
from eatrack_edge.tracking.settings import RecoverySettings

START = (100.0, 50.0, 40.0, 10.0)  # a side of 20


def moved(x: float, y: float = 0.0) -> Box:
    return START[0] + x, START[1] + y, START[2], START[3]


def after(*boxes: Box, settings: RecoverySettings | None = None) -> JumpRecovery:
    recovery = JumpRecovery(settings or RecoverySettings())
    for last, box in pairwise(boxes):
        recovery.found(last, box)
    return recovery


@pytest.mark.parametrize("step", [(13.0, 0.0), (0.0, -13.0), (13.0, 13.0)])
def test_a_step_below_the_jump_threshold_is_no_jump(step: tuple[float, float]) -> None:
    assert after(START, moved(*step)).last_reliable_box is None


@pytest.mark.parametrize("step", [(15.0, 0.0), (0.0, -15.0)])
def test_after_a_jump_the_box_before_it_is_watched(step: tuple[float, float]) -> None:
    assert after(START, moved(*step)).last_reliable_box == START


def test_a_fast_target_that_keeps_its_speed_does_not_jump() -> None:
    assert after(START, moved(12), moved(36), moved(60), moved(80)).last_reliable_box is None


def test_a_target_that_stops_near_its_last_box_is_not_watched() -> None:
    assert after(START, moved(12), moved(36), moved(37)).last_reliable_box is None


def test_a_change_of_size_about_one_centre_is_no_jump() -> None:
    x, y, w, h = START
    assert after(START, (x - w, y - h, 3 * w, 3 * h)).last_reliable_box is None


def test_the_last_reliable_box_is_watched_for_25_frames_found_or_missed() -> None:
    recovery = after(START, moved(60), *[moved(60)] * 20)
    for _ in range(5):
        recovery.missed()
    assert recovery.last_reliable_box == START
    recovery.missed()
    assert recovery.last_reliable_box is None


def test_a_second_jump_keeps_the_first_reliable_box() -> None:
    assert after(START, moved(60), moved(120)).last_reliable_box == START


def test_a_box_that_returns_by_itself_ends_the_watch() -> None:
    assert after(START, moved(60), moved(9)).last_reliable_box is None


def test_zero_watch_frames_switch_recovery_off() -> None:
    assert after(START, moved(60), settings=RecoverySettings(watch_frames=0)).last_reliable_box is None


def test_a_reappearing_target_must_score_at_least_as_high() -> None:
    best = Decoded(moved(60), 0.5)
    assert has_reappeared(Decoded(START, 0.51), best)
    assert not has_reappeared(Decoded(START, 0.49), best)


def test_the_object_that_is_followed_anyway_has_not_reappeared() -> None:
    assert not has_reappeared(Decoded(START, 0.9), Decoded(moved(5), 0.9))


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("jump_sides", 0.0, "jump_sides must be above 0, got 0.0"),
        ("watch_frames", -1, "watch_frames must be at least 0, got -1"),
    ],
)
def test_recovery_settings_that_cannot_work_are_refused(field: str, value: float, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        RecoverySettings(**{field: value})
