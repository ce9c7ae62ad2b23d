from __future__ import annotations

import math

import numpy as np
import pytest

from eatrack_edge.core.crops import CropWindow, cut
from eatrack_edge.train.pool import Sighting
from eatrack_edge.train.sampling import PADDING_BGR
from eatrack_edge.train.warp import Pose, warp

pytestmark = pytest.mark.torch


def smooth_picture(height: int, width: int) -> np.ndarray:
    y, x = np.mgrid[:height, :width].astype(np.float32)
    channels = [127 + 100 * np.sin(x / 9 + k) * np.cos(y / 7 - k) for k in range(3)]
    return np.stack(channels, -1).astype(np.uint8)


def disc_picture(side: int, box: tuple[float, float, float, float]) -> np.ndarray:
    y, x = np.mgrid[:side, :side] + 0.5
    cx, cy, w, h = box[0] + box[2] / 2, box[1] + box[3] / 2, box[2], box[3]
    inside = ((x - cx) / (w / 2)) ** 2 + ((y - cy) / (h / 2)) ** 2 <= 1
    return np.repeat((255 * inside).astype(np.uint8)[..., None], 3, -1)


@pytest.mark.parametrize("side", [18.5, 41.0, 90.0], ids=["enlarged", "shrunk a little", "shrunk by area"])
def test_an_upright_pose_is_the_runtimes_own_crop(side: float) -> None:
    picture = smooth_picture(300, 400)
    box = (171.3, 120.6, side * 1.2, side / 1.2)
    for factor, size in ((2.0, 128), (4.0, 256)):
        if 8.6 * side < 300:
            window = CropWindow.around(box, factor, size)
            expected = cut(picture, window, PADDING_BGR)
            pose = Pose((size / 2, size / 2), window.resize_factor)
            got, _ = warp(Sighting(picture, box), pose, size, PADDING_BGR)
            assert np.abs(got.astype(int) - expected.astype(int)).mean() < 1.0


def test_beyond_the_image_lies_the_padding_colour() -> None:
    crop, shown = warp(Sighting(smooth_picture(60, 60), (5, 5, 40, 40)), Pose((128, 128), 1.6), 256, PADDING_BGR)
    assert tuple(crop[0, 0]) == PADDING_BGR
    assert shown[0, 0] == 0
    assert shown[128, 128] == 255


def test_a_side_that_was_cut_is_mirrored_outwards_rather_than_padded() -> None:
    picture = smooth_picture(130, 130)
    sighting = Sighting(picture, (55, 55, 20, 20), reach=3.0)
    _, shown = warp(sighting, Pose((128, 128), 1.6), 256, PADDING_BGR)
    assert shown.min() == 255


@pytest.mark.parametrize(
    "pose",
    [
        Pose((128, 128), 2.0),
        Pose((97.4, 150.2), 1.3, is_mirrored=True),
        Pose((128, 128), 2.0, rotation=math.radians(12)),
        Pose((110, 140), 1.5, rotation=math.radians(-8), stretch=0.2, is_mirrored=True),
        Pose((128, 128), 0.5),
    ],
    ids=["enlarged", "mirrored and moved", "rotated", "all at once", "shrunk"],
)
def test_the_box_lies_about_what_the_crop_shows(pose: Pose) -> None:
    box = (80.0, 100.0, 60.0, 30.0)
    crop, _ = warp(Sighting(disc_picture(220, box), box), pose, 256, (0, 0, 0))
    rows, columns = np.nonzero(crop[..., 0] > 127)
    cx, cy, w, h = pose.box_in_crop(60, 30)
    assert (columns.min() + columns.max() + 1) / 2 == pytest.approx(cx, abs=0.7)
    assert (rows.min() + rows.max() + 1) / 2 == pytest.approx(cy, abs=0.7)
    # A disc fills its rotated box less than its corners do; the box is half-way between the two.
    assert columns.max() + 1 - columns.min() == pytest.approx(w, rel=0.1)
    assert rows.max() + 1 - rows.min() == pytest.approx(h, rel=0.2)


def test_perspective_keeps_the_targets_centre() -> None:
    box = (100.0, 100.0, 20.0, 20.0)
    pose = Pose((90, 140), 2.0, tilt=(0.12, -0.12))
    crop, _ = warp(Sighting(disc_picture(220, box), box), pose, 256, (0, 0, 0))
    rows, columns = np.nonzero(crop[..., 0] > 127)
    assert columns.mean() + 0.5 == pytest.approx(90, abs=1)
    assert rows.mean() + 0.5 == pytest.approx(140, abs=1)
