"""Checks and conversions of frames: dtype, shape, channels, size, whether anything is visible, how alike two are."""

from __future__ import annotations

from typing import Any, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from eatrack_edge.core.crops import Frame
from eatrack_edge.core.errors import InputError

# Standard deviation, in grey levels, below which a crop is one flat colour (a closed shutter, a lost link). A
# target of 8 px against an even sky is above it.
_FLAT_BELOW = 0.5
_ROW_STEP = 8  # one row in so many is looked at first


def as_bgr(frame: NDArray[Any]) -> Frame:
    """A frame as (H, W, 3) BGR uint8: grey is repeated, alpha dropped.

    Raises:
        InputError: Not an image: another dtype, number of axes or channels, or no pixels.
    """
    channels = check_frame(frame)
    if channels == 1:
        return cast("Frame", cv2.cvtColor(np.ascontiguousarray(frame), cv2.COLOR_GRAY2BGR))
    if channels == 4:
        return cast("Frame", cv2.cvtColor(np.ascontiguousarray(frame), cv2.COLOR_BGRA2BGR))
    return np.ascontiguousarray(frame)


def check_frame(frame: NDArray[Any]) -> int:
    """Check that an array is a frame, and count its channels: 1, 3 or 4.

    Raises:
        InputError: Not an image: another dtype, number of axes or channels, or no pixels.
    """
    if not isinstance(frame, np.ndarray) or frame.dtype != np.uint8:
        got = frame.dtype if isinstance(frame, np.ndarray) else type(frame).__name__
        raise InputError(f"a frame is an array of uint8, got {got}", hint="scale it to 0..255 and use .astype('uint8')")
    channels = 1 if frame.ndim == 2 else frame.shape[2] if frame.ndim == 3 else 0
    if channels not in (1, 3, 4) or frame.size == 0:
        raise InputError(f"a frame has shape (height, width, 3), got {frame.shape}")
    return channels


def frame_size(frame: Frame) -> tuple[int, int]:
    """(width, height) of a frame, pixels.

    >>> frame_size(np.zeros((480, 640, 3), np.uint8))
    (640, 480)
    """
    return frame.shape[1], frame.shape[0]


def is_flat(crop: Frame) -> bool:
    """Whether a crop shows nothing: nearly one flat colour."""
    # Two pixels that differ by d add at least d^2 / 2 to the squares about their channel's mean, and of three channels
    # one has a third of the sum. So nearly every crop is known not to be flat from some rows of its upper half against
    # as many of its lower, and the others are looked at whole.
    half = len(crop) // 2
    upper, lower = crop[:half:_ROW_STEP], crop[half : 2 * half : _ROW_STEP]
    if half and cv2.norm(upper, lower, cv2.NORM_L2SQR) / 2 >= _FLAT_BELOW**2 * crop.size:
        return False
    return float(cv2.meanStdDev(crop)[1].max()) < _FLAT_BELOW


def correlation(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    """Of the brightness of two grey pictures of one size, [-1, 1]."""
    return float(cv2.matchTemplate(one, other, cv2.TM_CCOEFF_NORMED).item())
