from __future__ import annotations

from itertools import pairwise

import pytest

from eatrack_edge.core.boxes import Box
from eatrack_edge.core.errors import ConfigError
from eatrack_edge.tracking.decode import Decoded
from eatrack_edge.tracking.recovery import Leap
from eatrack_edge.tracking.settings import LeapSettings

PLACE = (100.0, 50.0, 40.0, 10.0)  # a side of 20


def at(x: float, y: float = 0.0) -> Box:
    """So far from the place."""
    return PLACE[0] + x, PLACE[1] + y, PLACE[2], PLACE[3]


def after(*boxes: Box, settings: LeapSettings | None = None) -> Leap:
    leap = Leap(settings or LeapSettings())
    for last, box in pairwise(boxes):
        leap.saw(last, box)
    return leap


@pytest.mark.parametrize("step", [(13.0, 0.0), (0.0, -13.0), (13.0, 13.0)])
def test_a_step_of_less_than_a_target_is_no_leap(step: tuple[float, float]) -> None:
    assert after(PLACE, at(*step)).left is None


@pytest.mark.parametrize("step", [(15.0, 0.0), (0.0, -15.0)])
def test_the_place_that_a_leap_left_is_watched(step: tuple[float, float]) -> None:
    assert after(PLACE, at(*step)).left == PLACE


def test_a_fast_target_that_goes_on_as_it_went_does_not_leap() -> None:
    leap = after(PLACE, at(12), at(36), at(60), at(80))
    assert leap.left is None


def test_a_target_that_stops_is_where_it_was_so_nothing_is_watched() -> None:
    assert after(PLACE, at(12), at(36), at(37)).left is None


def test_a_change_of_size_about_one_centre_is_no_leap() -> None:
    x, y, w, h = PLACE
    assert after(PLACE, (x - w, y - h, 3 * w, 3 * h)).left is None


def test_it_is_watched_for_25_frames_seen_or_not() -> None:
    leap = after(PLACE, at(60), *[at(60)] * 20)
    for _ in range(5):
        leap.lost()
    assert leap.left == PLACE
    leap.lost()
    assert leap.left is None


def test_a_leap_from_there_on_does_not_make_it_forget_the_first_place() -> None:
    assert after(PLACE, at(60), at(120)).left == PLACE


def test_a_box_that_comes_back_by_itself_ends_the_watch() -> None:
    assert after(PLACE, at(60), at(9)).left is None


def test_no_frames_watch_nothing() -> None:
    assert after(PLACE, at(60), settings=LeapSettings(frames=0)).left is None


def test_what_comes_out_there_must_score_as_well() -> None:
    best = Decoded(at(60), 0.5)
    assert Leap(LeapSettings()).is_back(Decoded(PLACE, 0.51), best)
    assert not Leap(LeapSettings()).is_back(Decoded(PLACE, 0.49), best)


def test_what_is_followed_anyway_has_not_come_out() -> None:
    assert not Leap(LeapSettings()).is_back(Decoded(PLACE, 0.9), Decoded(at(5), 0.9))


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("sides", 0.0, "a leap's sides must be above 0, got 0.0"),
        ("frames", -1, "a leap's frames must be at least 0, got -1"),
    ],
)
def test_a_leap_that_cannot_work_is_refused(field: str, value: float, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        LeapSettings(**{field: value})
