from __future__ import annotations

import math

import pytest

from eatrack_edge.core.boxes import Box
from eatrack_edge.tracking.wide_look import WideLook

BOX: Box = (100.0, 50.0, 40.0, 40.0)


def looks(look: WideLook, count: int) -> list[tuple[float, float, float]]:
    """Distances across and down, in sides, and scale."""
    places = [look.next(BOX) for _ in range(count)]
    return [((place.box[0] - BOX[0]) / 40, (place.box[1] - BOX[1]) / 40, place.scale) for place in places]


def test_the_first_look_is_a_wider_one_about_the_box() -> None:
    assert looks(WideLook(), 1) == [(0, 0, 1.5)]


def test_elsewhere_more_evidence_is_asked_for() -> None:
    look = WideLook()
    assert [look.next(BOX).minimum_log_odds for _ in range(7)] == [0, 1, 1, 1, 1, 1, 1]


def test_then_it_is_looked_around_the_box_ahead_of_the_target_first() -> None:
    look = WideLook()
    look.found((100, 50, 40, 40), (100, 80, 40, 40))  # downward
    around = looks(look, 7)[1:]
    assert around[0] == pytest.approx((0, 2.5, 1.3))
    assert around[-1] == pytest.approx((0, -2.5, 1.3))
    assert [math.hypot(across, down) for across, down, _ in around] == pytest.approx([2.5] * 6)
    assert len({(round(across, 3), round(down, 3)) for across, down, _ in around}) == 6


def test_the_places_come_again_until_the_target_is_found() -> None:
    look = WideLook()
    assert looks(look, 14)[7:] == looks(look, 7)
    looks(look, 3)
    look.found(BOX, BOX)
    assert looks(look, 1) == [(0, 0, 1.5)]


def test_the_size_of_the_target_stays() -> None:
    look = WideLook()
    assert {look.next((10, 10, 20, 5)).box[2:] for _ in range(7)} == {(20, 5)}
