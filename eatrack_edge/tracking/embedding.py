"""Embeddings of a box: its search tokens as one vector, to compare objects by."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from eatrack_edge.core.boxes import Box

Embedding = NDArray[np.float32]
_PARTS = 3  # of a box, along each side


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


def renew(latest: Embedding, seen: Embedding, kept: float) -> Embedding:
    """What something looked like lately, after one more look at it.

    Args:
        latest: Before it.
        seen: The look.
        kept: Share of the former that is left, [0, 1].
    """
    return embed(np.asarray(kept * latest + (1 - kept) * seen, np.float32))


def embed_parts(search_tokens: NDArray[np.float32], box: Box, search_size: int) -> Embedding:
    """The directions of the tokens in 3 x 3 parts of a box, one after another: at unit length, shape (9 * dim,).

    It tells what lies where in the box, which a mean does not: of two persons, who wears the dark trousers. The cosine
    of two is the mean of those of their parts.

    Args:
        search_tokens: Shape (F*F, dim), row-major.
        box: In pixels of the search crop; outside it the tokens at its border count.
        search_size: Side of the search crop, pixels.
    """
    grid = math.isqrt(len(search_tokens))
    tokens = search_tokens.reshape(grid, grid, -1)
    top, bottom, low = _samples(box[1], box[3], grid, search_size)
    left, right, near = _samples(box[0], box[2], grid, search_size)
    upper = tokens[np.ix_(top, left)] * (1 - near) + tokens[np.ix_(top, right)] * near
    lower = tokens[np.ix_(bottom, left)] * (1 - near) + tokens[np.ix_(bottom, right)] * near
    parts = upper * (1 - low[:, None]) + lower * low[:, None]
    lengths = np.linalg.norm(parts, axis=-1, keepdims=True)
    directions: Embedding = (parts / np.maximum(lengths, 1e-12)).ravel() / _PARTS
    return directions


def _samples(
    start: float, length: float, grid: int, search_size: int
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float32]]:
    """Grid locations before and behind the middle of each part of a span, and how far between them it lies."""
    middles = (start + length * (np.arange(_PARTS) + 0.5) / _PARTS) * grid / search_size - 0.5
    middles = np.clip(middles, 0, grid - 1)
    before = middles.astype(np.intp)
    return before, np.minimum(before + 1, grid - 1), (middles - before).astype(np.float32)[:, None]


def _span(start: float, length: float, grid: int, search_size: int) -> tuple[int, int]:
    """First and past-the-last grid location whose centre lies in the span, at least one."""
    stride = search_size / grid
    first = min(max(math.ceil(start / stride - 0.5), 0), grid - 1)
    last = min(max(math.ceil((start + length) / stride - 0.5), first + 1), grid)
    return first, last
