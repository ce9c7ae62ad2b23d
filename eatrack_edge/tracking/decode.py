"""From the maps to a box in the search crop."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from eatrack_edge.core.boxes import Box
from eatrack_edge.inference.backend import Maps

Size = tuple[float, float]

_NEAR_SIDES = 0.6  # of a box, so far from its place as the target may have gone unseen
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


def size_prior(size: Size, last: Size, strength: float) -> float:
    """The prior that a target keeps its size and shape from one frame to the next (SiamRPN, section 4.4).

    It tells a target from a neighbour that looks alike but is larger, or of another shape.

    Args:
        size: A box's (w, h) as a fraction of the search crop.
        last: The last box's in the same unit, above 0.
        strength: SiamRPN's k; 0 gives 1.

    Returns:
        In [0, 1].
    """
    w, h = max(size[0], _SMALLEST_SIDE), max(size[1], _SMALLEST_SIDE)
    was_w, was_h = last
    change_of_size = _change(_padded_side(w, h) / _padded_side(was_w, was_h))
    change_of_shape = _change((w / h) * (was_h / was_w))
    return math.exp(strength * (1 - change_of_size * change_of_shape))


def decode(
    maps: Maps, window: NDArray[np.float32], search_size: int, last: Size, size_penalty: float
) -> Decoded | None:
    """Read the box at the best cell: of the highest score after the window and ``size_prior``.

    The score is read before both: with them, a fast target would look unsure merely for being far from
    the centre, and fast targets are what drones meet.

    Args:
        maps: One frame's, of grid F.
        window: What is multiplied into the score map, shape (F, F).
        search_size: Side of the search crop, pixels.
        last: The last box's (w, h) as a fraction of the search crop, above 0.
        size_penalty: Strength of the size prior; 0 looks at no size.

    Returns:
        ``None`` where the network did not answer: a score, a size or the offset read is not finite, or the size is 0.
    """
    grid = len(window)
    cell = _best_cell(maps, window, last, size_penalty)
    if cell is None:
        return None
    return _read(maps, cell, grid, search_size)


def decode_near(maps: Maps, place: Box, grid: int, search_size: int) -> Decoded | None:
    """Read the box at the cell with the highest score about a place; no prior counts there.

    Args:
        maps: One frame's.
        place: Box in pixels of the search crop; the centre is looked for within 0.6 of its sides.
        grid: Cells per side, F.
        search_size: Side of the search crop, pixels.

    Returns:
        ``None`` where the place lies outside the crop, or the network did not answer.
    """
    x, y, w, h = place
    cells = grid / search_size  # per pixel
    column, row = math.floor((x + w / 2) * cells), math.floor((y + h / 2) * cells)
    if not (0 <= column < grid and 0 <= row < grid):
        return None
    reach = max(1, round(_NEAR_SIDES * math.sqrt(w * h) * cells))
    left, top = max(0, column - reach), max(0, row - reach)
    part = maps.score_map.reshape(grid, grid)[top : row + reach + 1, left : column + reach + 1]
    down, across = divmod(int(part.argmax()), part.shape[1])
    return _read(maps, (top + down) * grid + left + across, grid, search_size)


def _read(maps: Maps, cell: int, grid: int, search_size: int) -> Decoded | None:
    """The box at a cell; ``None`` where it is not finite, or empty."""
    row, column = divmod(cell, grid)
    score = maps.score_map.item(cell)
    dx, dy = _pair(maps.offset_map, cell)
    w, h = (fraction * search_size for fraction in _pair(maps.size_map, cell))
    cx, cy = (column + dx) * search_size / grid, (row + dy) * search_size / grid
    # A sum is finite only where all of its terms are.
    if not math.isfinite(score + cx + cy + w + h) or w <= 0 or h <= 0:
        return None
    return Decoded((cx - w / 2, cy - h / 2, w, h), score)


def _best_cell(maps: Maps, window: NDArray[np.float32], last: Size, size_penalty: float) -> int | None:
    """The cell with the highest product of score, window and size prior; ``None`` if a score or size is not finite."""
    # A single nan wins argmax, as the largest does.
    if not math.isfinite(maps.size_map.item(maps.size_map.argmax())):
        return None
    scores = (maps.score_map * window).ravel()
    best, best_score = None, -1.0
    # The prior is at most 1, so cells are taken in the order of their scores until the next cannot win: one or two as
    # a rule. On the whole grid it takes a dozen calls of numpy, and each of them starts cold after a network.
    while True:
        cell = int(scores.argmax())
        score = scores.item(cell)
        if not score > best_score:
            return best
        likely = score * size_prior(_pair(maps.size_map, cell), last, size_penalty)
        if likely > best_score:
            best, best_score = cell, likely
        scores[cell] = -1.0


def confidence_of(score: float, scale: float, shift: float) -> float:
    """The probability that the box is on the target: a logistic curve through the score's logit.

    Args:
        score: Of the chosen cell, in [0, 1].
        scale: Above 0, see ``ModelSpec``; 1 with a shift of 0 returns the score.
        shift: Of the logit.
    """
    sure = min(max(score, 1e-6), 1 - 1e-6)
    return 1 / (1 + math.exp(-(scale * math.log(sure / (1 - sure)) + shift)))


def _pair(pairs: NDArray[np.float32], cell: int) -> tuple[float, float]:
    """Both values of a cell of a map of shape (2, F, F)."""
    return pairs.item(cell), pairs.item(pairs.size // 2 + cell)


def _padded_side(w: float, h: float) -> float:
    """Side of the square as large as a box with half its perimeter's mean added to each side, as SiamRPN pads it."""
    padding = (w + h) / 2
    return math.sqrt((w + padding) * (h + padding))


def _change(ratio: float) -> float:
    return max(ratio, 1 / ratio)
