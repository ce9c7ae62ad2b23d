"""From the maps to a box in the search crop."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from eatrack_edge.boxes import Box
from eatrack_edge.runtime.backends import Maps


class Decoded(NamedTuple):
    """The best cell, read."""

    box: Box  # in pixels of the search crop
    score: float  # of the chosen cell before the window, in [0, 1]; raw, as the network says it


def hann_window(grid: int) -> NDArray[np.float32]:
    """The prior multiplied into the score map: the target is likelier near where it was.

    OSTrack's: the outer product of a Hann window whose edges are not zero.

    Args:
        grid: Cells per side, F.

    Returns:
        Shape (F, F), in (0, 1].
    """
    line = 0.5 * (1 - np.cos(2 * np.pi * np.arange(1, grid + 1) / (grid + 1)))
    return np.outer(line, line).astype(np.float32)


def decode(maps: Maps, window: NDArray[np.float32], search_size: int) -> Decoded | None:
    """Read the box at the best cell.

    The score is read before the window: with it, a fast target would look unsure merely for being far from
    the centre, and fast targets are what drones meet.

    Args:
        maps: One frame's, of grid F.
        window: ``hann_window(F)``.
        search_size: Side of the search crop, pixels.

    Returns:
        ``None`` where the network did not answer: a value that is read is not finite, or the size is 0.
    """
    grid = window.shape[0]
    # A single nan would win argmax, so it shows in the value read there.
    cell = int(np.argmax(maps.score_map * window))
    row, column = divmod(cell, grid)
    score = float(maps.score_map[row, column])
    dx, dy = (float(value) for value in maps.offset_map[:, row, column])
    w, h = (float(value) * search_size for value in maps.size_map[:, row, column])
    cx, cy = (column + dx) * search_size / grid, (row + dy) * search_size / grid
    if not np.isfinite([score, cx, cy, w, h]).all() or w <= 0 or h <= 0:
        return None
    return Decoded((cx - w / 2, cy - h / 2, w, h), score)


def confidence_of(score: float, scale: float, shift: float) -> float:
    """The probability that the box is on the target: a logistic curve through the score's logit.

    Args:
        score: Of the chosen cell, in [0, 1].
        scale: Above 0, see ``Contract``; 1 with a shift of 0 returns the score.
        shift: Of the logit.
    """
    sure = min(max(score, 1e-6), 1 - 1e-6)
    return 1 / (1 + math.exp(-(scale * math.log(sure / (1 - sure)) + shift)))
