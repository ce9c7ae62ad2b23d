from __future__ import annotations

import math
import time
import tracemalloc
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.golden.make_crops import CASES, frame
from eatrack_edge.core.boxes import Box
from eatrack_edge.core.crops import CropWindow, Patch, Scratch, cut
from eatrack_edge.core.errors import InputError

GOLDEN = Path(__file__).parent / "golden" / "ostrack_crops.npz"
GREY = (104, 116, 124)
INSIDE, OVER_A_CORNER, HALVED = (200.0, 90.0, 20.0, 14.0), (3.0, 2.0, 30.0, 20.0), (40.0, 30.0, 180.0, 150.0)
OUTSIDE = (-900.0, 5.0, 9.0, 9.0)


@pytest.mark.parametrize("name", CASES)
def test_the_integer_window_is_ostracks_pixel_for_pixel(name: str) -> None:
    box, factor, size = CASES[name]
    window = CropWindow.around(box, factor, size, "integer")  # type: ignore[arg-type]
    with np.load(GOLDEN) as stored:
        np.testing.assert_array_equal(cut(frame(), window, (0, 0, 0)), stored[name])


def test_a_subpixel_window_at_the_frames_own_scale_is_the_frames_own_pixels() -> None:
    window = CropWindow(10.0, 5.0, 32.0, 32)
    np.testing.assert_array_equal(cut(frame(), window, GREY), frame()[5:37, 10:42])


def test_a_subpixel_window_enlarges_about_pixel_areas_not_pixel_centres() -> None:
    # A step between columns 3 and 4 lies at x = 4, so at 4x it must lie at crop x = 16.
    step = np.zeros((8, 8, 3), np.uint8)
    step[:, 4:] = 200
    row = cut(step, CropWindow(0.0, 0.0, 8.0, 32), GREY)[16, :, 0].astype(int)
    assert row[15] + row[16] == pytest.approx(200, abs=4)


@pytest.mark.parametrize(
    ("x", "y", "side"),
    [
        pytest.param(40.3, 20.6, 90.2, id="inside"),
        pytest.param(-20.4, 30.2, 90.2, id="over the left border"),
        pytest.param(30.7, frame().shape[0] - 50.5, 90.2, id="over the bottom"),
        pytest.param(frame().shape[1] - 3.2, -86.9, 90.2, id="all but a corner outside"),
        pytest.param(12.3, 7.9, 6.1, id="a few pixels"),
    ],
)
def test_a_subpixel_window_is_one_bilinear_warp_of_the_whole_frame(x: float, y: float, side: float) -> None:
    step = side / 64
    matrix = np.array([[step, 0, x + step / 2 - 0.5], [0, step, y + step / 2 - 0.5]])
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    whole = cv2.warpAffine(frame(), matrix, (64, 64), flags=flags, borderMode=cv2.BORDER_CONSTANT, borderValue=GREY)
    off = np.abs(cut(frame(), CropWindow(x, y, side, 64), GREY).astype(int) - whole)
    assert off.max() <= 1, "rounding differs by more than a grey level"
    assert (off > 0).mean() < 0.02


@pytest.mark.parametrize("side", [200.0, 437.3, 800.0])
def test_a_subpixel_window_shrinks_without_aliasing(side: float) -> None:
    checker = (np.indices((900, 900)).sum(axis=0) % 2 * 255).astype(np.uint8)
    crop = cut(np.repeat(checker[..., None], 3, axis=2), CropWindow(20.4, 10.7, side, 64), GREY)
    assert abs(crop.astype(float).mean() - 127.5) < 3
    assert crop.std() < 20


def test_a_shrunk_window_keeps_its_place() -> None:
    picture = np.zeros((400, 400, 3), np.uint8)
    cv2.rectangle(picture, (150, 100), (249, 179), (255, 255, 255), -1)
    window = CropWindow(50.3, 20.6, 300.0, 64)
    ys, xs = np.nonzero(cut(picture, window, (0, 0, 0))[..., 0] > 127)
    x, y, w, h = window.to_crop((150, 100, 100, 80))
    assert xs.min() == pytest.approx(x, abs=1)
    assert xs.max() + 1 == pytest.approx(x + w, abs=1)
    assert ys.min() == pytest.approx(y, abs=1)
    assert ys.max() + 1 == pytest.approx(y + h, abs=1)


@pytest.mark.parametrize("rule", ["integer", "subpixel"])
@pytest.mark.parametrize("box", [(-500.0, -500.0, 10.0, 10.0), (500.0, 500.0, 300.0, 300.0)])
def test_a_window_wholly_outside_the_frame_is_all_padding(rule: str, box: Box) -> None:
    crop = cut(frame(), CropWindow.around(box, 1.0, 16, rule), GREY)
    assert (crop == np.array(GREY)).all()


def test_an_empty_box_has_no_window() -> None:
    with pytest.raises(InputError, match="cannot crop around an empty box: w=0, h=5"):
        CropWindow.around((1, 1, 0, 5), 2.0, 128)


@given(
    x=st.floats(-50, 700), y=st.floats(-50, 500), w=st.floats(1, 400), h=st.floats(1, 400),
    rule=st.sampled_from(["integer", "subpixel"]),
)  # fmt: skip
def test_a_box_survives_the_way_to_the_crop_and_back(x: float, y: float, w: float, h: float, rule: str) -> None:
    window = CropWindow.around((x, y, w, h), 4.0, 256, rule)
    assert window.to_frame(window.to_crop((x, y, w, h))) == pytest.approx((x, y, w, h), abs=1e-6)


@pytest.mark.parametrize("rule", ["integer", "subpixel"])
def test_a_window_just_beyond_the_left_or_top_border_is_all_padding(rule: str) -> None:
    # A window's far edge is then negative, which to a slice means "from the other end".
    for box in ((-30.0, 10.0, 8.0, 8.0), (10.0, -30.0, 8.0, 8.0)):
        crop = cut(frame(), CropWindow.around(box, 2.0, 16, rule), GREY)
        assert (crop == np.array(GREY)).all()


@pytest.mark.parametrize("rule", ["integer", "subpixel"])
@pytest.mark.parametrize("box", [INSIDE, OVER_A_CORNER, HALVED])
def test_a_crop_is_the_same_in_memory_that_was_used_before(rule: str, box: Box) -> None:
    window = CropWindow.around(box, 4.0, 64, rule)
    out, scratch = np.full((64, 64, 3), 77, np.uint8), Scratch()
    scratch.picture(300, 300)[:] = 99
    assert cut(frame(), window, GREY, out=out, scratch=scratch) is out
    np.testing.assert_array_equal(out, cut(frame(), window, GREY))


@pytest.mark.parametrize("rule", ["integer", "subpixel"])
@pytest.mark.parametrize("box", [INSIDE, OVER_A_CORNER, HALVED, OUTSIDE])
def test_a_patch_makes_the_crop_after_its_frame_is_gone(rule: str, box: Box) -> None:
    window = CropWindow.around(box, 4.0, 64, rule)
    picture, scratch, patch = frame().copy(), Scratch(), Patch(GREY)
    patch.take(picture, window, scratch)
    picture[:] = 0
    scratch.picture(300, 300)[:] = 99
    scratch.picture(300, 300)[:] = 99
    np.testing.assert_array_equal(patch.crop(scratch), cut(frame(), window, GREY))


@pytest.mark.parametrize("rule", ["integer", "subpixel"])
def test_a_patch_of_a_large_window_keeps_no_more_than_a_few_crops(rule: str) -> None:
    window = CropWindow.around((0.0, 0.0, 1000.0, 1000.0), 1.0, 64, rule)
    picture, scratch = np.zeros((1000, 1000, 3), np.uint8), Scratch()
    for _ in range(2):  # then the steps in between have their memory
        Patch(GREY).take(picture, window, scratch)
    tracemalloc.start()
    patch = Patch(GREY)
    patch.take(picture, window, scratch)
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert kept < 5 * 64 * 64 * 3


@pytest.mark.parametrize("rule", ["integer", "subpixel"])
def test_a_4k_frame_costs_what_a_1080p_frame_does(rule: str) -> None:
    frames = [np.zeros((1080, 1920, 3), np.uint8), np.zeros((2160, 3840, 3), np.uint8)]
    window = CropWindow.around((900.0, 500.0, 60.0, 45.0), 4.0, 256, rule)
    out, scratch = np.empty((256, 256, 3), np.uint8), Scratch()
    best = [math.inf, math.inf]
    for _ in range(100):  # in turns, the best of each: a busy machine slows both
        for place, picture in enumerate(frames):
            start = time.perf_counter()
            cut(picture, window, GREY, out=out, scratch=scratch)
            best[place] = min(best[place], time.perf_counter() - start)
    assert best[1] < 1.5 * best[0]


@pytest.mark.parametrize("rule", ["integer", "subpixel"])
@pytest.mark.parametrize("factor", [1.0, 4.0, 12.0], ids=["enlarged", "at the border", "shrunk"])
def test_cutting_allocates_no_picture_in_the_steady_state(rule: str, factor: float) -> None:
    picture, out, scratch = frame(), np.empty((64, 64, 3), np.uint8), Scratch()
    windows = [CropWindow.around((90.0 + step, 60.0, 24.0, 18.0), factor, 64, rule) for step in range(20)]
    for window in windows:
        cut(picture, window, GREY, out=out, scratch=scratch)
    tracemalloc.start()
    for window in windows:
        cut(picture, window, GREY, out=out, scratch=scratch)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < out.nbytes / 3, "a picture was allocated"


def test_a_window_lies_about_its_boxs_centre_and_is_subpixel_unless_said_otherwise() -> None:
    window = CropWindow.around((100.0, 50.0, 16.0, 64.0), 2.5, 256)
    assert (window.x, window.y, window.side, window.is_integer) == (68.0, 42.0, 80.0, False)
    assert window.extent((0.0, 0.0, 16.0, 64.0)) == (0.2, 0.8)


@pytest.mark.parametrize("box", [(1.0, 1.0, 0.0, 5.0), (1.0, 1.0, 5.0, 0.0), (1.0, 1.0, math.nan, 5.0)])
def test_a_box_without_width_or_height_has_no_window(box: Box) -> None:
    with pytest.raises(InputError, match="cannot crop around an empty box"):
        CropWindow.around(box, 2.0, 128)


TOUCHING = {
    # Of a frame of 100 x 80: places from where a window reads nothing of it, and those just beyond.
    "integer": [(-32, 10), (100, 10), (10, -32), (10, 80)],
    "subpixel": [(-34, 10), (-33, 10), (101, 10), (102, 10), (10, -34), (10, 81), (10, 82)],
    "halved": [(-1032, 10), (116, 10), (104, 10), (10, 96), (10, 84), (10, -1032)],
}


@pytest.mark.parametrize(("rule", "x", "y"), [(rule, *place) for rule, places in TOUCHING.items() for place in places])
def test_a_window_that_only_touches_the_frame_is_all_padding(rule: str, x: int, y: int) -> None:
    side, size = (1000, 64) if rule == "halved" else (32, 32)
    picture = np.full((80, 100, 3), 255, np.uint8)
    window = CropWindow(x, y, side, size, is_integer=rule == "integer")
    assert (cut(picture, window, GREY) == np.array(GREY)).all()


def test_an_integer_window_over_a_frame_of_one_row_is_all_padding_as_ostracks_rule_has_it() -> None:
    row = np.full((1, 100, 3), 255, np.uint8)
    for picture, place in ((row, (20, -10)), (row.transpose(1, 0, 2).copy(), (-10, 20))):
        assert (cut(picture, CropWindow(*place, 32, 32, is_integer=True), GREY) == np.array(GREY)).all()


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, ...]]:
    """The shape of every picture that OpenCV converts or shrinks."""
    shapes: list[tuple[int, ...]] = []
    for name in ("cvtColor", "resize"):
        real = getattr(cv2, name)

        def noted(picture: np.ndarray, *rest: object, real: Any = real, **named: object) -> Any:
            shapes.append(picture.shape[:2])
            return real(picture, *rest, **named)

        monkeypatch.setattr(cv2, name, noted)
    return shapes


@pytest.mark.parametrize(
    ("window", "expected"),
    [
        # Bilinear reading of columns 10.3 to 50.3 needs those from 9 to 50; one more on either side is to spare.
        pytest.param(CropWindow(10.3, 110.3, 40.0, 256), [(44, 44), (256, 256)], id="enlarged"),
        # Halved twice, on a grid of 4 px: from 36 to 548 for 40.5 to 540.5, and from 196 to 708.
        pytest.param(
            CropWindow(40.5, 200.5, 500.0, 128), [(512, 512), (256, 256), (128, 128), (128, 128)], id="shrunk"
        ),
        pytest.param(
            CropWindow(-10.0, 200.5, 500.0, 128),
            [(512, 496), (256, 248), (128, 124), (128, 128)],
            id="at the left border",
        ),
        pytest.param(
            CropWindow(40.5, 790.0, 500.0, 128), [(116, 512), (58, 256), (29, 128), (128, 128)], id="at the bottom"
        ),
    ],
)
def test_of_a_large_frame_only_the_window_is_read(
    window: CropWindow, expected: list[tuple[int, int]], read: list[tuple[int, int]]
) -> None:
    cut(np.zeros((900, 2000, 3), np.uint8), window, GREY)
    assert read == expected
