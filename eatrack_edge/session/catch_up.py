"""From the frame that a target was selected on to the newest one, while more frames come."""

from __future__ import annotations

from eatrack_edge.session.history import History
from eatrack_edge.sources.feed import LiveFrame


class CatchUp:
    """Chooses which of the frames held to track in, so that the newest is reached in a few updates.

    Frames are skipped evenly: those that were behind at the start share the updates, and as many more are skipped as
    came since the last update. A tracker that went through the frames behind alone would meet a gap at their end, of
    all that came meanwhile.

    Args:
        history: Frames are added to it meanwhile.
        start: The frame that the target was selected on.
        updates: Most updates to take.
    """

    def __init__(self, history: History, start: LiveFrame, updates: int) -> None:
        self._history = history
        behind = [number for number in history.numbers() if number > start.index]
        self._at, self._newest = start.index, behind[-1] if behind else start.index
        self._step = -(-len(behind) // updates)

    @property
    def is_done(self) -> bool:
        """Whether the newest frame was reached."""
        return self._at >= self._history.numbers()[-1]

    def next(self) -> LiveFrame:
        """The next frame to track in; there is one while ``is_done`` is false."""
        later = [number for number in self._history.numbers() if number > self._at]
        arrived = sum(number > self._newest for number in later)
        self._at, self._newest = later[min(self._step + arrived, len(later)) - 1], later[-1]
        shown = self._history.at(self._at)
        assert shown is not None  # its number is of one that is held
        return shown
