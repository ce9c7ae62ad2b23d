"""From a station's rectangle or point, as parts of the picture, to a selection in pixels."""

from __future__ import annotations

import math

from eatrack_edge.core.boxes import Box
from eatrack_edge.ground.mavlink.requests import Request
from eatrack_edge.session.commands import Select

_TOLERANCE = 0.01  # a finger that leaves the picture by a hair still means its edge
_DEFAULT_RADIUS = 0.05  # where the station gives none: what QGroundControl draws then


def rectangle(request: Request, size: tuple[int, int]) -> Select | None:
    """The selection that a ``MAV_CMD_CAMERA_TRACK_RECTANGLE`` asks for.

    Args:
        request: Parameters 1 to 4 are left, top, right and bottom, [0, 1] of the picture.
        size: Width and height of the picture, px.

    Returns:
        ``None`` where it is no rectangle inside the picture.
    """
    corners = request.parameters[:4]
    if not all(-_TOLERANCE <= value <= 1 + _TOLERANCE for value in corners):  # false for NaN
        return None
    left, top, right, bottom = (min(max(value, 0.0), 1.0) for value in corners)
    box = _box(left, top, right, bottom, size)
    return Select(box) if left < right and top < bottom else None


def point(request: Request, size: tuple[int, int]) -> Select | None:
    """The selection that a ``MAV_CMD_CAMERA_TRACK_POINT`` asks for: a square around it.

    Args:
        request: Parameters 1 and 2 are the point, [0, 1] of the picture; 3 is a radius, [0, 1] of its width.
        size: Width and height of the picture, px.

    Returns:
        ``None`` where it is no point inside the picture.
    """
    x, y, radius = request.parameters[:3]
    if not (-_TOLERANCE <= x <= 1 + _TOLERANCE and -_TOLERANCE <= y <= 1 + _TOLERANCE):
        return None
    if not (math.isfinite(radius) and 0 < radius <= 0.5):
        radius = _DEFAULT_RADIUS
    across = radius * size[0] / size[1]  # the same pixels as a part of the height
    return Select(_box(x - radius, y - across, x + radius, y + across, size))


def _box(left: float, top: float, right: float, bottom: float, size: tuple[int, int]) -> Box:
    width, height = size
    return left * width, top * height, (right - left) * width, (bottom - top) * height
