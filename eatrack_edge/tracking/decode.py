"""Decoding: from the network's maps to a box in the search crop."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from eatrack_edge.core.boxes import Box
from eatrack_edge.inference.backend import Maps

Size = tuple[float, float]

_NEAR_SIDES = 0.6  # of a box: how far a hidden target may have moved from it
_SMALLEST_SIDE = 1 / 256  # of a search crop, one pixel of ours; a side of 0 would make the change of shape infinite


class Decoded(NamedTuple):
    """The box at one score-map location."""

    box: Box  # in pixels of the search crop
    score: float  # raw value of the score map there, before the window, in [0, 1]


def hann_window(grid: int) -> NDArray[np.float32]:
    """The prior multiplied into the score map: the target is more likely near its last position.

    OSTrack's: the outer product of a Hann window whose edges are not zero.

    Args:
        grid: Score-map locations per side, F.

    Returns:
        Shape (F, F), in (0, 1].
    """
    line = 0.5 * (1 - np.cos(2 * np.pi * np.arange(1, grid + 1) / (grid + 1)))
    return np.outer(line, line).astype(np.float32)


def size_prior(size: Size, last: Size, strength: float) -> float:
    """The prior that a target keeps its size and shape from one frame to the next (SiamRPN, section 4.4).

    It separates the target from a distractor of similar appearance but other size or shape.

    Args:
        size: (w, h) of a box as fractions of the search crop.
        last: (w, h) of the last box in the same unit, above 0.
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
    """Decode the box at the location with the highest score after the Hann window and ``size_prior``.

    The reported score is the one before both: a fast target would otherwise get a low confidence merely for being far
    from the centre, and fast targets are common on drones.

    Args:
        maps: The network's outputs for one frame.
        window: The Hann window, shape (F, F).
        search_size: Side of the search crop, pixels.
        last: (w, h) of the last box as fractions of the search crop, above 0.
        size_penalty: Strength of the size prior; 0 switches it off.

    Returns:
        ``None`` where the output is unusable: a score, a size or the offset is not finite, or the size is 0.
    """
    grid = len(window)
    location = _best_location(maps, window, last, size_penalty)
    if location is None:
        return None
    return _read(maps, location, grid, search_size)


def decode_near(maps: Maps, near: Box, search_size: int) -> Decoded | None:
    """Decode the box at the location with the highest score near a given box, without window and size prior.

    Args:
        maps: The network's outputs for one frame.
        near: In pixels of the search crop; the centre is looked for within 0.6 of its sides.
        search_size: Side of the search crop, pixels.

    Returns:
        ``None`` where its centre lies outside the crop, or the output is unusable.
    """
    grid = math.isqrt(maps.score_map.size)
    x, y, w, h = near
    per_pixel = grid / search_size  # locations
    column, row = math.floor((x + w / 2) * per_pixel), math.floor((y + h / 2) * per_pixel)
    if not (0 <= column < grid and 0 <= row < grid):
        return None
    radius = max(1, round(_NEAR_SIDES * math.sqrt(w * h) * per_pixel))
    left, top = max(0, column - radius), max(0, row - radius)
    part = maps.score_map.reshape(grid, grid)[top : row + radius + 1, left : column + radius + 1]
    down, across = divmod(int(part.argmax()), part.shape[1])
    return _read(maps, (top + down) * grid + left + across, grid, search_size)


def _read(maps: Maps, location: int, grid: int, search_size: int) -> Decoded | None:
    """The box at a location; ``None`` where it is not finite, or empty."""
    row, column = divmod(location, grid)
    score = maps.score_map.item(location)
    dx, dy = _pair(maps.offset_map, location)
    w, h = (fraction * search_size for fraction in _pair(maps.size_map, location))
    cx, cy = (column + dx) * search_size / grid, (row + dy) * search_size / grid
    # A sum is finite only where all of its terms are.
    if not math.isfinite(score + cx + cy + w + h) or w <= 0 or h <= 0:
        return None
    return Decoded((cx - w / 2, cy - h / 2, w, h), score)


def _best_location(maps: Maps, window: NDArray[np.float32], last: Size, size_penalty: float) -> int | None:
    """The location with the highest score x window x size prior; ``None`` if a score or size is not finite."""
    # A single nan wins argmax, as the largest does.
    if not math.isfinite(maps.size_map.item(maps.size_map.argmax())):
        return None
    scores = (maps.score_map * window).ravel()
    best, best_score = None, -1.0
    # The prior is at most 1, so locations are tried by falling score until the next cannot win: usually one or two.
    # On the whole grid it takes a dozen numpy calls, each with cold caches after the network.
    while True:
        location = int(scores.argmax())
        score = scores.item(location)
        if not score > best_score:
            return best
        weighted = score * size_prior(_pair(maps.size_map, location), last, size_penalty)
        if weighted > best_score:
            best, best_score = location, weighted
        scores[location] = -1.0


def confidence_of(score: float, scale: float, shift: float) -> float:
    """The probability that the box is on the target: a logistic curve through the score's logit.

    Args:
        score: Of the chosen location, in [0, 1].
        scale: Above 0, see ``ModelSpec``; 1 with a shift of 0 returns the score.
        shift: Of the logit.
    """
    peak = min(max(score, 1e-6), 1 - 1e-6)
    return 1 / (1 + math.exp(-(scale * math.log(peak / (1 - peak)) + shift)))


def _pair(pairs: NDArray[np.float32], location: int) -> tuple[float, float]:
    """Both values at a location of a map of shape (2, F, F)."""
    return pairs.item(location), pairs.item(pairs.size // 2 + location)


def _padded_side(w: float, h: float) -> float:
    """Side of the square as large as a box with half its perimeter's mean added to each side, as SiamRPN pads it."""
    padding = (w + h) / 2
    return math.sqrt((w + padding) * (h + padding))


def _change(ratio: float) -> float:
    return max(ratio, 1 / ratio)
