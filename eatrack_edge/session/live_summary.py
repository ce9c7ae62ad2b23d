"""The summary of a live session, in constant memory however long it flies."""

from __future__ import annotations

import math
import time

from eatrack_edge.session.events import WAITING, Event, FrameEvent, SourceLostEvent
from eatrack_edge.session.histogram import Histogram


class LiveSummary:
    """Counts of a live session; a listener.

    Ages and updates are of the frames that were given to the tracker: any other has its result as soon as it comes.
    """

    def __init__(self) -> None:
        self._start_ns = time.monotonic_ns()
        self._ages_ms, self._updates_ms = Histogram(), Histogram()
        self.frames = self.tracked_frames = self.dropped = self.source_losses = 0
        self._states: dict[str, int] = {}

    def offer(self, event: Event) -> None:
        """Count an event."""
        if isinstance(event, FrameEvent):
            record = event.record
            self.frames += 1
            self.dropped += record.dropped
            self._states[record.state] = self._states.get(record.state, 0) + 1
            if "total" in record.ms:
                self.tracked_frames += 1
                self._ages_ms.add(event.age_ms)
                self._updates_ms.add(record.ms["total"])
        self.source_losses += isinstance(event, SourceLostEvent) and event.was_found

    def table(self, ended: str) -> dict[str, object]:
        """The session in numbers; what was not measured is not in it.

        Args:
            ended: Why it ended, in words.
        """
        wall_s = (time.monotonic_ns() - self._start_ns) / 1e9
        table: dict[str, object] = {"ended": ended, "frames": self.frames, "dropped": self.dropped}
        table["source_losses"] = self.source_losses
        table |= {_name_of(state): count for state, count in self._states.items() if state != WAITING}
        table |= {"wall_s": round(wall_s, 3), "fps": round(self.frames / wall_s, 2)}
        for name, values in (("age", self._ages_ms), ("update", self._updates_ms)):
            for percent in (50, 95):
                if math.isfinite(value := values.quantile(percent / 100)):
                    table[f"{name}_ms_p{percent}"] = round(value, 2)
        return table


def _name_of(state: str) -> str:
    """What the frames of a state are called; those of ``LOST`` as ``track`` calls them, where others are damaged."""
    return "target_lost_frames" if state == "LOST" else f"{state.lower()}_frames"
