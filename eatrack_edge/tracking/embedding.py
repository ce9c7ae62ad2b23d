"""The embedding of a box: its search tokens as one vector, to compare objects by."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from eatrack_edge.core.boxes import Box

Embedding = NDArray[np.float32]


def tokens_under(search_tokens: NDArray[np.float32], box: Box, search_size: int) -> NDArray[np.float32]:
    """The sum of the Stage-1 tokens under a box, shape (dim,).

    Stage 1 has not seen the template, so its tokens describe what is there, not what is looked for.

    Args:
        search_tokens: Shape (F*F, dim), row-major.
        box: In pixels of the search crop; at least the location under its centre is taken.
        search_size: Side of the search crop, pixels.
    """
    grid = math.isqrt(len(search_tokens))
    left, right = _span(box[0], box[2], grid, search_size)
    top, bottom = _span(box[1], box[3], grid, search_size)
    under: NDArray[np.float32] = search_tokens.reshape(grid, grid, -1)[top:bottom, left:right].sum(axis=(0, 1))
    return under


def embed(tokens: NDArray[np.float32]) -> Embedding:
    """The direction of a sum of tokens, which is that of their mean: at unit length, shape (dim,)."""
    unit: Embedding = tokens / max(math.sqrt(tokens @ tokens), 1e-12)
    return unit


def embed_box(search_tokens: NDArray[np.float32], box: Box, search_size: int) -> Embedding:
    """The embedding of what a box shows; see ``tokens_under``."""
    return embed(tokens_under(search_tokens, box, search_size))


def _span(start: float, length: float, grid: int, search_size: int) -> tuple[int, int]:
    """First and past-the-last grid location whose centre lies in the span, at least one."""
    stride = search_size / grid
    first = min(max(math.ceil(start / stride - 0.5), 0), grid - 1)
    last = min(max(math.ceil((start + length) / stride - 0.5), first + 1), grid)
    return first, last
