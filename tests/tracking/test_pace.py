from __future__ import annotations

from itertools import pairwise

import pytest

from eatrack_edge.core.boxes import Box
from eatrack_edge.tracking.pace import Pace


def after(*steps: float) -> Pace:
    """The pace of a target with a side of 20 px after steps of so many sides."""
    across = [20 * sum(steps[:count]) for count in range(len(steps) + 1)]
    boxes: list[Box] = [(x, 0.0, 40.0, 10.0) for x in across]
    pace = Pace()
    for last, box in pairwise(boxes):
        pace.found(last, box)
    return pace


def test_a_step_is_measured_by_the_longest_of_the_latest() -> None:
    assert after(*[0.1] * 9, 0.3).times_longest(0.9) == pytest.approx(3.0)


def test_before_ten_steps_nothing_is_known_of_the_pace() -> None:
    assert after(*[0.1] * 9).times_longest(5.0) == 0


def test_what_stands_still_may_begin_to_move() -> None:
    assert after(*[0.0] * 30).times_longest(0.2) == pytest.approx(2.0)


@pytest.mark.parametrize(("frames", "expected"), [(29, 2.0), (30, 20.0)])
def test_a_long_step_is_forgotten_after_30_frames(frames: int, expected: float) -> None:
    assert after(1.0, *[0.1] * frames).times_longest(2.0) == pytest.approx(expected)
