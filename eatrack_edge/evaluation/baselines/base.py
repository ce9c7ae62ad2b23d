"""The result of a baseline on one frame."""

from __future__ import annotations

from typing import NamedTuple

from eatrack_edge.core.boxes import Box


class BaselineResult(NamedTuple):
    """A box in pixels of the frame, and the baseline's own score of it; ``nan`` where it gives none."""

    box: Box
    confidence: float
