from __future__ import annotations

import cv2
import numpy as np
import pytest

from eatrack_edge.core.boxes import Box
from eatrack_edge.core.crops import Frame
from eatrack_edge.tracking.patch_matching import follow_patch

WIDTH, HEIGHT = 320, 240


def texture(width: int, height: int, seed: int, grain: int = 4) -> Frame:
    """Soft spots of about ``grain`` pixels, as optics leave them."""
    size = max(2, width // grain), max(2, height // grain)
    spots = np.random.default_rng(seed).integers(30, 226, (size[1], size[0], 3), np.uint8)
    return np.asarray(cv2.resize(spots, (width, height), interpolation=cv2.INTER_CUBIC), np.uint8)


def scene(box: Box, ground: tuple[int, int] = (0, 0), noise: int = 0) -> Frame:
    """A target in a box of whole pixels, over a ground that has moved, with noise of so many grey levels."""
    frame = np.roll(texture(WIDTH, HEIGHT, seed=1, grain=24) // 3 + 80, (ground[1], ground[0]), axis=(0, 1))
    x, y, w, h = (int(value) for value in box)
    target = texture(w, h, seed=2, grain=max(2, min(w, h) // 5))
    left, top, right, bottom = max(0, x), max(0, y), min(WIDTH, x + w), min(HEIGHT, y + h)
    frame[top:bottom, left:right] = target[top - y : bottom - y, left - x : right - x]
    if noise:
        added = np.random.default_rng(noise + x).normal(0, noise, frame.shape)
        frame = np.clip(frame + added, 0, 255).astype(np.uint8)
    return frame


def moved(box: Box, x: float, y: float) -> Box:
    return box[0] + x, box[1] + y, box[2], box[3]


@pytest.mark.parametrize(
    ("w", "h", "x", "y"),
    [
        pytest.param(7, 7, 9, -11, id="tiny"),
        pytest.param(24, 20, 37, -29, id="small, nearly two sides"),
        pytest.param(60, 12, 20, 10, id="wide"),
        pytest.param(90, 110, -64, 50, id="large, reduced"),
        pytest.param(24, 20, 0, 0, id="still"),
    ],
)
def test_a_target_is_followed_over_a_ground_that_moves_otherwise(w: int, h: int, x: int, y: int) -> None:
    box: Box = (150.0 - w / 2 // 1, 120.0 - h / 2 // 1, float(w), float(h))
    found = follow_patch(scene(box, noise=3), scene(moved(box, x, y), ground=(-5, 3), noise=4), box)
    assert found == pytest.approx(moved(box, x, y), abs=max(0.01, 0.06 * max(w, h) - 1.3))


@pytest.mark.parametrize(
    ("box", "x", "y"),
    [
        pytest.param((0.0, 0.0, 20.0, 20.0), 8, 6, id="corner"),
        pytest.param((300.0, 220.0, 20.0, 20.0), -8, -6, id="other corner"),
        pytest.param((0.0, 100.0, 3.0, 3.0), 2, 2, id="smaller than a patch at the border"),
    ],
)
def test_a_target_at_the_border_is_followed(box: Box, x: int, y: int) -> None:
    assert follow_patch(scene(box), scene(moved(box, x, y)), box) == pytest.approx(moved(box, x, y), abs=1.1)


def test_grey_and_colour_may_be_mixed_and_the_brightness_may_change() -> None:
    box: Box = (150.0, 110.0, 24.0, 20.0)
    before, after = scene(box), scene(moved(box, 7, 3))
    luma = cv2.cvtColor(after, cv2.COLOR_BGR2YUV_I420)[:HEIGHT]  # limited range, as a decoder delivers it
    found = follow_patch(before, np.asarray(luma, np.uint8), box)
    assert found == pytest.approx(moved(box, 7, 3))
    grey = np.asarray(cv2.cvtColor(before, cv2.COLOR_BGR2GRAY), np.uint8)[..., None]
    assert follow_patch(grey, after, box) == pytest.approx(moved(box, 7, 3))


def test_what_is_flat_or_gone_is_not_followed() -> None:
    box: Box = (150.0, 110.0, 24.0, 20.0)
    flat = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    assert follow_patch(flat, flat, box) is None
    assert follow_patch(scene(box), flat, box) is None
    assert follow_patch(flat, scene(box), box) is None
    other = texture(WIDTH, HEIGHT, seed=9, grain=3)
    assert follow_patch(scene(box), other, box) is None


@pytest.mark.parametrize("size", [(1, 1), (3, 200), (200, 3), (8, 8)], ids=str)
def test_a_frame_smaller_than_a_patch_is_no_error(size: tuple[int, int]) -> None:
    width, height = size
    frame = texture(width + 1, height + 1, seed=4)[:height, :width]
    box: Box = (0.0, 0.0, float(width), float(height))
    found = follow_patch(frame, frame, box)
    assert found is None or found == pytest.approx(box, abs=0.01)


def test_of_two_places_that_look_alike_the_nearer_one_is_taken() -> None:
    box: Box = (150.0, 110.0, 16.0, 16.0)
    before, after = scene(box), scene(moved(box, -3, 0))
    after[105:131, 170:200] = scene(moved(box, 27, 0))[105:131, 170:200]  # its double
    assert follow_patch(before, after, box) == pytest.approx(moved(box, -3, 0))
