from __future__ import annotations

import math

import pytest

from eatrack_edge.tracking.acceptance import is_known_in_place, needed_log_odds


@pytest.mark.parametrize(
    ("sides", "log_odds", "expected"),
    [
        pytest.param(0.1, -1.4, True, id="in its place little is enough"),
        pytest.param(0.1, -1.6, False, id="a cover is known even less"),
        pytest.param(0.6, 0.0, False, id="it has moved"),
    ],
)
def test_in_its_place_the_target_is_known_by_little(sides: float, log_odds: float, expected: bool) -> None:
    assert is_known_in_place(sides, log_odds) is expected


@pytest.mark.parametrize(
    ("sides", "times_longest", "is_doubtful", "expected"),
    [
        pytest.param(0.6, 9.0, True, -math.inf, id="about its place the confidence decides"),
        pytest.param(0.8, 1.9, False, -math.inf, id="a fast target"),
        pytest.param(0.8, 0.0, True, 0.0, id="after a doubt"),
        pytest.param(0.8, 3.9, False, 0.0, id="farther than it moves in a frame"),
        pytest.param(0.8, 4.1, False, 1.0, id="much farther"),
        pytest.param(0.8, 4.1, True, 1.0, id="much farther after a doubt"),
    ],
)
def test_the_less_likely_the_place_the_more_is_asked_for(
    sides: float, times_longest: float, is_doubtful: bool, expected: float
) -> None:
    assert needed_log_odds(sides, times_longest, is_doubtful=is_doubtful) == expected
