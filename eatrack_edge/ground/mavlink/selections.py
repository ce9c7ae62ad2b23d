"""From a station's rectangle or point, as parts of the picture, to a selection in pixels."""

from __future__ import annotations

from eatrack_edge.ground.mavlink.requests import Request
from eatrack_edge.session.commands import Select, SelectPoint

_TOLERANCE = 0.01  # a finger that leaves the picture by a hair still means its edge


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
    if not (left < right and top < bottom):
        return None
    width, height = size
    return Select((left * width, top * height, (right - left) * width, (bottom - top) * height))


def point(request: Request, size: tuple[int, int]) -> SelectPoint | None:
    """The selection that a ``MAV_CMD_CAMERA_TRACK_POINT`` asks for; its box is proposed by the tracker.

    Args:
        request: Parameters 1 and 2 are the point, [0, 1] of the picture. The radius in 3 is not used: stations send the
            size of a finger, not of the target.
        size: Width and height of the picture, px.

    Returns:
        ``None`` where it is no point inside the picture.
    """
    x, y = request.parameters[:2]
    if not (-_TOLERANCE <= x <= 1 + _TOLERANCE and -_TOLERANCE <= y <= 1 + _TOLERANCE):
        return None
    width, height = size
    return SelectPoint(min(max(x * width, 0.0), width - 1.0), min(max(y * height, 0.0), height - 1.0))
