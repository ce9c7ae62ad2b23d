"""Finds the first tracking failure of each tracker in a sequence, and the frame that is worth a picture."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

_FAILED_FRAMES = 5  # in a row without overlap; a shorter gap is often an annotation's


def first_failure(overlap: NDArray[np.float64]) -> int | None:
    """The first of at least five successive frames with a target on which the box does not touch it.

    Args:
        overlap: Per frame, shape (N,); ``nan`` where the target is absent.
    """
    missed: list[int] = []
    for frame in np.flatnonzero(np.isfinite(overlap)):
        missed = [*missed, int(frame)] if overlap[frame] == 0 else []
        if len(missed) == _FAILED_FRAMES:
            return missed[0]
    return None


def failures_by_frame(overlaps: Mapping[str, NDArray[np.float64]]) -> dict[int, list[str]]:
    """The trackers whose first failure is at a frame, by frame; in the order of the trackers.

    Args:
        overlaps: Per frame by tracker, shape (N,) each; ``nan`` where the target is absent.
    """
    found: dict[int, list[str]] = {}
    for title, overlap in overlaps.items():
        if (frame := first_failure(overlap)) is not None:
            found.setdefault(frame, []).append(title)
    return found


def frame_to_show(overlaps: Mapping[str, NDArray[np.float64]]) -> tuple[int, str] | None:
    """The frame of a sequence that is worth a picture, and its caption.

    It is the first failure of the first tracker that has one; without a failure, the frame on which the first tracker
    was worst.

    Args:
        overlaps: Per frame by tracker, shape (N,) each, the best tracker first.

    Returns:
        ``None`` where there is no tracker, or no frame with a target.
    """
    for frame, titles in failures_by_frame(overlaps).items():
        return frame, f"Frame {frame}: {joined(titles)} lost the target."
    for title, overlap in overlaps.items():
        if np.isfinite(overlap).any():
            frame = int(np.nanargmin(overlap))
            return frame, f"Frame {frame}: the lowest overlap of {title}, {overlap[frame]:.2f}; no tracker failed."
    return None


def joined(titles: Sequence[str]) -> str:
    """Names as a sentence has them.

    >>> joined(["a"]), joined(["a", "b", "c"])
    ('a', 'a, b and c')
    """
    return " and ".join(filter(None, [", ".join(titles[:-1]), titles[-1]]))
