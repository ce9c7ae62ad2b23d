"""What happens when the target goes and comes back: how soon a tracker notices, and how soon it is on it again.

Times are in seconds of the video, from the first frame without the target, and from the first frame with it again.
They are counted for absences that begin while the tracker is on the target: one that follows something else notices
nothing. What does not happen while it could takes for ever, ``inf``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from eatrack_edge.evaluation.claims import OFF_TARGET, Claims, Flags, Floats, share

WITHIN_S = 1.0  # seconds in which a loss should be noticed, and a target that is back found
NEAR_SIDES = 8.0  # a return is near within so many sqrt(w h) of the last box: two search regions of factor 4


class Seen(NamedTuple):
    """One sequence of a tracker that has states.

    Attributes:
        claims: By frame, shape (N,).
        overlap: With the true box, shape (N,); ``nan`` where there is no target.
        truth: True boxes, shape (N, 4), pixels; ``nan`` where there is no target.
        fps: Frames per second.
    """

    claims: Claims
    overlap: Floats
    truth: Floats
    fps: float


class Absence(NamedTuple):
    """One stretch of frames without a target that begins while it is tracked.

    Attributes:
        seconds: How long it lasts.
        silent_s: Until the first frame that does not claim a visible target.
        lost_s: Until the first frame in ``LOST``.
        back_s: How long the target is seen again; 0 where the sequence ends without it.
        found_s: Until it is claimed visible with the box on it, from the return on.
        is_near: Whether it comes back within two search regions of where it was last.
    """

    seconds: float
    silent_s: float
    lost_s: float
    back_s: float
    found_s: float
    is_near: bool


class Delays(NamedTuple):
    """Delays of some cases, seconds: ``nan`` without cases, ``inf`` where it never happens.

    Attributes:
        cases: Their number.
        median, p90: Of the delays.
        soon: Share of at most a second, [0, 1].
    """

    cases: int
    median: float
    p90: float
    soon: float


def stretches(flags: Flags) -> list[tuple[int, int]]:
    """Begin and end, exclusive, of every stretch of true flags.

    >>> stretches(np.array([False, True, True, False, True]))
    [(1, 3), (4, 5)]
    """
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    return [(int(begin), int(end)) for begin, end in edges.reshape(-1, 2)]


def absences(seen: Seen) -> list[Absence]:
    """Absences of a sequence that begin while the tracker is on the target: it was within the last second."""
    found = []
    second = max(1, round(seen.fps * WITHIN_S))
    is_found = seen.claims.visible & (seen.overlap >= OFF_TARGET)
    gone = stretches(np.isnan(seen.overlap))
    ends = [*(begin for begin, _ in gone), len(seen.overlap)][1:]
    for (begin, end), next_gone in zip(gone, ends, strict=True):
        if not is_found[max(0, begin - second) : begin].any():
            continue
        is_back = end < len(seen.overlap)
        found.append(
            Absence(
                (end - begin) / seen.fps,
                _first(~seen.claims.visible[begin:end], seen.fps),
                _first(seen.claims.absent[begin:end], seen.fps),
                (next_gone - end) / seen.fps,
                _first(is_found[end:next_gone], seen.fps),
                is_back and _is_near(seen.truth[begin - 1], seen.truth[end]),
            )
        )
    return found


def _first(flags: Flags, fps: float) -> float:
    """Seconds until the first true flag."""
    return float(np.argmax(flags)) / fps if flags.any() else float("inf")


def _is_near(last: NDArray[np.float64], back: NDArray[np.float64]) -> bool:
    step = (back[:2] + back[2:] / 2) - (last[:2] + last[2:] / 2)
    return bool(np.hypot(*step) <= NEAR_SIDES * np.sqrt(last[2] * last[3]))


def noticed(found: Iterable[Absence]) -> tuple[Delays, Delays]:
    """Delays until the claim ends, and until ``LOST``, of the absences that last long enough to tell: a second."""
    long = [absence for absence in found if absence.seconds >= WITHIN_S]
    return delays([absence.silent_s for absence in long]), delays([absence.lost_s for absence in long])


def found_again(found: Iterable[Absence], *, only_near: bool = False) -> Delays:
    """Delays of the re-acquisition, of the targets that stay for at least a second when they are back."""
    back = [absence for absence in found if absence.back_s >= WITHIN_S and (absence.is_near or not only_near)]
    return delays([absence.found_s for absence in back])


def delays(seconds: Sequence[float]) -> Delays:
    """Delays of some cases: their median, 90th percentile, and share of at most a second."""
    values = np.array(seconds, np.float64)
    if not len(values):
        return Delays(0, float("nan"), float("nan"), float("nan"))
    # By rank: between a delay and one for ever there is no mean.
    median, p90 = np.percentile(values, [50, 90], method="inverted_cdf").tolist()
    return Delays(len(values), median, p90, share(values <= WITHIN_S + 1e-9))
