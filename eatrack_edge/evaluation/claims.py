"""What a tracker claims about its target in each frame, and how often it reports a loss that is one.

| state | claims |
|---|---|
| ``TRACKING``, ``REACQUIRED`` | the target is visible, in this box |
| ``LOST`` | the target is not where the tracker looks: there is no box |
| ``UNCERTAIN``, and any other word | nothing |

``UNCERTAIN`` claims nothing, so it is neither a false alarm without a target nor a report of a loss.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eatrack_edge.evaluation.track_store import States

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

VISIBLE = ("TRACKING", "REACQUIRED")
ABSENT = ("LOST",)
# Of the overlap. Below the first the box is off the target: it covers less than a third of it when both are of one
# size. From the second on it is good, PASCAL's and OTB's usual threshold. Frames in between count as neither.
OFF_TARGET, GOOD = 0.2, 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Claims:
    """Claims by frame, shape (N,) each; on frame 0, whose box is given, the target is visible."""

    visible: Flags
    absent: Flags


@dataclass(frozen=True, slots=True)
class LossReports:
    """How the states fit the overlaps, frames of all sequences pooled. Shares in [0, 1], ``nan`` without such frames.

    Attributes:
        lost_frames: Frames without a target, or with the box off it: overlap below 0.2.
        lost_reported: Share of them in ``LOST``.
        lost_claimed: Share of them that claim a visible target.
        good_frames: Frames with an overlap of at least 0.5.
        good_reported: Share of them in ``LOST``.
        good_claimed: Share of them that claim a visible target.
    """

    lost_frames: int
    lost_reported: float
    lost_claimed: float
    good_frames: int
    good_reported: float
    good_claimed: float


def claims_of(states: States) -> Claims:
    """What states claim.

    Args:
        states: Shape (N,), from frame 0.

    >>> claims_of(np.array(["", "TRACKING", "UNCERTAIN", "LOST"])).visible.tolist()
    [True, True, False, False]
    """
    visible = np.isin(states, VISIBLE)
    visible[:1] = True
    return Claims(visible, np.isin(states, ABSENT))


def loss_reports(tracks: Iterable[tuple[Claims, Floats]]) -> LossReports:
    """Compare claims with overlaps, frame by frame.

    Args:
        tracks: Of each sequence, the claims and the overlaps, shape (N,); ``nan`` where there is no target. Frame 0,
            whose box is given, does not count.
    """
    pairs = list(tracks)
    overlap = np.concatenate([np.empty(0), *(overlap[1:] for _, overlap in pairs)])
    visible, reported = (
        np.concatenate([np.empty(0, bool), *(getattr(claims, name)[1:] for claims, _ in pairs)])
        for name in ("visible", "absent")
    )
    is_lost, is_good = ~(overlap >= OFF_TARGET), overlap >= GOOD
    return LossReports(
        int(is_lost.sum()),
        share(reported[is_lost]),
        share(visible[is_lost]),
        int(is_good.sum()),
        share(reported[is_good]),
        share(visible[is_good]),
    )


def share(flags: Flags) -> float:
    """Share that is true; ``nan`` of nothing."""
    return float(flags.mean()) if len(flags) else float("nan")
