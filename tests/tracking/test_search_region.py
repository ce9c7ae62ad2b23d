from __future__ import annotations

import numpy as np
import pytest

from eatrack_edge.core.crops import Scratch
from eatrack_edge.tracking.search_region import SearchRegion
from eatrack_edge.tracking.settings import SearchSettings
from tracking.simulated import SEARCH, model_spec, scene

BOX = (100.0, 50.0, 30.0, 30.0)


def region(settings: SearchSettings | None = None) -> SearchRegion:
    return SearchRegion(settings or SearchSettings(), model_spec(), Scratch())


def scales(*frames: bool, settings: SearchSettings | None = None) -> list[float]:
    search, seen = region(settings), []
    for is_found in frames:
        (search.found if is_found else search.missed)()
        seen.append(search.scale)
    return seen


def test_a_found_target_is_searched_for_at_the_scale_of_training() -> None:
    assert scales(*[True] * 5) == [1.0] * 5


def test_the_region_grows_only_after_several_missed_frames_and_to_a_maximum() -> None:
    grown = scales(*[False] * 9)
    assert grown[:2] == [1.0, 1.0]
    assert grown[2:5] == pytest.approx([1.15, 1.15**2, 1.15**3])
    assert grown[-1] == 1.7


def test_one_found_frame_resets_the_scale_and_the_count() -> None:
    assert scales(*[False] * 4, True, False, False, False) == pytest.approx(
        [1.0, 1.0, 1.15, 1.15**2, 1.0, 1.0, 1.0, 1.15]
    )


def test_a_maximum_scale_of_one_never_grows() -> None:
    assert scales(*[False] * 9, settings=SearchSettings(maximum_scale=1.0)) == [1.0] * 9


def test_the_window_is_centred_on_the_expected_box_and_has_four_times_its_side() -> None:
    window = region().window(BOX)
    assert (window.x + window.side / 2, window.y + window.side / 2) == (115.0, 65.0)
    assert (window.side, window.out_size) == (120.0, SEARCH)


def test_a_grown_region_covers_more_of_the_frame() -> None:
    search = region()
    for _ in range(4):
        search.missed()
    assert search.window(BOX).side == pytest.approx(120 * 1.15**2)


def test_every_crop_is_made_in_the_same_memory() -> None:
    search = region()
    first = search.cut(scene(115, 65), search.window(BOX))
    assert np.shares_memory(first, search.cut(scene(116, 65), search.window(BOX)))
