"""Paints houses and trees, with their shadows and the parts of the road that they hide."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from eatrack_edge.scene.layout import SUN, House
from eatrack_edge.scene.terrain import Cover, Mask, Picture, blend_polygon, hide, noise

_ROOFS_BGR = np.array([(62, 84, 150), (74, 96, 168), (104, 100, 98), (84, 82, 84), (72, 88, 118)], np.float32)
_LEAVES_BGR = np.array([(38, 84, 68), (44, 92, 84), (34, 74, 62), (52, 104, 100), (40, 80, 76)], np.float32)
_WALL_BGR = np.array((176, 190, 198), np.float32)
_YARD_BGR = np.array((150, 160, 166), np.float32)
_PROTOTYPE_PX = 96  # side of a painted crown before it is resized


@dataclass(frozen=True, slots=True)
class Crown:
    """A tree crown from above: opacity (P, P) in [0, 1] and light (P, P), about 1 in the sun."""

    opacity: Mask
    light: Mask


def grow_crowns(random: np.random.Generator, count: int) -> list[Crown]:
    """Crowns of different shapes, lit from the side opposite to the shadows."""
    return [_grow(random) for _ in range(count)]


def _grow(random: np.random.Generator) -> Crown:
    shape = (_PROTOTYPE_PX, _PROTOTYPE_PX)
    y, x = (np.indices(shape, np.float32) - (_PROTOTYPE_PX - 1) / 2) / (_PROTOTYPE_PX / 2)
    radius = np.hypot(x, y)
    lobes = noise(random, shape, 26, 2)
    twigs = noise(random, shape, 9, 3)
    inside = 0.80 + 0.07 * lobes + 0.05 * twigs - radius
    opacity = np.clip(inside / 0.05, 0, 1) * (radius < 0.98)
    height = np.sqrt(np.clip(inside, 0, None)) + 0.08 * lobes + 0.06 * twigs
    slope_y, slope_x = np.gradient(cv2.GaussianBlur(height, (0, 0), 1.0) * _PROTOTYPE_PX / 2)
    # The sun stands where shadows point away from; leaves facing it are bright, gaps between them dark.
    facing = (slope_x * SUN[0] + slope_y * SUN[1] + 0.9) / np.sqrt(slope_x**2 + slope_y**2 + 1)
    light = np.clip(0.50 + 0.66 * facing + 0.08 * twigs, 0.3, 1.7)
    return Crown(cast("Mask", opacity.astype(np.float32)), cast("Mask", light.astype(np.float32)))


def _place(shape: tuple[int, int], middle_px: NDArray[np.float64], side: int) -> tuple[slice, slice, slice, slice]:
    """The part of the world under a square picture, and the part of the picture inside the world."""
    left, top = (round(float(value) - side / 2) for value in middle_px)
    rows = slice(*(min(max(0, edge), shape[0]) for edge in (top, top + side)))
    columns = slice(*(min(max(0, edge), shape[1]) for edge in (left, left + side)))
    own_rows = slice(rows.start - top, rows.stop - top)
    return rows, columns, own_rows, slice(columns.start - left, columns.stop - left)


def plant(
    random: np.random.Generator, picture: Picture, cover: Cover, trees: NDArray[np.float64], scale: float
) -> None:
    """Paint crowns in place and add them to ``cover``, the opacity of what stands above the ground."""
    crowns = grow_crowns(random, 14)
    for x, y, radius in trees:
        crown = crowns[random.integers(len(crowns))]
        side = max(3, round(2 * radius / 0.85 * scale))
        rows, columns, own_rows, own_columns = _place(cover.shape, np.array([x, y]) * scale, side)
        opacity = cv2.resize(crown.opacity, (side, side), interpolation=cv2.INTER_AREA)[own_rows, own_columns]
        light = cv2.resize(crown.light, (side, side), interpolation=cv2.INTER_AREA)[own_rows, own_columns]
        leaves = _LEAVES_BGR[random.integers(len(_LEAVES_BGR))] * random.uniform(0.9, 1.2)
        part = picture[rows, columns]
        part += (light[..., None] * leaves - part) * opacity[..., None]
        np.maximum(cover[rows, columns], (255 * opacity).astype(np.uint8), out=cover[rows, columns])


def cast_shadows(
    random: np.random.Generator, shadow: Cover, trees: NDArray[np.float64], houses: tuple[House, ...], scale: float
) -> None:
    """Add the shadows of trees and houses to ``shadow``, in place, 0 to 255."""
    crowns = grow_crowns(random, 4)
    for x, y, radius in trees:
        side = max(3, round(2 * radius / 0.85 * scale))
        away = (np.array([x, y]) + SUN * (0.6 * radius + 0.5)) * scale
        rows, columns, own_rows, own_columns = _place(shadow.shape, away, side)
        crown = crowns[random.integers(len(crowns))].opacity
        opacity = cv2.resize(crown, (side, side), interpolation=cv2.INTER_AREA)[own_rows, own_columns]
        np.maximum(shadow[rows, columns], (255 * opacity).astype(np.uint8), out=shadow[rows, columns])
    for house in houses:
        foot = house.corners()
        both = np.concatenate([foot, foot + SUN * house.height_m * 0.6]).astype(np.float32)
        hide(shadow, cv2.convexHull(both).reshape(-1, 2).astype(np.float64) * scale)


def build(random: np.random.Generator, picture: Picture, cover: Cover, houses: tuple[House, ...], scale: float) -> None:
    """Paint yards, and houses with gabled roofs, in place."""
    grain = noise(random, cover.shape, 0.45 * scale, 2)
    for house in houses:
        yard = _YARD_BGR * random.uniform(0.8, 1.0)
        blend_polygon(picture, house.corners(1.3) * scale, yard, 6 * grain, 0.7)
    for house in houses:
        corners = house.corners()
        across = np.array([-np.sin(house.angle), np.cos(house.angle)])
        ridge = np.array([(corners[0] + corners[3]) / 2, (corners[1] + corners[2]) / 2])
        roof = _ROOFS_BGR[house.roof] * random.uniform(0.9, 1.1)
        blend_polygon(picture, house.corners(0.18) * scale, _WALL_BGR * 0.55)
        for eave, side in (((corners[0], corners[1]), -1), ((corners[3], corners[2]), 1)):
            # The half that faces the sun is bright, the other one dark.
            light = 1.0 - 0.26 * float(across @ SUN) * side
            half = np.array([eave[0], eave[1], ridge[1], ridge[0]])
            blend_polygon(picture, half * scale, roof * light, 7 * grain)
            _tile(picture, half, roof * light * 0.86, scale)
        _chimney(picture, ridge, across, scale)
        hide(cover, corners * scale)


def _tile(picture: Picture, half: NDArray[np.float64], bgr: NDArray[np.float32], scale: float) -> None:
    """Rows of tiles: thin lines along the eave, drawn straight onto the picture."""
    for share in np.arange(0.12, 1.0, 0.16):
        begin, end = (half[low] + (half[high] - half[low]) * share for low, high in ((0, 3), (1, 2)))
        ends = [tuple(int(v) for v in np.round(point * scale * 16)) for point in (begin, end)]
        cv2.line(picture, ends[0], ends[1], tuple(float(v) for v in bgr), 1, cv2.LINE_AA, 4)


def _chimney(picture: Picture, ridge: NDArray[np.float64], across: NDArray[np.float64], scale: float) -> None:
    along = (ridge[1] - ridge[0]) / np.linalg.norm(ridge[1] - ridge[0])
    square = np.array([-along - across, along - across, along + across, -along + across]) * 0.42
    middle = ridge[0] * 0.7 + ridge[1] * 0.3 + across * 0.8
    blend_polygon(picture, (square + middle + SUN * 0.8) * scale, np.array((20, 20, 20), np.float32), opacity=0.45)
    blend_polygon(picture, (square + middle) * scale, np.array((96, 110, 150), np.float32))
