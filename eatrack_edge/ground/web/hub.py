"""What the routes of the ground station share: the newest frame, the numbers, the viewers, the way to the session."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path

from eatrack_edge.ground.web.held_templates import HeldTemplates
from eatrack_edge.ground.web.messages import text
from eatrack_edge.ground.web.pictures import Pictures
from eatrack_edge.ground.web.telemetry import Board, Telemetry, finite, plain_box
from eatrack_edge.ground.web.viewers import Viewers
from eatrack_edge.machine.power import read_rails, total_watts
from eatrack_edge.machine.thermal import read_temperatures
from eatrack_edge.session.commands import Command, Selection, new_selection_id
from eatrack_edge.session.events import (
    EndEvent,
    Event,
    FrameEvent,
    OutputFailedEvent,
    RestoreEvent,
    SelectionEvent,
    StateEvent,
)
from eatrack_edge.session.histogram import Histogram

_TELEMETRY_S = 0.2
_BOARD_S = 2.0
_MOST_ASKED = 64  # selections that the session has not answered


class Hub:
    """Takes the events in the session's thread, and serves the routes in the server's.

    Args:
        command: Takes a command to the session.
        telemetry: Counts the same events.
        templates: Of the tracker; followed here.
        log: The session's log, which viewers may download.
        on_failure: Called where something fails that should not; the flight goes on.
    """

    def __init__(
        self,
        command: Callable[[Command], None],
        telemetry: Telemetry,
        templates: HeldTemplates,
        log: Path | None,
        on_failure: Callable[[OutputFailedEvent], None],
    ) -> None:
        self.command, self.telemetry, self.templates, self.log = command, telemetry, templates, log
        self.viewers, self.pictures = Viewers(), Pictures()
        self.newest: FrameEvent | None = None
        self.page_ages_ms = Histogram()
        self.is_closing = False
        self._on_failure = on_failure
        self._is_reported = False
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_wake_due = False
        self._asked: OrderedDict[int, tuple[int, int]] = OrderedDict()  # (viewer, its id) by the session's id

    def select(self, selection: Selection, viewer: int, number: int) -> None:
        """Give a viewer's selection to the session, in the server's thread.

        Args:
            selection: The selection.
            viewer: Number of the viewer.
            number: The viewer's own id of it; the answer to all viewers names both.
        """
        asked = new_selection_id()
        self._asked[asked] = viewer, number
        if len(self._asked) > _MOST_ASKED:
            self._asked.popitem(last=False)
        self.command(selection._replace(id=asked))

    def offer(self, event: Event) -> None:
        """Take an event, in the session's thread."""
        self.telemetry.offer(event)
        if isinstance(event, FrameEvent):
            self.newest = event
        if isinstance(event, (FrameEvent, RestoreEvent, SelectionEvent)):
            self.templates.read(is_new_target=isinstance(event, SelectionEvent) and not event.is_refused)
        if isinstance(event, FrameEvent):
            if not self._is_wake_due:  # a server that is busy is woken once
                self._is_wake_due = True
                self._soon(self._wake)
        elif isinstance(event, (SelectionEvent, RestoreEvent, StateEvent, EndEvent)):
            self._soon(self._announce, event)

    def close(self) -> None:
        """End the streams; from any thread."""
        self.is_closing = True
        self._soon(self.viewers.wake)

    def report(self, error: BaseException) -> None:
        """Say once that something failed."""
        if not self._is_reported:
            self._is_reported = True
            self._on_failure(OutputFailedEvent("web", repr(error), time.monotonic_ns()))

    async def run(self) -> None:
        """Send the numbers five times a second, and read the sensors now and then, until cancelled."""
        self._loop = asyncio.get_running_loop()
        board = asyncio.create_task(self._read_board())
        try:
            while True:
                self.show_telemetry()
                await asyncio.sleep(_TELEMETRY_S)
        except Exception as error:
            self.report(error)
        finally:
            board.cancel()
            self._loop = None
            self.pictures.close()

    def status(self) -> dict[str, object]:
        """The numbers of this moment with the viewers."""
        templates = {"version": self.templates.version, "count": self.templates.count}
        return {
            **self.telemetry.snapshot(),
            "templates": templates,
            "has_log": self.log is not None,
            "viewers": self.viewers.table(),
            "page_age_ms_p95": finite(self.page_ages_ms.quantile(0.95)),
        }

    async def _read_board(self) -> None:
        while True:
            self.telemetry.board = await asyncio.to_thread(_board)
            await asyncio.sleep(_BOARD_S)

    def _wake(self) -> None:
        self._is_wake_due = False
        self.viewers.wake()

    def _announce(self, event: Event) -> None:
        if isinstance(event, SelectionEvent):
            viewer, number = self._asked.pop(event.id or 0, (None, None))
            values = {"frame": event.frame, "box": plain_box(event.box), "reason": event.reason}
            self.viewers.tell(text("selection", viewer=viewer, id=number, is_refused=event.is_refused, **values))
        elif isinstance(event, RestoreEvent):
            values = {"number": event.number, "is_refused": event.is_refused, "reason": event.reason}
            self.viewers.tell(text("restored", **values))
        elif isinstance(event, EndEvent):
            self.viewers.tell(text("end", ended=str(event.summary.get("ended", ""))))
        self.show_telemetry()

    def show_telemetry(self) -> None:
        """Send the numbers to every page, in the server's thread."""
        if self.viewers.pages:
            self.viewers.show(text("telemetry", **self.status()))

    def _soon(self, call: Callable[..., None], *arguments: object) -> None:
        loop = self._loop
        if loop is None:
            self._is_wake_due = False
            return
        try:
            loop.call_soon_threadsafe(call, *arguments)
        except RuntimeError:  # the server has just ended
            return


def _board() -> Board:
    return Board(read_temperatures(), total_watts(read_rails()))
