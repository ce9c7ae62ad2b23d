"""Follows a target from one frame to the next without the network: what its box shows is looked for nearby.

Normalised cross-correlation finds the steps between neighbouring frames at a hundredth of the network's time. It knows
nothing of the target, and follows whatever lies in the box: it leads the network's search region, and claims nothing.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from eatrack_edge.core.boxes import Box
from eatrack_edge.core.crops import Frame

_SIDE_PX = 16  # of the matched patch: larger targets are reduced to about this size
_LEAST_PX = 8  # of the matched patch: a smaller one looks like many places
_REACH_SIDES = 2.0  # how far a target is followed in one step: a camera that jerks moves it by more than one
# Of places that look alike the nearer one is likelier: so much is taken off the correlation for each side away.
_COST_OF_A_SIDE = 0.1
_MINIMUM_SCORE = 0.5  # after that
_FLAT_BELOW = 1.0  # standard deviation of a patch, grey levels, below which it looks like every place


class _Span(NamedTuple):
    """From one pixel of the frame up to another, along one axis."""

    start: int
    end: int


def follow_patch(before: Frame, after: Frame, box: Box) -> Box | None:
    """Where what a box shows is in the next frame. Only the box and two sides around it are read.

    Args:
        before: The frame of the box, shape (H, W, 3) BGR, or (H, W) grey.
        after: The next frame, of the same height and width, either kind.
        box: In pixels of the frame.

    Returns:
        The box, moved; ``None`` where nothing nearby looks like it, or it shows one flat colour.
    """
    x, y, w, h = box
    height, width = before.shape[:2]
    side = math.sqrt(w * h)
    reduced = max(1, round(side / _SIDE_PX))  # pixels of the frame to one of the patch
    columns, rows = _patch_span(x, w, reduced, width), _patch_span(y, h, reduced, height)
    reach = max(_LEAST_PX, math.ceil(_REACH_SIDES * side / reduced))
    near_columns, near_rows = _widened(columns, reach, reduced, width), _widened(rows, reach, reduced, height)
    patch = _grey(before, columns, rows, reduced)
    if min(patch.shape) == 0 or cv2.meanStdDev(patch)[1].item() < _FLAT_BELOW:
        return None
    scores = cv2.matchTemplate(_grey(after, near_columns, near_rows, reduced), patch, cv2.TM_CCOEFF_NORMED)
    right = near_columns.start - columns.start + reduced * np.arange(scores.shape[1])
    down = near_rows.start - rows.start + reduced * np.arange(scores.shape[0])
    scores = scores - _COST_OF_A_SIDE / side * np.hypot(down[:, None], right)
    _, best, _, (column, row) = cv2.minMaxLoc(scores)
    return (x + float(right[column]), y + float(down[row]), w, h) if best >= _MINIMUM_SCORE else None


def _patch_span(start: float, length: float, reduced: int, limit: int) -> _Span:
    """The patch about a box's span, inside the frame: whole pixels of the reduced patch, and not too few."""
    count = min(max(_LEAST_PX, round(length / reduced)), limit // reduced)
    first = round(start + length / 2 - count * reduced / 2)
    first = min(max(first, 0), limit - count * reduced)
    return _Span(first, first + count * reduced)


def _widened(span: _Span, reach: int, reduced: int, limit: int) -> _Span:
    """A span with ``reach`` pixels of the reduced patch more on either side, as far as the frame goes."""
    left, right = min(reach, span.start // reduced), min(reach, (limit - span.end) // reduced)
    return _Span(span.start - left * reduced, span.end + right * reduced)


def _grey(frame: Frame, columns: _Span, rows: _Span, reduced: int) -> NDArray[np.uint8]:
    part: Any = frame[rows.start : rows.end, columns.start : columns.end]
    if part.size and part.ndim == 3:
        part = part[..., 0] if part.shape[2] == 1 else cv2.cvtColor(part, cv2.COLOR_BGR2GRAY)
    if part.size and reduced > 1:
        part = cv2.resize(part, None, fx=1 / reduced, fy=1 / reduced, interpolation=cv2.INTER_AREA)
    return np.asarray(part, np.uint8)
