"""Cars from above: drawn once in fine detail, then placed into each frame at any size and heading."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from eatrack_edge.scene.layout import Points

_DRAWN_PX_PER_M = 64
_MARGIN_M = 0.35  # clear border round the drawn car, so that resampling never cuts into it
_SHADOW = 0.5  # part of the light that a car's shadow takes away
_GLASS_BGR = (52, 44, 38)
Affine = NDArray[np.float64]  # shape (2, 3), on continuous coordinates: pixel i covers [i, i + 1)


@dataclass(frozen=True, slots=True)
class Vehicle:
    """A vehicle's picture, nose to the right.

    Attributes:
        length_m: Bumper to bumper.
        width_m: Without mirrors.
        height_m: What its shadow comes from.
        px_per_m: Pixels of the picture per metre.
        picture: Shape (h, w, 4), float32: BGR 0 to 255 times opacity, and opacity [0, 1].
        outline: The edge of the body, shape (N, 2), metres from its middle.
    """

    length_m: float
    width_m: float
    height_m: float
    px_per_m: float
    picture: NDArray[np.float32]
    outline: Points


def outline_of(length_m: float, width_m: float) -> Points:
    """A car's edge: a rectangle with rounded corners and a slightly narrower nose, shape (N, 2), metres."""
    turn = np.linspace(0, 2 * np.pi, 160, endpoint=False)
    cosine, sine = np.cos(turn), np.sin(turn)
    x = np.sign(cosine) * np.abs(cosine) ** 0.32
    y = np.sign(sine) * np.abs(sine) ** 0.36
    y *= 1 - 0.07 * np.clip(x, 0, 1) ** 2
    return np.stack([x * length_m / 2, y * width_m / 2], 1)


@lru_cache(maxsize=16)  # every scene of a size has the same cars
def draw_car(bgr: tuple[int, int, int], px_per_m: float, length_m: float = 4.6, width_m: float = 1.95) -> Vehicle:
    """A saloon car. ``px_per_m`` is the largest scale that it will be shown at."""
    canvas = _Canvas(length_m, width_m, bgr)
    half, side = length_m / 2, width_m / 2
    canvas.shade_body()
    canvas.fill([(half - 0.25, -side + 0.22), (half - 0.25, side - 0.22), (0.9, side - 0.2), (0.9, -side + 0.2)], 1.07)
    canvas.line((half - 0.2, -0.42), (0.95, -0.55), 0.80)
    canvas.line((half - 0.2, 0.42), (0.95, 0.55), 0.80)
    canvas.glass([(1.02, -side + 0.20), (1.12, 0), (1.02, side - 0.20), (0.38, side - 0.33), (0.38, -side + 0.33)])
    canvas.glass([(-1.72, -side + 0.28), (-1.8, 0), (-1.72, side - 0.28), (-1.22, side - 0.36), (-1.22, -side + 0.36)])
    for sign in (-1, 1):
        edge, roof = sign * (side - 0.13), sign * (side - 0.30)
        canvas.glass([(0.82, edge), (0.36, roof), (-1.15, roof), (-1.55, edge)])
        canvas.fill([(-0.42, edge), (-0.42, roof), (-0.54, roof), (-0.54, edge)], 0.9)
        canvas.lamp((half - 0.2, sign * (side - 0.33)), (236, 242, 244))
        canvas.lamp((-half + 0.12, sign * (side - 0.3)), (44, 36, 190))
    roof_y = side - 0.36
    canvas.fill([(0.34, -roof_y), (0.34, roof_y), (-1.2, roof_y), (-1.2, -roof_y)], 1.13)
    canvas.fill([(0.22, -roof_y + 0.1), (0.22, -0.02), (-1.0, -0.02), (-1.0, -roof_y + 0.1)], 1.24)
    return canvas.finish(px_per_m, height_m=1.45)


@lru_cache(maxsize=2)
def draw_truck(bgr: tuple[int, int, int], px_per_m: float, length_m: float = 7.4, width_m: float = 2.4) -> Vehicle:
    """A box truck."""
    canvas = _Canvas(length_m, width_m, bgr)
    half, side = length_m / 2, width_m / 2
    canvas.shade_body()
    canvas.glass(
        [(half - 0.25, -side + 0.3), (half - 0.25, side - 0.3), (half - 0.7, side - 0.2), (half - 0.7, 0.2 - side)]
    )
    canvas.fill([(half - 1.75, -side), (half - 1.75, side), (half - 1.9, side), (half - 1.9, -side)], 0.25)
    box = [
        (half - 1.9, -side + 0.02),
        (half - 1.9, side - 0.02),
        (-half + 0.05, side - 0.02),
        (-half + 0.05, 0.02 - side),
    ]
    canvas.colour(box, (205, 210, 212))
    for x in np.arange(-half + 0.7, half - 2.0, 0.75):
        canvas.colour(
            [(x, -side + 0.1), (x + 0.06, -side + 0.1), (x + 0.06, side - 0.1), (x, side - 0.1)], (176, 180, 182)
        )
    return canvas.finish(px_per_m, height_m=3.0)


class _Canvas:
    """Draws in metres from the car's middle, nose to the right, at a fine scale."""

    def __init__(self, length_m: float, width_m: float, bgr: tuple[int, int, int]) -> None:
        self._length_m, self._width_m = length_m, width_m
        self._outline = outline_of(length_m, width_m)
        self._half = np.array([length_m, width_m]) / 2 + _MARGIN_M
        width, height = np.ceil(2 * self._half * _DRAWN_PX_PER_M).astype(int)
        self._half = np.array([width, height]) / 2 / _DRAWN_PX_PER_M
        self._bgr = np.array(bgr, np.float32)
        self._picture = np.empty((height, width, 3), np.float32)
        self._picture[:] = self._bgr

    def _pixels(self, points: Points | list[tuple[float, float]]) -> NDArray[np.int32]:
        # OpenCV counts from the middle of pixel 0, we count from its edge.
        place = (np.asarray(points, np.float64) + self._half) * _DRAWN_PX_PER_M - 0.5
        return np.round(place * 16).astype(np.int32)

    def _mask(self, points: Points | list[tuple[float, float]]) -> NDArray[np.float32]:
        drawn = np.zeros(self._picture.shape[:2], np.uint8)
        cv2.fillPoly(drawn, [self._pixels(points)], 255, cv2.LINE_AA, 4)
        return cast("NDArray[np.float32]", drawn.astype(np.float32) / 255)

    def colour(self, points: list[tuple[float, float]], bgr: tuple[int, int, int]) -> None:
        self._picture += (np.array(bgr, np.float32) - self._picture) * self._mask(points)[..., None]

    def fill(self, points: list[tuple[float, float]], light: float) -> None:
        """Fill with the car's own colour, lighter or darker."""
        mixed = self._bgr * light if light <= 1 else self._bgr + (255 - self._bgr) * (light - 1)
        self._picture += (mixed - self._picture) * self._mask(points)[..., None]

    def glass(self, points: list[tuple[float, float]]) -> None:
        self.colour(points, _GLASS_BGR)

    def line(self, begin: tuple[float, float], end: tuple[float, float], light: float) -> None:
        along = np.subtract(end, begin) / np.hypot(*np.subtract(end, begin))
        right = np.array([-along[1], along[0]]) * 0.025
        corners = [np.add(begin, right), np.add(end, right), np.subtract(end, right), np.subtract(begin, right)]
        self.fill([(float(x), float(y)) for x, y in corners], light)

    def lamp(self, middle: tuple[float, float], bgr: tuple[int, int, int]) -> None:
        x, y = middle
        self.colour([(x - 0.09, y - 0.2), (x + 0.09, y - 0.2), (x + 0.09, y + 0.2), (x - 0.09, y + 0.2)], bgr)

    def shade_body(self) -> None:
        """Darken towards the edge, where the sheet metal turns down."""
        inside = (self._mask(self._outline) > 0.5).astype(np.uint8)
        depth_m = cv2.distanceTransform(inside, cv2.DIST_L2, 5) / _DRAWN_PX_PER_M
        self._picture *= (0.62 + 0.38 * np.clip(depth_m / 0.22, 0, 1))[..., None]

    def finish(self, px_per_m: float, height_m: float) -> Vehicle:
        opacity = self._mask(self._outline)[..., None]
        whole = np.concatenate([np.clip(self._picture, 0, 255) * opacity, opacity], 2)
        height, width = whole.shape[:2]
        # One factor for both sides, by padding to a whole number of small pixels.
        factor = max(1, int(_DRAWN_PX_PER_M / px_per_m))
        pad_y, pad_x = -height % (2 * factor), -width % (2 * factor)
        whole = np.pad(whole, ((pad_y // 2, pad_y - pad_y // 2), (pad_x // 2, pad_x - pad_x // 2), (0, 0)))
        small = cv2.resize(whole, (whole.shape[1] // factor, whole.shape[0] // factor), interpolation=cv2.INTER_AREA)
        picture = np.ascontiguousarray(small, dtype=np.float32)
        return Vehicle(self._length_m, self._width_m, height_m, _DRAWN_PX_PER_M / factor, picture, self._outline)


def pose(middle: Points, direction: Points) -> Affine:
    """The map from a vehicle's own metres to the world's."""
    (x, y), (along_x, along_y) = middle, direction
    return np.array([[along_x, -along_y, x], [along_y, along_x, y]])


def then(first: Affine, second: Affine) -> Affine:
    """The map that applies ``first``, then ``second``."""
    return np.column_stack([second[:, :2] @ first[:, :2], second[:, :2] @ first[:, 2] + second[:, 2]])


def apply(affine: Affine, points: Points) -> Points:
    """Map points, shape (N, 2)."""
    return np.asarray(points @ affine[:, :2].T + affine[:, 2])


def for_opencv(affine: Affine, left: int = 0, top: int = 0) -> Affine:
    """The same map between pixel indices, for ``warpAffine``, with the result's origin moved to (left, top)."""
    moved = affine[:, :2] @ (0.5, 0.5) + affine[:, 2] - (0.5 + left, 0.5 + top)
    return np.column_stack([affine[:, :2], moved])


def covered_part(vehicle: Vehicle, to_frame: Affine, fall: Points, size: tuple[int, int]) -> tuple[slice, slice] | None:
    """Rows and columns of a frame of ``size`` that a vehicle and its shadow touch; ``None`` when out of sight.

    Args:
        vehicle: What will be drawn.
        to_frame: From the vehicle's metres to the frame's pixels.
        fall: Where its shadow falls, pixels of the frame, shape (2,).
        size: (width, height) of the frame, pixels.
    """
    edge = apply(to_frame, vehicle.outline)
    both = np.concatenate([edge, edge + fall])
    border = 3 * _shadow_blur(vehicle, to_frame) + 1
    left, top = np.clip(np.floor(both.min(0) - border), 0, size).astype(int).tolist()
    right, bottom = np.clip(np.ceil(both.max(0) + border), 0, size).astype(int).tolist()
    return (slice(top, bottom), slice(left, right)) if left < right and top < bottom else None


def _shadow_blur(vehicle: Vehicle, to_frame: Affine) -> float:
    return 0.3 + 0.03 * vehicle.height_m * float(np.linalg.norm(to_frame[:, 0]))


def draw(
    under: NDArray[np.uint8],
    vehicle: Vehicle,
    to_frame: Affine,
    fall: Points,
    corner: tuple[int, int],
    sunlight: NDArray[np.uint8],
) -> NDArray[np.uint8]:
    """Draw a vehicle and its shadow over a part of a frame.

    Args:
        under: What is there, shape (h, w, 3), BGR.
        vehicle: What to draw.
        to_frame: From the vehicle's metres to the frame's pixels.
        fall: Where its shadow falls, pixels of the frame, shape (2,).
        corner: (left, top) of the part in the frame.
        sunlight: Light on the ground there, 0 to 255, shape (h, w).
    """
    size = under.shape[1::-1]
    matrix = for_opencv(then(_picture_to_metres(vehicle), to_frame), *corner)
    body = cv2.warpAffine(vehicle.picture, matrix, size)
    shadow = cv2.warpAffine(vehicle.picture[..., 3], matrix + np.column_stack([np.zeros((2, 2)), fall]), size)
    shadow = cv2.GaussianBlur(shadow, (0, 0), _shadow_blur(vehicle, to_frame))
    light = sunlight[..., None].astype(np.float32) / 255
    shaded = under * (1 - _SHADOW * shadow[..., None])
    return np.asarray(shaded * (1 - body[..., 3:]) + body[..., :3] * light + 0.5, np.uint8)


def _picture_to_metres(vehicle: Vehicle) -> Affine:
    height, width = vehicle.picture.shape[:2]
    scale = 1 / vehicle.px_per_m
    return np.array([[scale, 0, -width * scale / 2], [0, scale, -height * scale / 2]])
