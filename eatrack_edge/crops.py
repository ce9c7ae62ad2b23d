"""Template and search windows, and the way back to the frame.

Two rules exist for cutting a window, and a network must be fed by the one it was trained with
(``contract.Cropping``). ``integer`` is OSTrack's ``sample_target``, pixel for pixel. ``subpixel`` keeps the
window's exact place and size, which matters for targets of a few pixels.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from eatrack_edge.boxes import Box
from eatrack_edge.errors import InputError

Frame = NDArray[np.uint8]

# Below this many crop pixels per frame pixel, bilinear sampling skips frame pixels and aliases: halve the frame first.
_HALVED_BELOW = 0.6


@dataclass(frozen=True, slots=True)
class CropWindow:
    """A square window on the frame, resampled to ``out_size`` pixels.

    Attributes:
        x: Left edge in the frame, pixels. May be negative: crops run over the border.
        y: Top edge in the frame, pixels.
        side: Side length in the frame, pixels.
        out_size: Side length after resampling, pixels.
        is_integer: The edges are whole pixels and the crop follows OSTrack's rule.
    """

    x: float
    y: float
    side: float
    out_size: int
    is_integer: bool = False

    @property
    def resize_factor(self) -> float:
        """Crop pixels per frame pixel."""
        return self.out_size / self.side

    @classmethod
    def around(cls, box: Box, factor: float, out_size: int, rule: str = "subpixel") -> CropWindow:
        """Window centred on ``box`` whose side is ``factor * sqrt(w * h)``.

        Args:
            box: In pixels of the frame.
            factor: Crop side / sqrt(w*h) of the box.
            out_size: Side length after resampling, pixels.
            rule: ``integer`` or ``subpixel``, see the module.

        Raises:
            InputError: The box is empty.

        >>> CropWindow.around((100, 50, 20, 20), factor=4, out_size=256)
        CropWindow(x=70.0, y=20.0, side=80.0, out_size=256, is_integer=False)
        """
        x, y, w, h = box
        if not (w > 0 and h > 0):
            raise InputError(f"cannot crop around an empty box: w={w:g}, h={h:g}")
        side = factor * math.sqrt(w * h)
        if rule == "integer":
            whole = math.ceil(side)
            # Python's round, half to even, as OSTrack's own line does.
            return cls(round(x + 0.5 * w - whole * 0.5), round(y + 0.5 * h - whole * 0.5), whole, out_size, True)
        return cls(x + w / 2 - side / 2, y + h / 2 - side / 2, side, out_size)

    def to_frame(self, box: Box) -> Box:
        """Map a box from crop pixels to frame pixels."""
        x, y, w, h = (value / self.resize_factor for value in box)
        return self.x + x, self.y + y, w, h

    def to_crop(self, box: Box) -> Box:
        """Map a box from frame pixels to crop pixels."""
        x, y, w, h = box
        scale = self.resize_factor
        return (x - self.x) * scale, (y - self.y) * scale, w * scale, h * scale


class Scratch:
    """Memory that crops are made in, kept from frame to frame; it grows to the largest crop so far and then no more."""

    def __init__(self) -> None:
        self._memories = [np.empty(0, np.uint8), np.empty(0, np.uint8)]

    def picture(self, height: int, width: int, channels: int = 3) -> Frame:
        """An uninitialised picture, shape (height, width, channels), that lasts until the next but one is asked for."""
        size = height * width * channels
        self._memories.reverse()
        if self._memories[0].size < size:
            self._memories[0] = np.empty(size, np.uint8)
        return self._memories[0][:size].reshape(height, width, channels)


def cut(
    frame: Frame,
    window: CropWindow,
    padding_bgr: tuple[int, int, int],
    *,
    out: Frame | None = None,
    scratch: Scratch | None = None,
) -> Frame:
    """Cut a window out of a frame. Only the window is read, so a 4K frame costs what a small one does.

    Args:
        frame: Shape (H, W, 3), BGR.
        window: What to cut; it may run over the border, or lie wholly outside.
        padding_bgr: Colour beyond the border.
        out: Where to write the crop, contiguous, shape (out_size, out_size, 3); a new array without it.
        scratch: Memory for steps in between. With ``out`` and ``scratch`` a frame costs no allocation.

    Returns:
        The crop, shape (out_size, out_size, 3), BGR: ``out`` where it was given.
    """
    size = window.out_size
    crop = np.empty((size, size, 3), np.uint8) if out is None else out
    cut_by_rule = _cut_integer if window.is_integer else _cut_subpixel
    cut_by_rule(frame, window, padding_bgr, crop, scratch or Scratch())
    return crop


def _cut_integer(
    frame: Frame, window: CropWindow, padding_bgr: tuple[int, int, int], crop: Frame, scratch: Scratch
) -> None:
    height, width = frame.shape[:2]
    x1, y1, side = int(window.x), int(window.y), int(window.side)
    left, top = max(0, -x1), max(0, -y1)
    # The `+ 1` is OSTrack's: a window that reaches the far border loses the last row or column to padding.
    right, bottom = max(0, x1 + side - width + 1), max(0, y1 + side - height + 1)
    if top + bottom >= side or left + right >= side:
        crop[:] = padding_bgr
        return
    inside = frame[y1 + top : y1 + side - bottom, x1 + left : x1 + side - right]
    if left or top or right or bottom:
        padded = scratch.picture(side, side)
        cv2.copyMakeBorder(inside, top, bottom, left, right, cv2.BORDER_CONSTANT, padded, padding_bgr)
        inside = padded
    cv2.resize(inside, (window.out_size, window.out_size), crop)


def _cut_subpixel(
    frame: Frame, window: CropWindow, padding_bgr: tuple[int, int, int], crop: Frame, scratch: Scratch
) -> None:
    x, y, scale = window.x, window.y, window.resize_factor
    if scale < _HALVED_BELOW:
        frame, x, y, scale = _halve(frame, window, scratch)
    # Pixel i covers [i, i + 1), so its centre is at i + 0.5: crop pixel u samples the frame at (u + 0.5) / scale + x.
    first_x, first_y = 0.5 / scale + x - 0.5, 0.5 / scale + y - 0.5
    size, (height, width) = window.out_size, frame.shape[:2]
    last_x, last_y = first_x + (size - 1) / scale, first_y + (size - 1) / scale
    # What is read, with a pixel to spare. An edge of it that is not the frame's own is never met.
    x1, y1 = max(0, math.floor(first_x) - 1), max(0, math.floor(first_y) - 1)
    x2, y2 = min(width, math.floor(last_x) + 3), min(height, math.floor(last_y) + 3)
    if x1 >= x2 or y1 >= y2:
        crop[:] = padding_bgr
        return
    # OpenCV warps four channels in less than half the time of three, and the ways there and back are short.
    part, warped = scratch.picture(y2 - y1, x2 - x1, 4), scratch.picture(size, size, 4)
    cv2.cvtColor(frame[y1:y2, x1:x2], cv2.COLOR_BGR2BGRA, part)
    cv2.warpAffine(
        part,
        np.array([[1 / scale, 0, first_x - x1], [0, 1 / scale, first_y - y1]]),
        (size, size),
        warped,
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=(*padding_bgr, 0),
    )
    cv2.cvtColor(warped, cv2.COLOR_BGRA2BGR, crop)


def _halve(frame: Frame, window: CropWindow, scratch: Scratch) -> tuple[Frame, float, float, float]:
    """Halve the part of the frame under the window until what is left to shrink does not alias.

    Means of 2 x 2 pixels are the one area filter that OpenCV has in vector code: one to an exact fraction took
    10 to 20 times as long, several milliseconds for a window of 500 px.

    Returns:
        The halved part, the window's corner in it (pixels of the halved part), and crop pixels per pixel of it.
    """
    times = math.ceil(math.log2(_HALVED_BELOW / window.resize_factor))
    step = 2**times
    height, width = frame.shape[:2]
    # On the frame's own grid, so that a pixel is averaged with the same neighbours wherever the window lies. A
    # border that is no multiple of the step gives up its last pixels.
    x1, y1 = (max(0, math.floor(start / step) - 1) * step for start in (window.x, window.y))
    x2 = min(width // step, math.ceil((window.x + window.side) / step) + 1) * step
    y2 = min(height // step, math.ceil((window.y + window.side) / step) + 1) * step
    if x2 <= x1 or y2 <= y1:
        return frame, window.x, window.y, window.resize_factor
    part = frame[y1:y2, x1:x2]
    for _ in range(times):
        half = scratch.picture(part.shape[0] // 2, part.shape[1] // 2)
        cv2.resize(part, (half.shape[1], half.shape[0]), half, interpolation=cv2.INTER_AREA)
        part = half
    return part, (window.x - x1) / step, (window.y - y1) / step, window.resize_factor * step
