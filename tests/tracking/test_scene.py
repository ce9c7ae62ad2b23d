from __future__ import annotations

import functools
import math

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from eatrack_edge.core.boxes import Box, sides_between
from eatrack_edge.core.crops import Frame
from eatrack_edge.tracking.scene import Scene

BOX: Box = (300.0, 160.0, 40.0, 30.0)
SIZE = (640, 360)  # width, height
CENTRE = (BOX[0] + BOX[2] / 2, BOX[1] + BOX[3] / 2)


@functools.cache
def ground(seed: int) -> Frame:
    """A piece of ground, larger than a frame, with the corners of roofs, cars and fields."""
    draw = np.random.default_rng(seed)
    picture = np.full((1080, 1920, 3), 110, np.uint8)
    for _ in range(900):
        x, y, w, h = (int(value) for value in draw.integers((0, 0, 8, 8), (1900, 1060, 70, 50)))
        cv2.rectangle(picture, (x, y), (x + w, y + h), [int(level) for level in draw.integers(0, 255, 3)], -1)
    return np.asarray(cv2.GaussianBlur(picture, (0, 0), 1.5), np.uint8)


def weak(frame: Frame) -> Frame:
    """The frame in haze: text that is drawn over it has the strongest corners."""
    blurred = cv2.GaussianBlur(frame, (0, 0), 1.5)
    return np.asarray(cv2.addWeighted(blurred, 0.25, np.full_like(frame, 100), 0.75, 0), np.uint8)


def view(
    seed: int = 1,
    *,
    turned: float = 0.0,
    zoom: float = 1.0,
    moved: tuple[float, float] = (0.0, 0.0),
    overlay: bool = False,
) -> Frame:
    """A frame of the ground, seen from elsewhere: turned (degrees) and zoomed about the box, then moved (pixels)."""
    to_frame = _turn(turned, zoom, moved) @ np.array([[1, 0, -640], [0, 1, -360], [0, 0, 1]])
    frame = np.asarray(cv2.warpAffine(ground(seed), to_frame[:2], SIZE, borderMode=cv2.BORDER_REFLECT), np.uint8)
    if overlay:
        draw_text(frame, (30, 340))
    return frame


def draw_text(frame: Frame, rows: tuple[int, ...]) -> None:
    for row in rows:
        cv2.putText(frame, f"ALT {row} SPD 12.4  BAT 15.1V", (20, row), cv2.FONT_HERSHEY_SIMPLEX, 0.7, (255,) * 3, 2)


def _turn(turned: float, zoom: float, moved: tuple[float, float]) -> NDArray[np.float64]:
    turn = np.vstack([cv2.getRotationMatrix2D(CENTRE, turned, zoom), [0, 0, 1]])
    turn[:2, 2] += moved
    return turn


def located(first: Frame, now: Frame) -> Box | None:
    scene = Scene()
    scene.remember(first, BOX)
    return scene.locate(now)


@pytest.mark.parametrize("overlay", [False, True], ids=["clean", "with_overlay"])
@pytest.mark.parametrize(
    ("turned", "zoom", "moved"),
    [
        (0.0, 1.0, (0.0, 0.0)),
        (0.0, 1.0, (150.0, -60.0)),
        (40.0, 1.0, (30.0, 20.0)),
        (180.0, 1.0, (0.0, 0.0)),
        (0.0, 0.7, (0.0, 0.0)),
        (-15.0, 1.4, (-80.0, 40.0)),
    ],
)
def test_it_knows_where_the_box_lies_when_the_camera_has_moved(
    turned: float, zoom: float, moved: tuple[float, float], overlay: bool
) -> None:
    box = located(view(overlay=overlay), view(turned=turned, zoom=zoom, moved=moved, overlay=overlay))
    assert box is not None
    expected = (CENTRE[0] + moved[0] - BOX[2] * zoom / 2, CENTRE[1] + moved[1] - BOX[3] * zoom / 2)
    assert box[:2] == pytest.approx(expected, abs=4)
    assert box[2:] == pytest.approx((BOX[2] * zoom, BOX[3] * zoom), rel=0.05)


@pytest.mark.parametrize("overlay", [False, True], ids=["clean", "with_overlay"])
def test_another_scene_is_not_taken_for_it(overlay: bool) -> None:
    first = view(1, overlay=overlay)
    assert [located(first, view(seed, overlay=overlay)) for seed in range(2, 12)] == [None] * 10


def test_much_text_over_a_hazy_scene_does_not_make_another_one_of_it() -> None:
    frames = [weak(view(seed)) for seed in range(1, 9)]
    for frame in frames:
        draw_text(frame, (30, 60, 300, 340))
    assert [located(frames[0], frame) for frame in frames[1:]] == [None] * 7


def test_a_camera_that_stands_still_knows_its_hazy_scene_beside_text() -> None:
    first, now = weak(view()), weak(view())
    for frame in (first, now):
        draw_text(frame, (30, 340))
    assert located(first, now) == pytest.approx(BOX, abs=0.5)


def test_bars_above_and_below_do_not_make_another_scene_the_same() -> None:
    frames = [weak(view(seed)) for seed in range(1, 9)]
    for frame in frames:
        frame[:60] = frame[-60:] = 0
        draw_text(frame, (30, 340))
    assert [located(frames[0], frame) for frame in frames[1:]] == [None] * 7


def test_an_emblem_that_moves_over_another_scene_is_not_the_ground() -> None:
    emblem = cv2.resize(ground(99)[:180, :280], (140, 90))
    first = weak(view(1))
    first[40:130, 40:180] = emblem
    for seed in range(2, 9):
        now = weak(view(seed))
        now[40:130, 60:200] = emblem
        assert located(first, now) is None


@pytest.mark.parametrize("size", [(640, 2), (2, 2000), (3000, 1), (1279, 5), (40, 40), (90, 1200)])
def test_frames_of_any_shape_are_taken(size: tuple[int, int]) -> None:
    frame = np.random.default_rng(0).integers(0, 255, (size[1], size[0], 3), np.uint8)
    scene = Scene()
    scene.remember(frame, (0.0, 0.0, 2.0, 1.0))
    box = scene.locate(frame)
    assert box is None or box == pytest.approx((0.0, 0.0, 2.0, 1.0), abs=0.5)


def test_a_box_that_has_left_the_picture_lies_outside() -> None:
    box = located(view(), view(moved=(400.0, 0.0)))
    assert box is not None
    assert box[0] > SIZE[0]


def test_a_picture_without_corners_is_no_scene() -> None:
    flat = np.full((360, 640, 3), 90, np.uint8)
    assert [located(*pair) for pair in ((flat, flat), (view(), flat), (flat, view()))] == [None] * 3
    dot = np.zeros((1, 1, 3), np.uint8)
    assert located(dot, dot) is None


def test_without_a_remembered_scene_nothing_is_located() -> None:
    assert Scene().locate(view()) is None


def test_the_scene_remembered_last_counts() -> None:
    scene = Scene()
    for seed in (1, 2):
        scene.remember(view(seed), BOX)
        assert scene.locate(view(seed)) is not None
    assert scene.locate(view(1)) is None


def test_boxes_are_in_pixels_of_frames_of_any_size() -> None:
    views = (view(), view(moved=(60.0, 0.0)))
    first, now = (np.asarray(cv2.resize(frame, (1920, 1080)), np.uint8) for frame in views)
    scene = Scene()
    scene.remember(first, (900.0, 480.0, 120.0, 90.0))
    box = scene.locate(now)
    assert box is not None
    assert sides_between(box, (1080.0, 480.0, 120.0, 90.0)) < 0.1
    assert math.dist(box[2:], (120, 90)) < 5
