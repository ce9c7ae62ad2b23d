"""An output in a thread of its own: whatever it does, it cannot delay the tracker."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Protocol

from eatrack_edge.core.mailbox import Mailbox
from eatrack_edge.outputs.base import Output
from eatrack_edge.outputs.overlay import annotate
from eatrack_edge.session.events import Event, FrameEvent, OutputFailedEvent


class EventOutput(Protocol):
    """Takes the events of a live session, in one thread."""

    def take(self, event: Event) -> None:
        """Write or show an event.

        Raises:
            OutputError: It cannot be written.
        """
        ...

    def finish(self, error: BaseException | None) -> None:
        """Close at the end; see ``outputs.base.Output``."""
        ...


class FileOutputs:
    """An output of files as one of events: it gets the frames, with a picture where it needs one.

    Args:
        output: Such as a video or a CSV file.
    """

    def __init__(self, output: Output) -> None:
        self._output = output

    def take(self, event: Event) -> None:
        """Write a frame; the picture is drawn on a copy, so that the tracker never sees the box."""
        if isinstance(event, FrameEvent):
            picture = annotate(event.shown.frame, event.record) if self._output.needs_picture else None
            self._output.write(event.record, picture)

    def finish(self, error: BaseException | None) -> None:
        """Finish the file."""
        self._output.finish(error)


class OutputThread:
    """Runs an output behind a mailbox: a slow one misses frames, which are counted, and never the other events.

    Args:
        output: Used by this thread alone from now on.
        name: For messages.
        on_failure: Called from the thread, once, when the output failed.
        capacity: Frames that may wait. 1 for what shows pictures; a log that must not miss a frame for a short
            stall takes more.
    """

    def __init__(
        self, output: EventOutput, name: str, on_failure: Callable[[OutputFailedEvent], None], *, capacity: int = 1
    ) -> None:
        self.name = name
        self._output = output
        self._on_failure = on_failure
        self._mailbox: Mailbox[Event] = Mailbox(capacity)
        self._thread = threading.Thread(target=self._run, name=f"output {name}", daemon=True)
        self._thread.start()

    @property
    def dropped(self) -> int:
        """Frames that the output was too slow for."""
        return self._mailbox.dropped

    def offer(self, event: Event) -> None:
        """Hand over an event without waiting."""
        self._mailbox.put(event, is_notice=not isinstance(event, FrameEvent))

    def close(self, timeout_s: float = 5.0) -> bool:
        """Let the output write what waits and finish; whether it did so in time. One that is stuck is left behind."""
        self._mailbox.close()
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            while (event := self._mailbox.get(None)) is not None:
                self._output.take(event)
            self._output.finish(None)
        except BaseException as error:  # a full disk, an output's bug, a library that exits: none may end the flight
            self._mailbox.close()
            reason = getattr(error, "message", None) or repr(error)
            self._on_failure(OutputFailedEvent(self.name, reason, time.monotonic_ns()))
            self._release(error)

    def _release(self, error: BaseException) -> None:
        try:
            self._output.finish(error)
        except BaseException:  # the first failure was reported
            return
