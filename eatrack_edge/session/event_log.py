"""The log of a live session: every event as a line of JSON."""

from __future__ import annotations

from dataclasses import asdict

from eatrack_edge.outputs.live_jsonl import LiveJsonLines, live_frame_line
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
    """

    def __init__(self, file: LiveJsonLines) -> None:
        self._file = file

    def take(self, event: Event) -> None:
        """Append an event."""
        self._file.write_line(event_line(event))

    def finish(self, error: BaseException | None) -> None:
        """Close the file."""
        self._file.finish(error)


def event_line(event: Event) -> dict[str, object]:
    """An event as an object of the log."""
    if isinstance(event, FrameEvent):
        return live_frame_line(event.record, event.shown.captured_ns, event.age_ms)
    if isinstance(event, EndEvent):
        return {"type": "summary", **event.summary}
    return {"type": _TYPES[type(event)], **asdict(event)}
