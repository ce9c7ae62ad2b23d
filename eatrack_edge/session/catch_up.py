"""From the frame that a target was selected on to the newest one, while more frames come."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from eatrack_edge.session.history import History
from eatrack_edge.sources.feed import LiveFrame

_INIT_UPDATES = 2  # `Tracker.init` takes about as long as so many updates


class CatchUpStep(NamedTuple):
    """From the frame that the target was looked for in last to the next."""

    shown: LiveFrame  # to look for it in
    way: list[NDArray[np.uint8]]  # pictures from the one to the other; empty where none is skipped


class CatchUp:
    """Chooses which of the frames held to track in, so that the newest is reached within a time.

    The steps are even in capture time: what the target does in one of them decides whether it is still found, and one
    long step loses it. From the time that the updates took so far follows how many more there will be, and so how
    long a step must be. Where there is time for every frame, none is skipped.

    Args:
        history: Frames are added to it meanwhile.
        start: The frame that the target was selected on.
        started_ns: When the selection was carried out, before the tracker began, on the clock of
            ``LiveFrame.captured_ns``.
        within_ns: Time from then to the newest frame.
    """

    def __init__(self, history: History, start: LiveFrame, started_ns: int, within_ns: int) -> None:
        self._history, self._at = history, start
        self._started_ns, self._deadline_ns = started_ns, started_ns + within_ns
        self._updates = _INIT_UPDATES

    @property
    def is_done(self) -> bool:
        """Whether the newest frame was reached."""
        return self._at.index >= self._history.numbers()[-1]

    def next(self, now_ns: int) -> CatchUpStep:
        """The next frame to track in, and the way there; there is one while ``is_done`` is false.

        Args:
            now_ns: The time, on the same clock.
        """
        an_update_ns = (now_ns - self._started_ns) / self._updates
        updates_left = max(1.0, (self._deadline_ns - now_ns) / max(an_update_ns, 1.0))
        step_ns = (max(self._deadline_ns, now_ns) - self._at.captured_ns) / updates_left
        self._updates += 1
        last = self._at
        self._at = self._history.nearest_after(last.index, last.captured_ns + round(step_ns))
        if self._at.index == last.index + 1:
            return CatchUpStep(self._at, [])
        held = self._history.between(last.index, self._at.index)
        return CatchUpStep(self._at, [last.frame, *held, self._at.frame])
