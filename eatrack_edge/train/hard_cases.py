"""Hard cases that open trackers survive and ours did not: thermal looks, exits, and returns beside a look-alike.

As in ``augment``, every function takes and returns crops of shape (S, S, 3), BGR, uint8, and draws from ``rng`` alone.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from eatrack_edge.core.crops import Frame
from eatrack_edge.train.augment import CropBox

_NEAREST_RETURN, _FARTHEST_RETURN = 0.9, 1.6  # nominal sides from the middle; 1.75 would be a crop's border


@dataclass(frozen=True, slots=True)
class ThermalLook:
    """How a thermal or night camera shows a scene; the same for all three crops of a sample.

    Attributes:
        is_inverted: Hot is black.
        contrast: Share of the contrast that is left.
        level: Grey level of the mean.
        blur: Standard deviation of the lens's blur, px of the crop; below 0.3 none.
        noise: Standard deviation, grey levels.
    """

    is_inverted: bool
    contrast: float
    level: float
    blur: float
    noise: float


def draw_thermal_look(rng: np.random.Generator) -> ThermalLook:
    """A look of half the time inverted polarity, of low to full contrast."""
    return ThermalLook(
        is_inverted=bool(rng.random() < 0.5),
        contrast=float(rng.uniform(0.3, 1.0)),
        level=float(rng.uniform(60, 190)),
        blur=float(rng.uniform(0, 1.5)),
        noise=float(rng.uniform(0, 8)),
    )


def thermal(crop: Frame, look: ThermalLook, rng: np.random.Generator) -> Frame:
    """The crop as a thermal or night camera would show it: one channel, repeated."""
    grey = cv2.cvtColor(crop, cv2.COLOR_BGR2GRAY).astype(np.float32)
    if look.is_inverted:
        grey = 255 - grey
    grey = (grey - grey.mean()) * look.contrast + look.level
    if look.blur >= 0.3:
        grey = cv2.GaussianBlur(grey, (0, 0), look.blur)
    grey = grey + look.noise * rng.standard_normal(grey.shape, dtype=np.float32)
    return cast("Frame", cv2.cvtColor(grey.clip(0, 255).astype(np.uint8), cv2.COLOR_GRAY2BGR))


def remove_target(crop: Frame, box: CropBox, rng: np.random.Generator) -> Frame:
    """Let the target leave: what lies beside it is laid over it, through a soft ellipse.

    Args:
        crop: The search crop.
        box: The target in it.
        rng: Source of chance.
    """
    size = crop.shape[0]
    cx, cy, w, h = (float(v) for v in box)
    # An ellipse about the box's corners: sqrt(2), and a little for the blur.
    wide, high = min(size - 1, round(1.5 * w)), min(size - 1, round(1.5 * h))
    left, top = (round(min(max(c - n / 2, 0), size - n)) for c, n in ((cx, wide), (cy, high)))
    places = [(left - wide, top), (left + wide, top), (left, top - high), (left, top + high)]
    inside = [(x, y) for x, y in places if 0 <= x <= size - wide and 0 <= y <= size - high]
    if inside:
        x, y = inside[int(rng.integers(len(inside)))]
        cover = crop[y : y + high, x : x + wide]
    else:  # the target fills the crop: nothing of its surroundings is large enough, so their mean colour
        cover = np.broadcast_to(crop[0].mean(0).astype(np.uint8), (high, wide, 3)).astype(np.uint8)
    return lay(crop, cover, (left, top), softness=0.05)


def lay(crop: Frame, picture: Frame, corner: tuple[int, int], softness: float = 0.04) -> Frame:
    """Lay a picture, wholly inside the crop, over it through a soft ellipse.

    Args:
        crop: Shape (S, S, 3).
        picture: Shape (h, w, 3), at its size in the crop.
        corner: Its left and top edge in the crop, pixels.
        softness: Blur of the ellipse, as a share of the picture's shorter side.
    """
    high, wide = picture.shape[:2]
    x, y = corner
    mask = soft_ellipse(wide, high, softness)
    crop = crop.copy()
    spot = crop[y : y + high, x : x + wide]
    crop[y : y + high, x : x + wide] = (spot * (1 - mask) + picture * mask).astype(np.uint8)
    return crop


def soft_ellipse(wide: int, high: int, softness: float = 0.04) -> NDArray[np.float32]:
    """The share in which a pasted picture shows, shape (high, wide, 1): 1 inside its ellipse, 0 in its corners."""
    mask = np.zeros((high, wide), np.float32)
    cv2.ellipse(mask, (wide // 2, high // 2), (max(1, wide // 2 - 1), max(1, high // 2 - 1)), 0, 0, 360, 1.0, -1)
    soft = cv2.GaussianBlur(mask, (0, 0), max(0.5, softness * min(wide, high)))
    return cast("NDArray[np.float32]", soft)[..., None]


def draw_return(rng: np.random.Generator) -> tuple[float, float]:
    """Where a target comes back: far off the middle along one axis at least, in nominal sides, across and down."""
    far = float(rng.uniform(_NEAREST_RETURN, _FARTHEST_RETURN)) * (1 if rng.random() < 0.5 else -1)
    other = float(rng.uniform(-_FARTHEST_RETURN, _FARTHEST_RETURN))
    return (far, other) if rng.random() < 0.5 else (other, far)


def look_alike_in_the_middle(crop: Frame, box: CropBox, other: Frame, rng: np.random.Generator) -> Frame:
    """Lay another target where the tracker expects its own; the crop as it was where that would touch the target.

    Args:
        crop: The search crop.
        box: The target in it, off the middle.
        other: Picture filled by the other target, any shape.
        rng: Source of chance.
    """
    size = crop.shape[0]
    cx, cy, w, h = (float(v) for v in box)
    scale = math.exp(rng.normal(0, 0.15)) * math.sqrt(w * h / (other.shape[0] * other.shape[1]))
    wide, high = max(6, round(other.shape[1] * scale)), max(6, round(other.shape[0] * scale))
    x, y = (size / 2 + float(rng.uniform(-0.15, 0.15)) * math.sqrt(w * h) for _ in range(2))
    is_apart = abs(x - cx) > (wide + w) / 2 or abs(y - cy) > (high + h) / 2
    left, top = round(x - wide / 2), round(y - high / 2)
    if not is_apart or left < 0 or top < 0 or left + wide > size or top + high > size:
        return crop
    return lay(crop, cv2.resize(other, (wide, high), interpolation=cv2.INTER_LINEAR).astype(np.uint8), (left, top))
