"""The life cycle of a track: what the tracker claims about its target in a frame, and why that changed.

One frame proves nothing either way: an empty place may score high once, and a clear target low once. So each claim has
to be earned by several frames, and is withdrawn more readily than it is made again (hysteresis).

```text
TRACKING --low confidence, or a cut--> UNCERTAIN --for lost_after frames--> LOST
   ^                                       |                                 |  ^
   |<-- resume_confidence (after a cut: verified)                     verified  doubted
   +--------------------- next frame ---------------- REACQUIRED <-----------+  |
   +-- on probation --------------------------------------------------------- --+
```

Of those frames, the ones in which the verifier knows the target in its place do not count.

Verified is a target that was found again by ``Reacquisition``. The confidence alone does not do: it asks which place in
the search region is most like the target, and on a picture without the target a network may answer with 0.8.

The life cycle reports; it never moves a box.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from enum import Enum
from typing import NamedTuple

from eatrack_edge.core.reasons import beside_limit
from eatrack_edge.tracking.settings import LifecycleSettings


class TrackState(str, Enum):
    """State of a track after an update.

    >>> TrackState.UNCERTAIN == "UNCERTAIN", f"{TrackState.UNCERTAIN}"
    (True, 'UNCERTAIN')
    """

    TRACKING = "TRACKING"  # the confidence is high enough: the box is the target's
    # The confidence is low, or was so a moment ago. It does not claim that the target is lost. The box is the last
    # reliable one where the model's confidence is calibrated, and the box found in this frame where it is not.
    UNCERTAIN = "UNCERTAIN"
    LOST = "LOST"  # the confidence has been low for long: no box is claimed, and the search goes on
    REACQUIRED = "REACQUIRED"  # the first frame in which a lost target is claimed again; the next one is TRACKING

    def __str__(self) -> str:
        return self.value

    @property
    def is_target_visible(self) -> bool:
        """Whether a box is claimed: in every state but ``LOST``."""
        return self is not TrackState.LOST


class StateChange(NamedTuple):
    """A change of state.

    Attributes:
        frame_index: Frames since ``init``, of the first frame in the new state.
        before: The state until then.
        state: The new state.
        reason: Why, in words.
        evidence: What it was decided by, numbers by name; ``confidence`` is always there.
    """

    frame_index: int
    before: TrackState
    state: TrackState
    reason: str
    evidence: Mapping[str, float]

    def to_record(self) -> dict[str, object]:
        """What a log says of it beside the frame's number and state."""
        evidence = {name: round(value, 5) for name, value in self.evidence.items()}
        return {"before": str(self.before), "reason": self.reason, "evidence": evidence}


class Lifecycle:
    """Decides the state of each frame of one target.

    Args:
        settings: When the state changes.
        minimum_confidence: Confidence below which a frame counts as low, see ``TrackerSettings``.
        is_calibrated: Whether the confidence is a probability. If not, it may be low on a clear target, so the target
            is never called ``LOST``.

    Attributes:
        state: Of the newest frame; ``TRACKING`` before the first, because the target was given.
    """

    def __init__(self, settings: LifecycleSettings, minimum_confidence: float, *, is_calibrated: bool) -> None:
        self.state = TrackState.TRACKING
        self._minimum_confidence = minimum_confidence
        # Leaving a doubt never takes less than entering it.
        self._resume_confidence = max(settings.resume_confidence, minimum_confidence)
        self._lost_after = settings.lost_after
        self._is_calibrated = is_calibrated
        self._low_frames = 0  # without a target that is known, since the state was last TRACKING
        self._is_cut = False  # and the target has not been found since

    @property
    def is_confirmed(self) -> bool:
        """Whether the target is known to be in the box: only then may a template be taken from it."""
        return self.state is TrackState.TRACKING

    def observe(
        self,
        frame_index: int,
        confidence: float,
        log_odds: float,
        *,
        is_known: bool = False,
        is_cut: bool = False,
        is_found: bool = False,
        note: str = "",
    ) -> StateChange | None:
        """Count a frame.

        Args:
            frame_index: Frames since ``init``.
            confidence: Of the frame, [0, 1].
            log_odds: That what was found is the target, by the verifier.
            is_known: Whether the verifier knows what is in the target's place: then it is not on the way to be lost.
            is_cut: Whether a cut lies between the frame before and this one.
            is_found: Whether the target was found again, and verified, in this frame.
            note: Why the frame gave no evidence; empty otherwise.

        Returns:
            The change of state; ``None`` where it stays.
        """
        self._is_cut = (self._is_cut or is_cut) and not is_found
        after, reason = self._next(confidence, log_odds, is_known=is_known, is_found=is_found)
        return self._change(frame_index, after, f"{reason}: {note}" if note else reason, confidence, log_odds)

    def take_back(self, frame_index: int, confidence: float, log_odds: float) -> StateChange | None:
        """Withdraw the claim: what was accepted is not the target, see ``observe``."""
        reason = "taken back: on probation it proved unlike the target"
        return self._change(frame_index, TrackState.LOST, reason, confidence, log_odds)

    def _change(
        self, frame_index: int, after: TrackState, reason: str, confidence: float, log_odds: float
    ) -> StateChange | None:
        if after is TrackState.TRACKING:
            self._low_frames = 0
        if after is self.state:
            return None
        evidence = {"confidence": confidence, "log_odds": log_odds, "low_frames": self._low_frames}
        change = StateChange(frame_index, self.state, after, reason, evidence | {"cut": float(self._is_cut)})
        self.state = after
        return change

    def _next(self, confidence: float, log_odds: float, *, is_known: bool, is_found: bool) -> tuple[TrackState, str]:
        """The state after this frame, and why."""
        if is_found:
            verified = f"verified: odds of {math.exp(log_odds):.0f} to 1 that it is the target"
            return (TrackState.REACQUIRED if self.state is TrackState.LOST else TrackState.TRACKING), verified
        if self.state is TrackState.LOST:
            return TrackState.LOST, ""
        enough = self._resume_confidence if self.state is TrackState.UNCERTAIN else self._minimum_confidence
        if confidence >= enough and not self._is_cut:
            return TrackState.TRACKING, f"confidence {beside_limit(confidence, enough)} >= {enough:g}"
        self._low_frames += not is_known
        if self._low_frames >= self._lost_after and self._is_calibrated:
            return TrackState.LOST, f"confidence below {enough:g} in {_frames(self._low_frames)}"
        if self._is_cut:
            return TrackState.UNCERTAIN, "a cut: the whole picture changed"
        limit = self._minimum_confidence
        return TrackState.UNCERTAIN, f"confidence {beside_limit(confidence, limit)} < {limit:g}"


def _frames(count: int) -> str:
    return f"{count} frame" + "s" * (count != 1)
