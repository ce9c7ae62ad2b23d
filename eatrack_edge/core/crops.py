"""Template and search windows, and the way back to the frame.

Two rules exist for cutting a window, and a network must be fed by the one it was trained with
(``model_spec.Cropping``). ``integer`` is OSTrack's ``sample_target``, pixel for pixel. ``subpixel`` keeps the
window's exact place and size, which matters for targets of a few pixels.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from eatrack_edge.core.boxes import Box
from eatrack_edge.core.errors import InputError

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
        x, y, w, h = box
        scale = self.resize_factor
        return self.x + x / scale, self.y + y / scale, w / scale, h / scale

    def extent(self, box: Box) -> tuple[float, float]:
        """Width and height of a box, given in pixels of the frame, as fractions of the window."""
        return box[2] / self.side, box[3] / self.side

    def to_crop(self, box: Box) -> Box:
        """Map a box from frame pixels to crop pixels."""
        x, y, w, h = box
        scale = self.resize_factor
        return (x - self.x) * scale, (y - self.y) * scale, w * scale, h * scale


class Scratch:
    """Memory that pictures are made in, kept from frame to frame; it grows to the largest so far and then no more.

    Args:
        pictures: How many last at a time: the next one takes the place of the oldest.
    """

    def __init__(self, pictures: int = 2) -> None:
        self._memories = [np.empty(0, np.uint8) for _ in range(pictures)]

    def picture(self, height: int, width: int, channels: int = 3) -> Frame:
        """An uninitialised picture, shape (height, width, channels)."""
        size = height * width * channels
        memory = self._memories.pop()
        if memory.size < size:
            memory = np.empty(size, np.uint8)
        self._memories.insert(0, memory)
        return memory[:size].reshape(height, width, channels)


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
    scratch = scratch or Scratch()
    if window.is_integer:
        _cut_integer(frame, window, padding_bgr, crop, scratch)
    else:
        _warp(_read(frame, window, scratch, scratch), padding_bgr, crop, scratch)
    return crop


class Patch:
    """What a window showed of a frame, kept so that its crop can be made later, or never.

    Keeping it takes a third of the time of a crop, and of the targets that a tracker stores few are looked at again.

    Args:
        padding_bgr: Colour beyond the frame's border.
    """

    def __init__(self, padding_bgr: tuple[int, int, int]) -> None:
        self._padding_bgr = padding_bgr
        self._memory = Scratch(pictures=1)
        self._size = 0
        self._kept: _Part | Frame | None = None

    def take(self, frame: Frame, window: CropWindow, scratch: Scratch) -> None:
        """Keep what a window shows, in place of what was kept before.

        The memory is bounded, however large the window is: a subpixel one is halved before, and an integer one, which
        is not, is cut at once.
        """
        self._size = window.out_size
        if window.is_integer:
            crop = self._memory.picture(self._size, self._size)
            self._kept = cut(frame, window, self._padding_bgr, out=crop, scratch=scratch)
        else:
            self._kept = _read(frame, window, scratch, self._memory)

    def crop(self, scratch: Scratch) -> Frame:
        """What ``cut`` would have made of the frame, to the bit, in a new array."""
        if isinstance(self._kept, np.ndarray):
            return self._kept.copy()
        crop = np.empty((self._size, self._size, 3), np.uint8)
        _warp(self._kept, self._padding_bgr, crop, scratch)
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


class _Part(NamedTuple):
    """What a subpixel window reads of a frame."""

    picture: Frame  # (height, width, 4), BGRA: OpenCV warps four channels in less than half the time of three
    to_picture: NDArray[np.float64]  # (2, 3), from crop pixels to those of the picture


def _read(frame: Frame, window: CropWindow, scratch: Scratch, memory: Scratch) -> _Part | None:
    """Copy what a window reads into ``memory``; ``None`` where it lies outside the frame."""
    x, y, scale = window.x, window.y, window.resize_factor
    if scale < _HALVED_BELOW:
        frame, x, y, scale = _halve(frame, window, scratch)
    # Pixel i covers [i, i + 1), so its centre is at i + 0.5: crop pixel u samples the frame at (u + 0.5) / scale + x.
    first_x, first_y = 0.5 / scale + x - 0.5, 0.5 / scale + y - 0.5
    size, (height, width) = window.out_size, frame.shape[:2]
    last_x, last_y = first_x + (size - 1) / scale, first_y + (size - 1) / scale
    # With a pixel to spare. An edge that is not the frame's own is never met.
    x1, y1 = max(0, math.floor(first_x) - 1), max(0, math.floor(first_y) - 1)
    x2, y2 = min(width, math.floor(last_x) + 3), min(height, math.floor(last_y) + 3)
    if x1 >= x2 or y1 >= y2:
        return None
    picture = memory.picture(y2 - y1, x2 - x1, 4)
    cv2.cvtColor(frame[y1:y2, x1:x2], cv2.COLOR_BGR2BGRA, picture)
    return _Part(picture, np.array([[1 / scale, 0, first_x - x1], [0, 1 / scale, first_y - y1]]))


def _warp(part: _Part | None, padding_bgr: tuple[int, int, int], crop: Frame, scratch: Scratch) -> None:
    """Make the crop of what was read."""
    if part is None:
        crop[:] = padding_bgr
        return
    size = len(crop)
    warped = scratch.picture(size, size, 4)
    cv2.warpAffine(
        part.picture,
        part.to_picture,
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
