"""The state of a track: what the tracker claims about its target in a frame."""

from __future__ import annotations

from enum import Enum


class TrackState(str, Enum):
    """State of a track after an update.

    >>> TrackState.UNCERTAIN == "UNCERTAIN", f"{TrackState.UNCERTAIN}"
    (True, 'UNCERTAIN')
    """

    TRACKING = "TRACKING"  # the confidence is high enough: the box is the target's
    # The confidence is low. It does not claim that the target is lost. The box is the last reliable one where the
    # model's confidence is calibrated, and the box found in this frame where it is not.
    UNCERTAIN = "UNCERTAIN"

    def __str__(self) -> str:
        return self.value


class Lifecycle:
    """Decides the state of each frame.

    Args:
        minimum_confidence: Confidence below which the state is ``UNCERTAIN``.
    """

    def __init__(self, minimum_confidence: float) -> None:
        self._minimum_confidence = minimum_confidence

    def observe(self, confidence: float) -> TrackState:
        """The state after a frame with this confidence, [0, 1]."""
        return TrackState.TRACKING if confidence >= self._minimum_confidence else TrackState.UNCERTAIN
