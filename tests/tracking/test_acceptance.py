from __future__ import annotations

import pytest

from eatrack_edge.tracking.acceptance import is_known_in_place, is_unknown_elsewhere


@pytest.mark.parametrize(
    ("sides", "log_odds", "in_place", "elsewhere"),
    [
        pytest.param(0.1, -1.4, True, False, id="in its place little is enough"),
        pytest.param(0.1, -1.6, False, False, id="a cover is known even less"),
        pytest.param(0.6, 0.0, False, False, id="a step away the confidence decides"),
        pytest.param(0.8, 0.1, False, False, id="a fast target that the verifier knows"),
        pytest.param(0.8, -0.1, False, True, id="a neighbour"),
    ],
)
def test_the_less_likely_the_place_the_more_is_asked_for(
    sides: float, log_odds: float, in_place: bool, elsewhere: bool
) -> None:
    assert (is_known_in_place(sides, log_odds), is_unknown_elsewhere(sides, log_odds)) == (in_place, elsewhere)
