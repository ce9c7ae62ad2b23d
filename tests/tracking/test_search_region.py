from __future__ import annotations

from itertools import pairwise

import pytest

from eatrack_edge.core.boxes import Box
from eatrack_edge.core.errors import ConfigError
from eatrack_edge.tracking.search_region import Reach
from eatrack_edge.tracking.settings import SearchSettings

BOX = (100.0, 50.0, 30.0, 20.0)


def factors(*sights: bool, settings: SearchSettings | None = None) -> list[float]:
    reach = Reach(settings or SearchSettings())
    seen = []
    for is_seen in sights:
        if is_seen:
            reach.saw(BOX, BOX)
        else:
            reach.lost()
        seen.append(reach.factor)
    return seen


def test_a_seen_target_is_looked_for_where_the_network_was_trained_to() -> None:
    assert factors(*[True] * 5) == [1.0] * 5


def test_the_search_widens_only_after_several_unseen_frames_and_to_a_limit() -> None:
    widened = factors(*[False] * 9)
    assert widened[:2] == [1.0, 1.0]
    assert widened[2:5] == pytest.approx([1.15, 1.15**2, 1.15**3])
    assert widened[-1] == 1.7


def test_one_sure_frame_narrows_it_at_once_and_the_count_begins_anew() -> None:
    assert factors(*[False] * 4, True, False, False, False) == pytest.approx(
        [1.0, 1.0, 1.15, 1.15**2, 1.0, 1.0, 1.0, 1.15]
    )


def test_a_widest_of_one_never_widens() -> None:
    assert factors(*[False] * 9, settings=SearchSettings(widest=1.0)) == [1.0] * 9


def expected(*boxes: Box, follow_motion: float = 0.5) -> Box:
    """Where the target is looked for after it was seen at each of these boxes."""
    reach = Reach(SearchSettings(follow_motion=follow_motion))
    for last, box in pairwise(boxes):
        reach.saw(last, box)
    return reach.ahead(boxes[-1])


def moved(x: float, y: float) -> Box:
    return BOX[0] + x, BOX[1] + y, BOX[2], BOX[3]


def test_a_target_that_goes_on_moving_is_looked_for_ahead_by_the_believed_share_of_its_step() -> None:
    steps = BOX, moved(10, -4), moved(20, -8)
    assert expected(*steps) == moved(25, -10)
    assert expected(*steps, follow_motion=0.0) == moved(20, -8)


def test_of_a_step_that_is_not_like_the_one_before_only_what_both_have_in_common_is_expected() -> None:
    assert expected(BOX, moved(4, 6), moved(14, 0)) == moved(16, 0)


def test_a_jerk_is_not_a_motion() -> None:
    assert expected(BOX, BOX, moved(20, 20)) == moved(20, 20)


def test_a_target_that_only_grows_does_not_move() -> None:
    grown, larger = (95.0, 40.0, 40.0, 40.0), (90.0, 30.0, 50.0, 60.0)  # about the same centre
    assert expected(BOX, grown, larger) == larger


def test_no_step_beyond_a_side_of_the_target_is_expected_so_that_it_stays_in_the_search_crop() -> None:
    x, y, _, _ = expected(BOX, moved(200, 0), moved(400, 0), follow_motion=1.0)
    assert (x, y) == pytest.approx((500 + 600**0.5, 50))


def test_a_target_that_is_not_seen_is_looked_for_where_it_was() -> None:
    reach = Reach(SearchSettings())
    reach.saw(BOX, moved(10, 0))
    reach.saw(moved(10, 0), moved(20, 0))
    reach.lost()
    assert reach.ahead(BOX) == BOX


def test_following_more_than_the_whole_motion_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"follow_motion must be at least 0 and at most 1, got 1\.5"):
        SearchSettings(follow_motion=1.5)
