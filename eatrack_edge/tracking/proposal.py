"""The box of what lies under a point: a click names a place, and a tracker needs a size."""

from __future__ import annotations

from eatrack_edge.core.boxes import Box
from eatrack_edge.core.errors import InputError

_SHARE = 0.08  # side of the box / sqrt of the picture's area


def box_of_fixed_size(frame_size: tuple[int, int], x: float, y: float, share: float = _SHARE) -> Box:
    """A square around a point, of a fixed share of the picture.

    Args:
        frame_size: (width, height), pixels.
        x: Of the point, pixels.
        y: Of the point, pixels.
        share: Side of the square / square root of the picture's area.

    Raises:
        InputError: The point lies outside the picture.
    """
    width, height = frame_size
    if not (0 <= x < width and 0 <= y < height):
        raise InputError(f"the point {x:g},{y:g} lies outside the frame, {width}x{height}")
    side = share * (width * height) ** 0.5
    return x - side / 2, y - side / 2, side, side
