"""From the maps to a box in the search crop."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from eatrack_edge.boxes import Box
from eatrack_edge.runtime.backends import Maps

_SMALLEST_SIDE = 1 / 256  # of a search crop: a pixel of ours. A side of 0 would make the change of shape infinite


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


def size_prior(size_map: NDArray[np.float32], last: tuple[float, float], strength: float) -> NDArray[np.float32]:
    """The prior that a target keeps its size and shape from one frame to the next (SiamRPN, section 4.4).

    It tells a target from a neighbour that looks alike but is larger, or of another shape.

    Args:
        size_map: (w, h) as a fraction of the search crop, shape (2, F, F).
        last: The last box's (w, h) in the same unit, above 0.
        strength: SiamRPN's k; 0 gives ones.

    Returns:
        Shape (F, F), in (0, 1]; ``nan`` where a size is.
    """
    w, h = np.maximum(size_map, _SMALLEST_SIDE)
    was_w, was_h = last
    change_of_size = _change(_padded_side(w, h) / _padded_side(was_w, was_h))
    change_of_shape = _change((w / h) * (was_h / was_w))
    prior: NDArray[np.float32] = np.exp(strength * (1 - change_of_size * change_of_shape)).astype(np.float32)
    return prior


def decode(maps: Maps, prior: NDArray[np.float32], search_size: int) -> Decoded | None:
    """Read the box at the best cell.

    The score is read before the prior: with it, a fast target would look unsure merely for being far from
    the centre, and fast targets are what drones meet.

    Args:
        maps: One frame's, of grid F.
        prior: What is multiplied into the score map to choose a cell, shape (F, F).
        search_size: Side of the search crop, pixels.

    Returns:
        ``None`` where the network did not answer: a value that is read is not finite, or the size is 0.
    """
    grid = prior.shape[0]
    # A single nan would win argmax, so it shows in the value read there.
    cell = int(np.argmax(maps.score_map * prior))
    row, column = divmod(cell, grid)
    score = float(maps.score_map[row, column])
    dx, dy = (float(value) for value in maps.offset_map[:, row, column])
    w, h = (float(value) * search_size for value in maps.size_map[:, row, column])
    cx, cy = (column + dx) * search_size / grid, (row + dy) * search_size / grid
    if not all(map(math.isfinite, (score, cx, cy, w, h))) or w <= 0 or h <= 0:
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


def _padded_side(w: Any, h: Any) -> Any:
    """Side of the square as large as a box with half its perimeter's mean added to each side, as SiamRPN pads it."""
    padding = (w + h) / 2
    return np.sqrt((w + padding) * (h + padding))


def _change(ratio: Any) -> Any:
    return np.maximum(ratio, 1 / ratio)
