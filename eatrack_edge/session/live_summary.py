"""The summary of a live session, in constant memory however long it flies."""

from __future__ import annotations

import time

import numpy as np

from eatrack_edge.session.events import WAITING, Event, FrameEvent, OutputFailedEvent, SourceLostEvent


class Percentiles:
    """Percentiles of values that are not kept: they are counted in steps.

    Args:
        step: Width of a step; a percentile is right to one.
        limit: Values from here on count as this.
    """

    def __init__(self, step: float, limit: float) -> None:
        self._step = step
        self._counts = np.zeros(round(limit / step) + 1, np.int64)

    def add(self, value: float) -> None:
        """Count a value of at least 0."""
        self._counts[min(int(value / self._step), len(self._counts) - 1)] += 1

    def at(self, percent: float) -> float | None:
        """The value that so many per cent are not above; ``None`` where nothing was counted."""
        total = int(self._counts.sum())
        if not total:
            return None
        place = int(np.searchsorted(np.cumsum(self._counts), percent / 100 * total))
        return (place + 0.5) * self._step


class LiveSummary:
    """Counts of a live session; a listener."""

    def __init__(self) -> None:
        self._start_ns = time.monotonic_ns()
        self._ages_ms, self._updates_ms = Percentiles(1, 20_000), Percentiles(0.1, 2_000)
        self.frames = self.tracked_frames = self.dropped = self.source_losses = self.failed_outputs = 0
        self._states: dict[str, int] = {}

    def offer(self, event: Event) -> None:
        """Count an event."""
        if isinstance(event, FrameEvent):
            record = event.record
            self.frames += 1
            self.dropped += record.dropped
            self._states[record.state] = self._states.get(record.state, 0) + 1
            self._ages_ms.add(event.age_ms)
            if "total" in record.ms:
                self.tracked_frames += 1
                self._updates_ms.add(record.ms["total"])
        self.source_losses += isinstance(event, SourceLostEvent)
        self.failed_outputs += isinstance(event, OutputFailedEvent)

    def table(self, ended: str) -> dict[str, object]:
        """The session in numbers; what was not measured is not in it.

        Args:
            ended: Why it ended, in words.
        """
        wall_s = (time.monotonic_ns() - self._start_ns) / 1e9
        table: dict[str, object] = {"ended": ended, "frames": self.frames, "dropped": self.dropped}
        table |= {"source_losses": self.source_losses, "failed_outputs": self.failed_outputs}
        table |= {_name_of(state): count for state, count in self._states.items() if state != WAITING}
        table |= {"wall_s": round(wall_s, 3), "fps": round(self.frames / wall_s, 2)}
        for name, values in (("age", self._ages_ms), ("update", self._updates_ms)):
            for percent in (50, 95):
                if (value := values.at(percent)) is not None:
                    table[f"{name}_ms_p{percent}"] = round(value, 2)
        return table


def _name_of(state: str) -> str:
    """What the frames of a state are called; those of ``LOST`` as ``track`` calls them, where others are damaged."""
    return "target_lost_frames" if state == "LOST" else f"{state.lower()}_frames"
