from __future__ import annotations

import math

import cv2
import numpy as np
import pytest

from eatrack_edge.scene.motion_blur import motion_kernel


def test_a_level_motion_smears_a_point_into_a_level_line() -> None:
    picture = np.zeros((15, 15), np.float32)
    picture[7, 7] = 1
    smeared = cv2.filter2D(picture, -1, motion_kernel(6, 0))
    assert smeared[7].nonzero()[0].tolist() == list(range(4, 11))
    assert np.delete(smeared, 7, axis=0).max() == 0


@pytest.mark.parametrize("angle", [0, math.pi / 4, math.pi / 2, 3])
@pytest.mark.parametrize("length", [1, 3, 8.5])
def test_a_kernel_keeps_the_brightness_and_has_a_middle(length: float, angle: float) -> None:
    kernel = motion_kernel(length, angle)
    assert kernel.sum() == pytest.approx(1)
    assert kernel.shape[0] == kernel.shape[1]
    assert kernel.shape[0] % 2 == 1
    assert kernel[kernel.shape[0] // 2, kernel.shape[0] // 2] > 0
