from __future__ import annotations

import numpy as np
import pytest

from eatrack_edge.core.crops import Scratch
from eatrack_edge.tracking.search_region import SearchRegion
from tracking.simulated import SEARCH, model_spec, scene

BOX = (100.0, 50.0, 30.0, 30.0)


def region() -> SearchRegion:
    return SearchRegion(model_spec(), Scratch())


def test_the_window_is_centred_on_the_expected_box_and_has_four_times_its_side() -> None:
    window = region().window(BOX)
    assert (window.x + window.side / 2, window.y + window.side / 2) == (115.0, 65.0)
    assert (window.side, window.out_size) == (120.0, SEARCH)


def test_a_wide_region_covers_more_of_the_frame() -> None:
    assert region().window(BOX, 1.7).side == pytest.approx(120 * 1.7)


def test_every_crop_is_made_in_the_same_memory() -> None:
    search = region()
    first = search.cut(scene(115, 65), search.window(BOX))
    assert np.shares_memory(first, search.cut(scene(116, 65), search.window(BOX)))
