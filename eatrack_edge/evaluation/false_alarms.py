"""Claims that are wrong: a target reported while there is none, and another object taken for it after a loss.

A false alarm is one unbroken stretch of frames without a target that claim one. The stretch with which an absence
begins is the time that it takes to notice, and counts only beyond one second.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from eatrack_edge.evaluation.absences import WITHIN_S, Seen, stretches
from eatrack_edge.evaluation.claims import OFF_TARGET


@dataclass(frozen=True, slots=True)
class FalseAlarms:
    """Wrong claims of a tracker over all sequences.

    Attributes:
        absent_minutes: Video without a target.
        alarms: False alarms in it.
        claimed: Share of its frames that claim a target, [0, 1]; ``nan`` without such frames.
        minutes: Video in all.
        reacquired: Times that the tracker claimed a target again after ``LOST``.
        wrong: Of them, those without a target, or with the box off it: overlap below 0.2.
    """

    absent_minutes: float
    alarms: int
    claimed: float
    minutes: float
    reacquired: int
    wrong: int

    @property
    def per_minute(self) -> float:
        """False alarms per minute of video without a target; ``nan`` where there is none."""
        return self.alarms / self.absent_minutes if self.absent_minutes else float("nan")

    @property
    def wrong_per_minute(self) -> float:
        """Wrong re-acquisitions per minute of video."""
        return self.wrong / self.minutes if self.minutes else float("nan")


def at_most_per_minute(events: int, minutes: float) -> float:
    """The rate that is not exceeded at 95 % where no event was seen, by the rule of three; ``nan`` with events.

    >>> at_most_per_minute(0, 6.0)
    0.5
    """
    return 3 / minutes if minutes and not events else float("nan")


def false_alarms(sequences: Iterable[Seen]) -> FalseAlarms:
    """Count wrong claims over sequences."""
    alarms = absent = claimed = reacquired = wrong = 0
    absent_s = seconds = 0.0
    for seen in sequences:
        gone = np.isnan(seen.overlap)
        alarms += _alarms(seen)
        absent += int(gone.sum())
        claimed += int(seen.claims.visible[gone].sum())
        absent_s += gone.sum() / seen.fps
        seconds += len(gone) / seen.fps
        right_and_wrong = _reacquisitions(seen)
        reacquired += len(right_and_wrong)
        wrong += right_and_wrong.count(False)
    part = claimed / absent if absent else float("nan")
    return FalseAlarms(absent_s / 60, alarms, part, seconds / 60, reacquired, wrong)


def _alarms(seen: Seen) -> int:
    count = 0
    for begin, end in stretches(np.isnan(seen.overlap)):
        for first, last in stretches(seen.claims.visible[begin:end]):
            count += first > 0 or last > round(seen.fps * WITHIN_S)
    return count


def _reacquisitions(seen: Seen) -> list[bool]:
    """For each claim that follows a ``LOST``: whether the box is on the target."""
    found, is_lost = [], False
    for visible, absent, overlap in zip(seen.claims.visible, seen.claims.absent, seen.overlap, strict=True):
        if visible and is_lost:
            found.append(bool(overlap >= OFF_TARGET))
        is_lost = bool(absent) or (is_lost and not visible)
    return found
