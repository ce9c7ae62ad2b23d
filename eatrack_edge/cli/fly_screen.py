"""What ``eatrack-edge fly`` prints while it flies, a line for each change."""

from __future__ import annotations

import math
import time

from eatrack_edge.session.events import (
    Event,
    FrameEvent,
    OutputFailedEvent,
    RestoreEvent,
    SelectionEvent,
    SourceFoundEvent,
    SourceLostEvent,
    StateEvent,
    StationEvent,
)

_STATUS_S = 5.0  # between two lines of status where nothing else happens


class Screen:
    """Prints each change as a line, and a status now and then; an output of ``OutputThread``.

    Args:
        uri: Of the source, without a password.
    """

    def __init__(self, uri: str) -> None:
        self._uri = uri
        self._start_ns = time.monotonic_ns()
        self._printed_ns = self._start_ns

    def take(self, event: Event) -> None:
        """Print an event, unless it is a frame soon after the last line."""
        if text := self._text(event):
            self._printed_ns = time.monotonic_ns()
            print(f"{(self._printed_ns - self._start_ns) / 1e9:8.1f} s  {text}", flush=True)

    def _text(self, event: Event) -> str:
        if isinstance(event, FrameEvent):
            record = event.record
            is_due = time.monotonic_ns() - self._printed_ns >= 1e9 * _STATUS_S
            confidence = "" if math.isnan(record.confidence) else f"  confidence {record.confidence:.2f}"
            return f"{record.state}  frame {record.frame}{confidence}  age {event.age_ms:.0f} ms" if is_due else ""
        if isinstance(event, StateEvent):
            return f"{event.state}  frame {event.frame}" + (f"  ({event.reason})" if event.reason else "")
        if isinstance(event, SourceLostEvent):
            what = "SOURCE LOST " if event.was_found else f"SOURCE NOT FOUND  {self._uri}:"
            return f"{what} {event.reason}; trying again"
        if isinstance(event, SourceFoundEvent):
            size = f"{event.size[0]}x{event.size[1]}  " if event.size else ""
            after = f"after {event.outage_s:.1f} s  " if event.was_found else ""
            return f"SOURCE FOUND  {after}{size}{event.description}"
        if isinstance(event, SelectionEvent):
            return f"selection refused: {event.reason}" if event.is_refused else ""
        if isinstance(event, RestoreEvent):
            return f"template {event.number} " + (f"not restored: {event.reason}" if event.is_refused else "restored")
        if isinstance(event, StationEvent):
            return event.text
        return f"OUTPUT FAILED  {event.output}: {event.reason}" if isinstance(event, OutputFailedEvent) else ""

    def finish(self, error: BaseException | None) -> None:
        """Nothing to close."""
