"""Paints what lies flat: fields, dirt, roads. Colours are BGR, 0 to 255, float32 while painting."""

from __future__ import annotations

from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from eatrack_edge.scene.layout import LANE_M, ROAD_WIDTH_M, WORLD_M, Layout, Points

Picture = NDArray[np.float32]
Mask = NDArray[np.float32]
Cover = NDArray[np.uint8]  # opacity, 0 to 255

_TILE_PX = 700  # side of a piece of fine noise
_SHIFT = 4  # fractional bits of OpenCV's drawing coordinates
_FIELDS_BGR = np.array(
    [(62, 112, 98), (52, 92, 76), (104, 156, 170), (84, 106, 128), (88, 138, 142), (70, 128, 104), (58, 106, 84)],
    np.float32,
)
_MEADOW_BGR = np.array((66, 114, 100), np.float32)
_ASPHALT_BGR = np.array((98, 97, 96), np.float32)
_DECK_BGR = np.array((128, 129, 130), np.float32)
_GRAVEL_BGR = np.array((118, 132, 142), np.float32)
_DIRT_BGR = np.array((112, 140, 160), np.float32)
_PAINT_BGR = np.array((212, 216, 218), np.float32)


def noise(random: np.random.Generator, shape: tuple[int, int], cell: float, octaves: int = 1) -> Mask:
    """Smooth noise of zero mean and about unit deviation, shape (H, W).

    Args:
        random: Where chance comes from.
        shape: (H, W), pixels.
        cell: Size of the coarsest lumps, pixels.
        octaves: Layers; each has half the cell and 0.6 of the height of the one before.
    """
    tile = (min(shape[0], _TILE_PX), min(shape[1], _TILE_PX)) if cell < _TILE_PX / 8 else shape
    total = np.zeros(tile, np.float32)
    height = 1.0
    for _ in range(octaves):
        rows, columns = (max(2, int(side / max(cell, 1.0)) + 2) for side in tile)
        lumps = random.standard_normal((rows, columns), np.float32)
        total += height * cv2.resize(lumps, tile[::-1], interpolation=cv2.INTER_CUBIC)
        height *= 0.6
        cell /= 2
    total /= max(float(total[::3, ::3].std()), 1e-6)
    # Fine noise is made once and mirrored over the world: it cannot be seen, and it is five times as quick.
    below, right = shape[0] - tile[0], shape[1] - tile[1]
    return cast("Mask", cv2.copyMakeBorder(total, 0, below, 0, right, cv2.BORDER_REFLECT))


def polyline(shape: tuple[int, int], lines: list[Points], width_px: float, *, is_closed: bool = False) -> Cover:
    """Opacity of lines ``width_px`` wide through points in pixels, shape (H, W)."""
    drawn = np.zeros(shape, np.uint8)
    whole = [np.round(line * (1 << _SHIFT)).astype(np.int32) for line in lines]
    cv2.polylines(drawn, whole, is_closed, 255, max(1, round(width_px)), cv2.LINE_AA, _SHIFT)
    return drawn


def polygon(shape: tuple[int, int], corners: Points) -> tuple[tuple[slice, slice], Cover]:
    """A filled polygon with corners in pixels: the part of a picture of ``shape`` around it, and its opacity there."""
    low = np.clip(np.floor(corners.min(0)).astype(int) - 1, 0, shape[::-1])
    high = np.clip(np.ceil(corners.max(0)).astype(int) + 2, low, shape[::-1])
    drawn = np.zeros((high[1] - low[1], high[0] - low[0]), np.uint8)
    if drawn.size:
        cv2.fillPoly(drawn, [np.round((corners - low) * (1 << _SHIFT)).astype(np.int32)], 255, cv2.LINE_AA, _SHIFT)
    return (slice(low[1], high[1]), slice(low[0], high[0])), drawn


def hide(cover: Cover, corners: Points) -> None:
    """Make a polygon with corners in pixels opaque in ``cover``, in place."""
    part, opacity = polygon((cover.shape[0], cover.shape[1]), corners)
    np.maximum(cover[part], opacity, out=cover[part])


def blend(
    picture: Picture,
    cover: Cover,
    bgr: NDArray[np.float32],
    texture: Mask | None = None,
    opacity: float = 1.0,
    rough: Mask | None = None,
) -> None:
    """Paint one colour over ``picture`` in place where ``cover`` is opaque.

    Args:
        picture: Shape (H, W, 3).
        cover: Opacity, shape (H, W), 0 to 255.
        bgr: The colour.
        texture: Added to the colour, shape (H, W).
        opacity: Multiplied into ``cover``, [0, 1].
        rough: Multiplied into ``cover`` as well, shape (H, W), [0, 1].
    """
    # Roads and houses cover a few hundredths of the world: touch those pixels only.
    where = np.flatnonzero(cover > 0)
    share = cover.ravel()[where].astype(np.float32) * (opacity / 255)
    if rough is not None:
        share *= rough.ravel()[where]
    over = bgr if texture is None else bgr + texture.ravel()[where, None]
    flat = picture.reshape(-1, 3)
    below = flat[where]
    flat[where] = below + (over - below) * share[:, None]


def blend_polygon(
    picture: Picture, corners: Points, bgr: NDArray[np.float32], texture: Mask | None = None, opacity: float = 1.0
) -> None:
    """Paint a filled polygon with corners in pixels over ``picture``, in place; see ``blend``."""
    part, cover = polygon((picture.shape[0], picture.shape[1]), corners)
    rows, columns = np.nonzero(cover > 0)
    share = cover[rows, columns, None].astype(np.float32) * (opacity / 255)
    rows, columns = rows + part[0].start, columns + part[1].start
    over = bgr if texture is None else bgr + texture[rows, columns, None]
    below = picture[rows, columns]
    picture[rows, columns] = below + (over - below) * share


def paint_fields(random: np.random.Generator, shape: tuple[int, int], scale: float) -> Picture:
    """Fields with rows of crop, tractor lines and worn patches, shape (H, W, 3)."""
    # At half the scale, then finer grain over it: rows of crop are a metre apart.
    half = (shape[0] // 2 + 1, shape[1] // 2 + 1)
    coarse = _fields(random, half, scale / 2)
    picture = cast("Picture", cv2.resize(coarse, shape[::-1], interpolation=cv2.INTER_LINEAR))
    picture *= (1 + 0.05 * noise(random, shape, 0.7 * scale, 3))[..., None]
    return picture


def _fields(random: np.random.Generator, shape: tuple[int, int], scale: float) -> Picture:
    parcels = _parcels(random, shape, scale)
    count = int(parcels.max()) + 1
    colours = _FIELDS_BGR[random.integers(0, len(_FIELDS_BGR), count)] * random.uniform(0.9, 1.1, (count, 1))
    angle = random.uniform(0, np.pi, count).astype(np.float32)
    y, x = np.indices(shape, np.float32, sparse=True)
    along = (np.cos(angle)[parcels] * x + np.sin(angle)[parcels] * y) / scale
    rows = np.sin(along * (2 * np.pi / random.uniform(0.9, 1.7, count)).astype(np.float32)[parcels])
    has_rows, has_lines = (random.random(count) < share for share in (0.7, 0.6))
    light = 1 + 0.045 * rows * has_rows.astype(np.float32)[parcels]
    light -= 0.13 * ((np.abs(np.abs((along % 15) - 7.5) - 0.9) < 0.25) & has_lines[parcels])
    light += 0.085 * noise(random, shape, 24 * scale, 3) + 0.06 * noise(random, shape, 1.6 * scale, 3)
    picture: Picture = colours.astype(np.float32)[parcels]
    picture *= light[..., None].astype(np.float32)
    # Grass is not one green: let red and blue drift apart over tens of metres.
    drift = 5 * noise(random, shape, 16 * scale, 3)
    picture[..., 2] += drift
    picture[..., 0] -= 0.5 * drift
    _paint_margins(random, picture, parcels, scale)
    return picture


def _parcels(random: np.random.Generator, shape: tuple[int, int], scale: float) -> NDArray[np.int32]:
    """Which field each pixel is in, shape (H, W): the nearest of scattered points, as farmed land often looks."""
    points = np.full(shape, 255, np.uint8)
    step = 42 * scale
    for row in np.arange(step / 2, shape[0], step):
        for column in np.arange(step / 2, shape[1], step):
            at = np.array([row, column]) + random.uniform(-0.42, 0.42, 2) * step
            points[tuple(np.clip(at.astype(int), 0, np.array(shape) - 1))] = 0
    _, labels = cv2.distanceTransformWithLabels(points, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)
    return np.asarray(labels, np.int32)


def _paint_margins(random: np.random.Generator, picture: Picture, parcels: NDArray[np.int32], scale: float) -> None:
    """Rough grass between the fields."""
    edges = np.zeros(parcels.shape, np.uint8)
    edges[:, 1:] |= (parcels[:, 1:] != parcels[:, :-1]).view(np.uint8)
    edges[1:] |= (parcels[1:] != parcels[:-1]).view(np.uint8)
    distance = cv2.distanceTransform(1 - edges, cv2.DIST_L2, 3) / scale
    ragged = distance + 0.4 * noise(random, parcels.shape, 2 * scale, 2)
    margin = np.clip((1.0 - ragged) * 306, 0, 204).astype(np.uint8)
    blend(picture, margin, _MEADOW_BGR * 0.95, 9 * noise(random, parcels.shape, 1.2 * scale, 2))


def paint_roads(random: np.random.Generator, picture: Picture, layout: Layout, scale: float) -> None:
    """Dirt tracks, the verge, and the ring road with its wear and its white lines, in place."""
    shape = picture.shape[:2]
    grain = noise(random, shape, 0.5 * scale, 2)
    patches = noise(random, shape, 9 * scale, 3)
    rough = np.clip(1 + 0.25 * noise(random, shape, 1.5 * scale, 2), 0.3, 1)
    for line in layout.tracks:
        dirt, crown = (polyline(shape, [line * scale], width * scale) for width in (3.0, 0.7))
        blend(picture, dirt, _DIRT_BGR, 7 * grain + 5 * patches, 0.9, rough)
        blend(picture, crown, _MEADOW_BGR, None, 0.5, rough)
    middle = [layout.road.points * scale]
    verge, gravel, asphalt = (
        polyline(shape, middle, (ROAD_WIDTH_M + wider) * scale, is_closed=True) for wider in (3.4, 1.1, 0.0)
    )
    blend(picture, verge, _MEADOW_BGR * 1.12, 6 * grain, 0.6, rough)
    blend(picture, gravel, _GRAVEL_BGR, 8 * grain, 1.0, rough)
    blend(picture, asphalt, _ASPHALT_BGR, 3 * grain + 4 * patches)
    distance = np.arange(0, layout.road.length_m, 0.5)
    for offset in (-LANE_M - 0.75, -LANE_M + 0.75, LANE_M - 0.75, LANE_M + 0.75):
        wear = polyline(shape, [layout.road.at(distance, offset) * scale], 0.6 * scale, is_closed=True)
        blend(picture, wear, _ASPHALT_BGR * 0.6, None, 0.11, rough)
    lines = [layout.road.at(distance, offset) * scale for offset in (-3.35, 3.35)]
    blend(picture, polyline(shape, lines, 0.14 * scale, is_closed=True), _PAINT_BGR, None, 0.8, rough)
    starts = np.arange(0, layout.road.length_m - 3, 9)
    dashes = [layout.road.at(np.linspace(begin, begin + 3, 8)) * scale for begin in starts]
    blend(picture, polyline(shape, dashes, 0.14 * scale), _PAINT_BGR, None, 0.8, rough)


def paint_deck(random: np.random.Generator, picture: Picture, layout: Layout, scale: float) -> Points:
    """Paint the bridge and its path in place; returns its corners, shape (4, 2), pixels."""
    shape = picture.shape[:2]
    texture = 3 * noise(random, shape, 0.5 * scale, 2) + 4 * noise(random, shape, 7 * scale, 3)
    blend_polygon(picture, strip(layout.deck, 0, layout.deck_width_m) * scale, _DECK_BGR, texture)
    for offset in (-0.45, 0.45):
        blend_polygon(picture, strip(layout.deck, offset, 0.4) * scale, _ASPHALT_BGR * 0.7, opacity=0.2)
    for side in (-1, 1):
        edge = side * layout.deck_width_m / 2
        gutter, rail = strip(layout.deck, edge - side * 0.32, 0.2), strip(layout.deck, edge - side * 0.12, 0.24)
        blend_polygon(picture, gutter * scale, _DECK_BGR * 0.55, opacity=0.5)
        blend_polygon(picture, rail * scale, _DECK_BGR * 1.42)
    return strip(layout.deck, 0, layout.deck_width_m) * scale


def strip(line: Points, offset: float, width: float) -> Points:
    """Corners of a band along a line of two points, ``offset`` to its right, shape (4, 2)."""
    along = (line[1] - line[0]) / np.linalg.norm(line[1] - line[0])
    right = np.array([-along[1], along[0]])
    return np.asarray(line[[0, 1, 1, 0]] + right * offset + np.outer([-1, -1, 1, 1], right * width / 2))


def world_shape(scale: float) -> tuple[int, int]:
    """(H, W) of the painted ground at ``scale`` pixels per metre."""
    return round(WORLD_M[1] * scale), round(WORLD_M[0] * scale)
