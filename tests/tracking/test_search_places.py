from __future__ import annotations

import math
from itertools import islice

import pytest

from eatrack_edge.tracking.search_places import Place, search_places

LAST = (300.0, 220.0, 40.0, 40.0)
FRAME = (640, 480)


def places(count: int, last: tuple[float, float, float, float] = LAST, reach: float = 8.0) -> list[Place]:
    return list(islice(search_places(last, FRAME, 4.0, 1.6, reach), count))


def sides_away(place: Place, last: tuple[float, float, float, float] = LAST) -> float:
    return math.hypot(place.box[0] - last[0], place.box[1] - last[1]) / math.sqrt(last[2] * last[3])


def test_the_last_box_comes_first_and_again_and_again() -> None:
    found = places(13)
    assert found[:2] == [Place(LAST, 1.0, True), Place(LAST, 1.6, True)]
    assert [index for index, place in enumerate(found) if place.box == LAST] == [0, 1, 5, 9, 12]


def test_near_places_come_before_far_ones_and_nearer_ones_first() -> None:
    found = places(12)
    away = [sides_away(place) for place in found if place.box != LAST]
    assert away == sorted(away)
    assert all(place.is_near for place in found)
    assert max(away) <= 8


def test_after_the_near_places_the_whole_picture_is_looked_at() -> None:
    found = places(400)
    far = [place for place in found if not place.is_near]
    assert far
    assert min(map(sides_away, far)) > 8
    side = 4 * 1.6 * 40
    seen = {
        (x, y)
        for x in range(0, 640, 20)
        for y in range(0, 480, 20)
        for place in found
        if abs(x - place.box[0] - 20) <= side / 2 and abs(y - place.box[1] - 20) <= side / 2
    }
    assert len(seen) == 32 * 24


def test_search_regions_overlap_so_that_a_target_on_the_border_of_one_is_inside_another() -> None:
    steps = {place.box[0] for place in places(400)}
    gaps = [after - before for before, after in zip(sorted(steps), sorted(steps)[1:], strict=False)]
    assert gaps == pytest.approx([0.7 * 4 * 1.6 * 40] * len(gaps))


def test_a_target_that_fills_the_picture_is_looked_for_where_it_was() -> None:
    filling = (0.0, 0.0, 640.0, 480.0)
    assert {place.box for place in places(20, filling)} == {filling}


def test_a_target_at_the_border_is_looked_for_inside_the_picture() -> None:
    corner = (-10.0, -10.0, 40.0, 40.0)
    away = [place for place in places(60, corner) if place.box != corner]
    side = 4 * 1.6 * 40
    assert all(place.box[0] + 20 + side / 2 > 0 and place.box[1] + 20 + side / 2 > 0 for place in away)
