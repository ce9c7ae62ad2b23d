"""The target store: what the target has looked like lately, and which of it becomes the second template.

EATrack, section 3.3: sure frames are stored; at a fixed interval one representative of them replaces the second
template. The first template is never replaced, so a drift can be undone. The paper leaves open what represents;
here it is the medoid by cosine, the stored target most like all others, so one odd frame cannot win.
"""

from __future__ import annotations

import math
from collections import deque
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from eatrack_edge.core.boxes import Box
from eatrack_edge.core.crops import Patch
from eatrack_edge.tracking.settings import TemplateSettings

Embedding = NDArray[np.float32]


class StoredTarget(NamedTuple):
    """The target as one sure frame showed it."""

    frame_index: int
    confidence: float
    patch: Patch  # of the frame, to be cropped and encoded if it is chosen
    extent: tuple[float, float]  # width and height of the box as fractions of that crop
    tokens: NDArray[np.float32]  # (dim,), the sum of those under the box

    @property
    def embedding(self) -> Embedding:
        """At unit length, shape (dim,); made only when targets are compared."""
        return embed(self.tokens)


class TemplateEvent(NamedTuple):
    """What an activation decided."""

    frame_index: int  # at which it was decided
    is_replaced: bool  # the second template is another one now
    reason: str  # in words, for the log
    source_index: int | None = None  # frame that the new template shows
    confidence: float | None = None  # of that frame
    similarity: float | None = None  # cosine of the representative to the first target


def tokens_under(search_tokens: NDArray[np.float32], box: Box, search_size: int) -> NDArray[np.float32]:
    """The sum of the Stage-1 tokens of the cells under a box, shape (dim,).

    Stage 1 has not seen the template, so it says what is there, not what was looked for.

    Args:
        search_tokens: Shape (F*F, dim), row-major.
        box: In pixels of the search crop; at least the cell under its centre is taken.
        search_size: Side of the search crop, pixels.
    """
    grid = math.isqrt(len(search_tokens))
    left, right = _cells(box[0], box[2], grid, search_size)
    top, bottom = _cells(box[1], box[3], grid, search_size)
    under: NDArray[np.float32] = search_tokens.reshape(grid, grid, -1)[top:bottom, left:right].sum(axis=(0, 1))
    return under


def embed(tokens: NDArray[np.float32]) -> Embedding:
    """The direction of a sum of tokens, which is that of their mean: at unit length, shape (dim,)."""
    unit: Embedding = tokens / max(math.sqrt(tokens @ tokens), 1e-12)
    return unit


def _cells(start: float, length: float, grid: int, search_size: int) -> tuple[int, int]:
    """Cells whose centre lies in the span, at least one."""
    cell = search_size / grid
    first = min(max(math.ceil(start / cell - 0.5), 0), grid - 1)
    last = min(max(math.ceil((start + length) / cell - 0.5), first + 1), grid)
    return first, last


class TargetStore:
    """A short memory of sure targets."""

    def __init__(self, settings: TemplateSettings, first: Embedding) -> None:
        """Start with the first target's embedding, which every representative has to resemble."""
        self._settings = settings
        self._first = first
        self._targets: deque[StoredTarget] = deque(maxlen=settings.capacity)

    def __len__(self) -> int:
        return len(self._targets)

    def wants(self, confidence: float) -> bool:
        """Whether a frame is sure enough to be stored."""
        return confidence >= self._settings.store_above

    def add(self, target: StoredTarget) -> None:
        """Keep a target; at capacity, the oldest leaves."""
        self._targets.append(target)

    def is_due(self, frame_index: int) -> bool:
        """Whether this frame ends an interval."""
        return frame_index % self._settings.interval == 0

    def activate(self, frame_index: int) -> tuple[StoredTarget | None, TemplateEvent]:
        """Choose the representative of what was stored since the last activation, and empty the store.

        Returns:
            The target whose crop is to be the second template, ``None`` to keep the one there is; and what was
            decided.
        """
        targets = list(self._targets)
        self._targets.clear()
        if not targets:
            needed = self._settings.store_above
            return None, TemplateEvent(frame_index, False, f"kept: no frame reached confidence {needed:g}")
        chosen = representative(targets)
        similarity = float(chosen.embedding @ self._first)
        decided = similarity >= self._settings.minimum_similarity
        if decided:
            reason = f"replaced by frame {chosen.frame_index}, the medoid of {len(targets)}"
        else:
            limit = self._settings.minimum_similarity
            reason = f"kept: frame {chosen.frame_index} is too unlike the first ({similarity:.2f} < {limit:g})"
        event = TemplateEvent(frame_index, decided, reason, chosen.frame_index, chosen.confidence, similarity)
        return (chosen if decided else None), event


def representative(targets: list[StoredTarget]) -> StoredTarget:
    """The medoid: the target with the highest total cosine to all; the surer one of equals."""
    embeddings = np.stack([target.embedding for target in targets])
    totals = (embeddings @ embeddings.T).sum(axis=1).round(5)
    return max(zip(totals, targets, strict=True), key=lambda pair: (pair[0], pair[1].confidence))[1]
