"""The log of a live session: every event as a line of JSON."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict

from eatrack_edge.outputs.live_jsonl import LiveJsonLines, live_frame_line
from eatrack_edge.session.continuity import size_change
from eatrack_edge.session.events import (
    EndEvent,
    Event,
    FrameEvent,
    OutputFailedEvent,
    RestoreEvent,
    SelectionEvent,
    SourceFoundEvent,
    SourceLostEvent,
    StateEvent,
    StationEvent,
    VehicleClockEvent,
)

_TYPES = {
    StateEvent: "state",
    SourceLostEvent: "source_lost",
    SourceFoundEvent: "source_found",
    SelectionEvent: "selection",
    RestoreEvent: "restore",
    OutputFailedEvent: "output_failed",
    StationEvent: "station",
    VehicleClockEvent: "vehicle_clock",
}


class EventLog:
    """Writes events to a JSON lines file; an output of ``OutputThread``.

    Args:
        file: Finished with the log.
        lines: Of the log that this one goes on with; ``None`` begins anew.
    """

    def __init__(self, file: LiveJsonLines, lines: EventLines | None = None) -> None:
        self._file, self._lines = file, lines or EventLines()

    def take(self, event: Event) -> None:
        """Append an event."""
        for line in self._lines.of(event):
            self._file.write_line(line)

    def finish(self, error: BaseException | None) -> None:
        """Close the file."""
        self._file.finish(error)


class EventLines:
    """Makes the objects of a log: one for each event, and one before a frame of another size than the frame before.

    Attributes:
        size: (width, height) of the newest frame, pixels; ``None`` before the first.
    """

    def __init__(self) -> None:
        self.size: tuple[int, int] | None = None

    def of(self, event: Event) -> Iterator[dict[str, object]]:
        """The objects of an event."""
        if isinstance(event, FrameEvent):
            shown, before = event.shown, self.size
            self.size = shown.size
            if before is not None and before != shown.size:
                yield size_change(before, shown).to_line()
        yield event_line(event)


def event_line(event: Event) -> dict[str, object]:
    """An event as an object of the log."""
    if isinstance(event, FrameEvent):
        return live_frame_line(event.record, event.shown.captured_ns, event.age_ms)
    if isinstance(event, EndEvent):
        return {"type": "summary", **event.summary}
    return {"type": _TYPES[type(event)], **asdict(event)}
