from __future__ import annotations

import pytest

from eatrack_edge.runtime.reach import Reach
from eatrack_edge.runtime.settings import SearchSettings


def factors(*sights: bool, settings: SearchSettings | None = None) -> list[float]:
    reach = Reach(settings or SearchSettings())
    seen = []
    for sight in sights:
        reach.saw(sight)
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
