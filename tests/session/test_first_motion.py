from __future__ import annotations

import numpy as np

from eatrack_edge.core.boxes import iou
from eatrack_edge.session.first_motion import FirstMotion
from eatrack_edge.sources.feed import LiveFrame

GROUND = np.random.default_rng(0).integers(70, 130, (90, 160, 3), np.uint8).repeat(4, 0).repeat(4, 1)


def frame(number: int, *, camera: int = 0, speed: int = 4) -> LiveFrame:
    picture = np.roll(GROUND, camera * number, axis=1)
    picture[150:210, 200 + speed * number : 260 + speed * number] = 235
    return LiveFrame(number, number / 30, picture)


def test_the_first_thing_that_moves_is_selected() -> None:
    select = FirstMotion()
    boxes = [select(frame(number)) for number in range(12)]
    number = next(place for place, box in enumerate(boxes) if box is not None)
    assert number <= 6
    truth = np.array([(200 + 4 * number, 150, 60, 60)])
    assert iou(np.array([boxes[number]]), truth)[0] > 0.5


def test_the_shift_of_the_camera_is_no_motion() -> None:
    select = FirstMotion()
    assert not any(select(frame(number, camera=3, speed=3)) for number in range(12))


def test_a_still_picture_selects_nothing() -> None:
    select = FirstMotion()
    assert not any(select(frame(number, speed=0)) for number in range(12))
