"""The log of a live session: every event as a line of JSON."""

from __future__ import annotations

from dataclasses import asdict

from eatrack_edge.outputs.live_jsonl import LiveJsonLines
from eatrack_edge.session.events import (
    EndEvent,
    Event,
    FrameEvent,
    OutputFailedEvent,
    SelectionEvent,
    SourceFoundEvent,
    SourceLostEvent,
    StateEvent,
)

_TYPES = {
    StateEvent: "state",
    SourceLostEvent: "source_lost",
    SourceFoundEvent: "source_found",
    SelectionEvent: "selection",
    OutputFailedEvent: "output_failed",
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
        if isinstance(event, FrameEvent):
            self._file.write_frame(event.record, event.shown.captured_ns, event.age_ms)
        elif isinstance(event, EndEvent):
            self._file.write_line({"type": "summary", **event.summary})
        else:
            self._file.write_line({"type": _TYPES[type(event)], **asdict(event)})

    def finish(self, error: BaseException | None) -> None:
        """Close the file."""
        self._file.finish(error)
