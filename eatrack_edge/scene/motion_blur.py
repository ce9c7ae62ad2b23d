"""Motion blur: the kernel of a camera that moves while its shutter is open."""

from __future__ import annotations

import math
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray


def motion_kernel(length: float, angle: float) -> NDArray[np.float32]:
    """The kernel that blurs an image along a straight line, for ``cv2.filter2D``.

    Args:
        length: Of the blur, pixels.
        angle: Its direction, radians; 0 is level.

    Returns:
        Shape (S, S), S odd; it sums to 1.
    """
    side = 2 * math.ceil(length / 2) + 1
    kernel = np.zeros((side, side), np.float32)
    half = np.array([math.cos(angle), math.sin(angle)]) * length / 2
    start, end = (tuple(round(float(v)) for v in (side - 1) / 2 + sign * half) for sign in (-1, 1))
    cv2.line(kernel, start, end, 1.0, 1, cv2.LINE_AA)
    return cast("NDArray[np.float32]", kernel / kernel.sum())
