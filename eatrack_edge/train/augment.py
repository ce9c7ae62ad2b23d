"""What a drone's camera does to a picture, and what happens around a target: the hard cases, made on purpose.

Every function takes and returns crops of shape (S, S, 3), BGR, uint8, and draws from ``rng`` alone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from eatrack_edge.core.crops import Frame
from eatrack_edge.scene.motion_blur import motion_kernel

CropBox = NDArray[np.float32]  # (cx, cy, w, h), pixels of the crop


@dataclass(frozen=True, slots=True)
class AugmentRecipe:
    """How often each hard case comes, probability per crop unless said otherwise."""

    brightness: float = 0.25  # standard deviation of the log gain; drones fly through shadow and glare
    contrast: float = 0.15  # standard deviation of the log contrast
    tint: float = 0.05  # standard deviation of each channel's log gain: white balance drifts
    grey: float = 0.06  # both templates and the search together: OSTrack's 0.05, and thermal cameras are grey
    low_resolution: float = 0.3  # targets of 10 to 40 px, the size of most drone targets, enlarged to the crop's scale
    smallest_target: float = 9.0  # px, side of the smallest target made so
    motion_blur: float = 0.12  # a gimbal's shake
    longest_blur: float = 15.0  # px of the crop
    noise: float = 0.15  # dusk
    largest_noise: float = 14.0  # grey levels, standard deviation
    compression: float = 0.25  # JPEG, whose blocks stand for H.264's; most drone video comes over a radio link
    occluder: float = 0.15  # search only: part of the target is covered by another picture
    hidden: float = 0.0  # search only: all of it is, and the search counts as one without the target
    look_alike: float = 0.2  # search only: another picture's target, or the same one, lies beside it
    look_alike_itself: float = 0.2  # share of those that show the target itself, mirrored: the hardest, and unfair if
    # common, because a symmetric target cannot be told from its mirror image
    # The next five are off in the recipes up to run s13. Tables of ``hard_cases``.
    look_alike_same_source: float = 0.0  # share of look-alikes from the target's own source: persons beside persons
    exits: float = 0.0  # search only: the target has left, a look-alike stays; counts as one without the target
    returns: float = 0.0  # search only: the target is far off the middle, where a look-alike lies
    thermal: float = 0.0  # all three crops together: one channel, low contrast, half of them inverted
    background: float = 0.4  # padding beyond the picture is filled by another picture rather than mean colour


def photometric(crop: Frame, recipe: AugmentRecipe, rng: np.random.Generator) -> Frame:
    """Brightness, contrast and tint in one look-up table per channel."""
    gain = math.exp(rng.normal(0, recipe.brightness))
    contrast = math.exp(rng.normal(0, recipe.contrast))
    mean = float(crop.mean())
    gains = gain * np.exp(rng.normal(0, recipe.tint, 3))
    levels = np.arange(256, dtype=np.float32)[:, None]
    table = (((levels - mean) * contrast + mean) * gains[None]).clip(0, 255).astype(np.uint8)  # (256, 3)
    return cast("Frame", cv2.LUT(crop, table[:, None, :].reshape(256, 1, 3)))


def grey(crop: Frame) -> Frame:
    """The same picture without colour."""
    return cast("Frame", cv2.cvtColor(cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR))


def camera(crop: Frame, target_side: float, recipe: AugmentRecipe, rng: np.random.Generator) -> Frame:
    """Low resolution, motion blur, sensor noise and compression, in the order of light's way to the file.

    Args:
        crop: What the camera sees.
        target_side: sqrt(w*h) of the target in the crop, pixels, from which the low resolution follows.
        recipe: How often.
        rng: Source of chance.
    """
    if rng.random() < recipe.motion_blur:
        kernel = motion_kernel(rng.uniform(3.0, recipe.longest_blur), rng.uniform(0.0, math.pi))
        crop = cast("Frame", cv2.filter2D(crop, -1, kernel, borderType=cv2.BORDER_REPLICATE))
    small = rng.random() < recipe.low_resolution
    size = crop.shape[0]
    if small:
        # Log-uniform: halving the target's side is the same step at every size.
        low, high = math.log(recipe.smallest_target), math.log(max(recipe.smallest_target, 0.75 * target_side))
        side = max(8, round(size * math.exp(rng.uniform(low, high)) / target_side))
        if side < size:
            crop = cast("Frame", cv2.resize(crop, (side, side), interpolation=cv2.INTER_AREA))
    if rng.random() < recipe.noise:
        noise = rng.standard_normal(crop.shape, dtype=np.float32) * rng.uniform(2.0, recipe.largest_noise)
        crop = cast("Frame", (crop + noise).clip(0, 255).astype(np.uint8))
    if rng.random() < recipe.compression:
        quality = int(rng.integers(15, 70))
        _, data = cv2.imencode(".jpg", crop, [cv2.IMWRITE_JPEG_QUALITY, quality])
        crop = cast("Frame", cv2.imdecode(data, cv2.IMREAD_COLOR))
    if crop.shape[0] != size:
        crop = cast("Frame", cv2.resize(crop, (size, size), interpolation=cv2.INTER_LINEAR))
    return crop


def occlude(crop: Frame, box: CropBox, cover: Frame | None, rng: np.random.Generator) -> Frame:
    """Lay a rectangle of another picture, if there is one, over a quarter to 70 % of the target, from one side.

    The truth stays the whole box: that is what an annotator marks, and what a tracker must hold on to.
    """
    share = rng.uniform(0.25, 0.7)
    cx, cy, w, h = (float(v) for v in box)
    left, top, right, bottom = cx - w / 2, cy - h / 2, cx + w / 2, cy + h / 2
    spill = rng.uniform(0.05, 0.5) * math.sqrt(w * h)
    side = int(rng.integers(4))
    if side == 0:
        area = left - spill, top - spill, left + share * w, bottom + spill
    elif side == 1:
        area = right - share * w, top - spill, right + spill, bottom + spill
    elif side == 2:
        area = left - spill, top - spill, right + spill, top + share * h
    else:
        area = left - spill, bottom - share * h, right + spill, bottom + spill
    return crop if cover is None else _lay(crop, area, cover)


def hide(crop: Frame, box: CropBox, other: Frame | None, rng: np.random.Generator) -> Frame:
    """Cover the whole target, as a tree, a gantry or a roof does.

    Half of the covers are a part of the crop itself, because what hides a target mostly looks like what is around it;
    a third of them run across the whole crop.

    Args:
        crop: The search crop, of side S.
        box: The target in it.
        other: Another picture, for the other half; ``None``: all covers are parts of the crop.
        rng: Source of chance.
    """
    size = crop.shape[0]
    cx, cy, w, h = (float(v) for v in box)
    left, top, right, bottom = rng.uniform(0.05, 0.8, 4) * math.sqrt(w * h)
    area = cx - w / 2 - left, cy - h / 2 - top, cx + w / 2 + right, cy + h / 2 + bottom
    across = int(rng.integers(6))
    if across == 0:
        area = 0.0, area[1], float(size), area[3]
    elif across == 1:
        area = area[0], 0.0, area[2], float(size)
    cover = other
    if rng.random() < 0.5 or cover is None:
        # From the corner that is farthest from the target, so that the cover does not show the target again.
        x, y = (0 if centre > size / 2 else size - size // 3 for centre in (cx, cy))
        cover = crop[y : y + size // 3, x : x + size // 3]
    return _lay(crop, area, cover)


def _lay(crop: Frame, area: tuple[float, float, float, float], cover: Frame) -> Frame:
    """Stretch a picture over (left, top, right, bottom) of the crop."""
    size = crop.shape[0]
    x1, y1, x2, y2 = (int(min(max(round(v), 0), size)) for v in area)
    if x2 <= x1 or y2 <= y1:
        return crop
    covered = crop.copy()
    covered[y1:y2, x1:x2] = cv2.resize(cover, (x2 - x1, y2 - y1), interpolation=cv2.INTER_LINEAR)
    return covered


def place_look_alike(crop: Frame, box: CropBox, other: Frame, rng: np.random.Generator) -> Frame:
    """Lay another target beside the true one, through a soft ellipse, clear of its box.

    Args:
        crop: The search crop.
        box: The target in it.
        other: Picture filled by the other target, any shape.
        rng: Source of chance.
    """
    size = crop.shape[0]
    cx, cy, w, h = (float(v) for v in box)
    scale = math.exp(rng.normal(0, 0.2)) * math.sqrt(w * h / (other.shape[0] * other.shape[1]))
    wide, high = max(6, round(other.shape[1] * scale)), max(6, round(other.shape[0] * scale))
    if wide >= size or high >= size:
        return crop
    for _ in range(6):  # tries at a free place; a large target may leave none
        x, y = int(rng.integers(0, size - wide)), int(rng.integers(0, size - high))
        if abs(x + wide / 2 - cx) > (wide + w) / 2 or abs(y + high / 2 - cy) > (high + h) / 2:
            break
    else:
        return crop
    mask = np.zeros((high, wide), np.float32)
    cv2.ellipse(mask, (wide // 2, high // 2), (max(1, wide // 2 - 1), max(1, high // 2 - 1)), 0, 0, 360, 1.0, -1)
    mask = cv2.GaussianBlur(mask, (0, 0), max(0.5, 0.04 * min(wide, high)))[..., None]
    crop = crop.copy()
    spot = crop[y : y + high, x : x + wide]
    patch = cv2.resize(other, (wide, high), interpolation=cv2.INTER_LINEAR)
    crop[y : y + high, x : x + wide] = (spot * (1 - mask) + patch * mask).astype(np.uint8)
    return crop


def fill_padding(crop: Frame, shown: NDArray[np.uint8], behind: Frame) -> Frame:
    """Show another picture where the crop ran over its picture's border.

    Args:
        crop: Shape (S, S, 3).
        shown: 255 where the crop shows its own picture, 0 in the padding, shape (S, S).
        behind: Any picture; it is stretched to the crop.
    """
    backdrop = cv2.resize(behind, (crop.shape[1], crop.shape[0]), interpolation=cv2.INTER_LINEAR)
    return cast("Frame", np.where(shown[..., None] > 127, crop, backdrop))
