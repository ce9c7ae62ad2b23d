"""The painted world: one large image that every frame is cut from, and what in it hides or shades a car."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from eatrack_edge.core.crops import Frame
from eatrack_edge.scene.layout import SUN, Deck, Layout, plan
from eatrack_edge.scene.objects import build, cast_shadows, plant
from eatrack_edge.scene.terrain import Cover, hide, paint_deck, paint_fields, paint_roads, strip, world_shape

_SHADE_BGR = np.array((0.44, 0.52, 0.56), np.float32)  # how much a shadow takes away: least of the sky's blue
_BRIDGE_HEIGHT_M = 5.5


@dataclass(frozen=True, slots=True)
class Ground:
    """The world from above.

    Attributes:
        layout: Where things stand, metres.
        scale: Pixels per metre.
        picture: Shape (H, W, 3), uint8 BGR.
        cover: Opacity of what stands above the road, 0 to 255, shape (H, W): crowns, roofs, the bridge.
        sunlight: Light that falls on the road, 0 to 255, shape (H, W); 255 in the sun.
    """

    layout: Layout
    scale: float
    picture: Frame
    cover: NDArray[np.uint8]
    sunlight: NDArray[np.uint8]


@lru_cache(maxsize=2)
def paint(seed: int, scale: float, bridge: Deck = Deck()) -> Ground:  # noqa: B008  (it is frozen)
    """Paint the world of a seed at ``scale`` pixels per metre; takes a second or two, so the last two are kept."""
    layout = plan(seed, bridge)
    random = np.random.default_rng([seed, 2])
    shape = world_shape(scale)
    picture = paint_fields(random, shape, scale)
    paint_roads(random, picture, layout, scale)
    shadow = np.zeros(shape, np.uint8)
    cast_shadows(random, shadow, layout.trees, layout.houses, scale)
    _shade_under_bridge(shadow, layout, scale)
    # The sun is not a point: shadows have soft edges.
    shadow = cast("Cover", cv2.GaussianBlur(shadow, (0, 0), max(0.25 * scale, 0.4)))
    picture *= 1 - shadow[..., None] * (_SHADE_BGR / 255)
    cover = np.zeros(shape, np.uint8)
    build(random, picture, cover, layout.houses, scale)
    plant(random, picture, cover, layout.trees, scale)
    hide(cover, paint_deck(random, picture, layout, scale))
    # A lens and a video codec never show a world this sharp.
    soft = cv2.GaussianBlur(cv2.convertScaleAbs(np.maximum(picture, 0)), (0, 0), 0.055 * scale)
    sunlight = cv2.convertScaleAbs(shadow, alpha=-float(_SHADE_BGR.mean()), beta=255)
    return Ground(layout, scale, cast("Frame", soft), cover, cast("Cover", sunlight))


def _shade_under_bridge(shadow: Cover, layout: Layout, scale: float) -> None:
    begin, end = layout.deck
    along = (end - begin) / np.linalg.norm(end - begin)
    crossings = layout.road.points[np.argsort(np.abs((layout.road.points - begin) @ [-along[1], along[0]]))[:40]]
    for crossing in begin + np.outer((crossings - begin) @ along, along):
        span = np.array([crossing - along * 11, crossing + along * 11])
        hide(shadow, (strip(span, 0, layout.deck_width_m) + SUN * _BRIDGE_HEIGHT_M * 0.6) * scale)
