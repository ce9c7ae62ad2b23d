from __future__ import annotations

import re

from eatrack_edge.reporting.colours import SERIES, series_colour, series_dash


def test_the_first_21_series_all_look_different() -> None:
    assert len({(series_colour(place), series_dash(place)) for place in range(21)}) == 21
    assert all(re.fullmatch("#[0-9A-F]{6}", colour) for colour in SERIES)
