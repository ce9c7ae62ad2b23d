from __future__ import annotations

from itertools import pairwise

import pytest

from eatrack_edge.core.boxes import Box
from eatrack_edge.core.errors import ConfigError, UsageError
from eatrack_edge.tracking.motion import MOTION_MODELS, MotionModel
from eatrack_edge.tracking.settings import MotionSettings

BOX = (100.0, 50.0, 30.0, 20.0)


def model(name: str = "common_velocity", gain: float = 0.5) -> MotionModel:
    return MOTION_MODELS.get(name)(MotionSettings(model=name, gain=gain))


def predicted(*boxes: Box, name: str = "common_velocity", gain: float = 0.5) -> Box:
    """Where the target is expected after it was found at each of these boxes."""
    motion = model(name, gain)
    for last, box in pairwise(boxes):
        motion.found(last, box)
    return motion.predict(boxes[-1])


def moved(x: float, y: float) -> Box:
    return BOX[0] + x, BOX[1] + y, BOX[2], BOX[3]


def test_a_steady_motion_is_expected_to_go_on_by_the_gain() -> None:
    assert predicted(BOX, moved(10, -4), moved(20, -8)) == moved(25, -10)


def test_the_static_model_expects_the_last_box() -> None:
    assert predicted(BOX, moved(10, -4), moved(20, -8), name="static") == moved(20, -8)


def test_of_two_different_steps_only_the_common_part_is_expected() -> None:
    assert predicted(BOX, moved(4, 6), moved(14, 0)) == moved(16, 0)


def test_a_single_jerk_is_not_a_motion() -> None:
    assert predicted(BOX, BOX, moved(20, 20)) == moved(20, 20)


def test_a_target_that_only_grows_does_not_move() -> None:
    grown, larger = (95.0, 40.0, 40.0, 40.0), (90.0, 30.0, 50.0, 60.0)  # about the same centre
    assert predicted(BOX, grown, larger) == larger


def test_at_most_one_side_is_expected_so_the_last_position_stays_in_the_search_region() -> None:
    x, y, _, _ = predicted(BOX, moved(200, 0), moved(400, 0), gain=1.0)
    assert (x, y) == pytest.approx((500 + 600**0.5, 50))


def test_a_missed_frame_resets_the_motion() -> None:
    motion = model()
    motion.found(BOX, moved(10, 0))
    motion.found(moved(10, 0), moved(20, 0))
    motion.missed()
    assert motion.predict(BOX) == BOX


def test_a_gain_above_one_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"gain must be at least 0 and at most 1, got 1\.5"):
        MotionSettings(gain=1.5)


def test_an_unknown_motion_model_is_refused_with_a_suggestion() -> None:
    with pytest.raises(UsageError) as caught:
        MOTION_MODELS.get("statik")
    assert str(caught.value) == "no motion model called `statik`\nhint: did you mean `static`?"
