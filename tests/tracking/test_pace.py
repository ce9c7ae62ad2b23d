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


def test_a_step_of_four_times_the_longest_is_a_jump() -> None:
    pace = after(*[0.1] * 9, 0.3)
    assert not pace.is_jump(1.19)
    assert pace.is_jump(1.21)


def test_before_ten_steps_nothing_is_known_of_the_pace() -> None:
    assert not after(*[0.1] * 9).is_jump(5.0)


def test_what_stands_still_may_begin_to_move() -> None:
    pace = after(*[0.0] * 30)
    assert not pace.is_jump(0.39)
    assert pace.is_jump(0.41)


@pytest.mark.parametrize(("frames", "expected"), [(29, False), (30, True)])
def test_a_long_step_is_forgotten_after_30_frames(frames: int, expected: bool) -> None:
    assert after(1.0, *[0.1] * frames).is_jump(2.0) is expected
