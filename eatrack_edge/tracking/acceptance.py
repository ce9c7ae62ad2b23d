"""Acceptance: whether what the search region shows is followed.

The less likely its place, the more has to speak for it, because the confidence alone errs both ways. A blurred target
that has not moved may have a low one, and the verifier still knows it. And while the target is covered, the network
gives a neighbour a high one, and the verifier does not know it. (28 development videos, frames of low confidence: log
odds of -0.7 in the median where the target is in its place, -4.8 where it has left, -4.2 where it is covered.)
"""

from __future__ import annotations

import math

_IN_PLACE = 0.5  # sides from where it is expected, below which it has not moved
_STILL_KNOWN = -1.5  # log odds of the verifier; 119 of 136 such boxes of low confidence were on the target
_AWAY = 0.7  # sides from there, from which another object is as likely
_LIKELIER_THAN_NOT = 0.0  # log odds; 10 of 13 boxes with less, that far away after a doubt, were another object
# Times its longest step lately: farther away it has to be likelier than not, very far away clearly so.
# From 3 times on, or at log odds of 3, right jumps were refused as well (docs/states_measured.md).
_FAR, _VERY_FAR = 2.0, 4.0
_CLEARLY_LIKELIER = 1.0  # log odds


def is_known_in_place(sides: float, log_odds: float) -> bool:
    """Whether the verifier still knows a target that has not moved, however low the confidence.

    Args:
        sides: Of the target, from where it is expected.
        log_odds: That it is the target, by the verifier.
    """
    return sides < _IN_PLACE and log_odds >= _STILL_KNOWN


def needed_log_odds(sides: float, times_longest: float, *, is_doubtful: bool) -> float:
    """Log odds of the verifier below which it is another object, however high the confidence.

    Args:
        sides: Of the target, from where it is expected.
        times_longest: The same in units of its longest step lately, see ``Pace``.
        is_doubtful: Whether the target was not to be seen a moment ago.
    """
    if sides < _AWAY:
        return -math.inf
    if times_longest > _VERY_FAR:
        return _CLEARLY_LIKELIER
    return _LIKELIER_THAN_NOT if is_doubtful or times_longest > _FAR else -math.inf
