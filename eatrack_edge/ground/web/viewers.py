"""Those who watch the page: what each was sent, and which of them commands."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import OrderedDict, deque

from eatrack_edge.ground.web.pictures import WIDTHS
from eatrack_edge.session.events import FrameEvent

MOST_PAGES, MOST_PLAYERS = 12, 4
CREDITS = 2  # pictures on their way to a page; with one, the link idles while the page draws
_FRAMES_REMEMBERED = 1024  # that a selection may name: half a minute of pictures
_NOTICES = 32
_COMMANDS_A_SECOND, _COMMAND_BURST = 5.0, 10.0


class Viewer:
    """One connection.

    Nothing queues up for it: it has a slot for the newest numbers, one for the newest picture (the frame that all
    viewers share), and a few notices, of which the oldest go first.

    Attributes:
        number: Counted from 1; what other viewers see.
        address: The IP address that it came from.
        width: Pixels that it has for the picture.
        wake: Set when there may be something to send.
        notices: To be sent as they are.
        telemetry: The newest numbers, to be sent as they are; ``None`` once they are sent.
        pictures: Sent so far.
    """

    def __init__(self, number: int, address: str) -> None:
        self.number, self.address = number, address
        self.width = WIDTHS[0]
        self.wake = asyncio.Event()
        self.notices: deque[str] = deque(maxlen=_NOTICES)
        self.telemetry: str | None = None
        self.pictures = 0
        self._last: FrameEvent | None = None
        self._unacknowledged: set[int] = set()
        self._frame_sizes: OrderedDict[int, tuple[int, int]] = OrderedDict()
        self._tokens, self._filled_s = _COMMAND_BURST, time.monotonic()

    def tell(self, notice: str) -> None:
        """Send a text message as soon as the connection takes it."""
        self.notices.append(notice)
        self.wake.set()

    def is_due(self, event: FrameEvent) -> bool:
        """Whether it can be sent a picture of this frame."""
        return event is not self._last and len(self._unacknowledged) < CREDITS

    def sends(self, event: FrameEvent) -> int:
        """Note that it is sent a frame's picture; the number of the picture."""
        self.pictures += 1
        self._last = event
        self._unacknowledged.add(self.pictures)
        height, width = event.shown.frame.shape[:2]
        self._frame_sizes[event.shown.index] = (width, height)
        if len(self._frame_sizes) > _FRAMES_REMEMBERED:
            self._frame_sizes.popitem(last=False)
        return self.pictures

    def acknowledge(self, picture: int) -> bool:
        """Give a credit back; whether the picture was waited for."""
        if picture not in self._unacknowledged:
            return False
        self._unacknowledged.discard(picture)
        self.wake.set()
        return True

    def frame_size(self, number: int) -> tuple[int, int] | None:
        """(width, height) of a frame that it was sent lately; ``None`` of any other."""
        return self._frame_sizes.get(number)

    def may_command(self) -> bool:
        """Whether a command comes no faster than a person gives them; counts it."""
        now_s = time.monotonic()
        self._tokens = min(_COMMAND_BURST, self._tokens + (now_s - self._filled_s) * _COMMANDS_A_SECOND)
        self._filled_s = now_s
        if self._tokens < 1:
            return False
        self._tokens -= 1
        return True


class Viewers:
    """Everyone who watches; at most one of them commands. Used in the server's loop alone."""

    def __init__(self) -> None:
        self.pages: list[Viewer] = []
        self.players: list[Viewer] = []
        self.commander: Viewer | None = None
        self.pictures_sent = 0
        self._numbers = itertools.count(1)

    def open_page(self, address: str) -> Viewer | None:
        """A new page, which commands if nobody does; ``None`` where there are too many."""
        if len(self.pages) >= MOST_PAGES:
            return None
        viewer = Viewer(next(self._numbers), address)
        self.pages.append(viewer)
        if self.commander is None:
            self.commander = viewer
        return viewer

    def has_room_for_player(self) -> bool:
        """Whether another player of the stream may come."""
        return len(self.players) < MOST_PLAYERS

    def open_player(self) -> Viewer:
        """A new player of the stream."""
        viewer = Viewer(0, "")
        self.players.append(viewer)
        return viewer

    def leave(self, viewer: Viewer) -> None:
        """It is gone. Its control is free for whoever takes it: nobody gets it unasked."""
        for those in (self.pages, self.players):
            if viewer in those:
                those.remove(viewer)
        self.release(viewer)

    def take(self, viewer: Viewer) -> None:
        """It commands from now on. A pilot must always be able to: the one before may have lost its link."""
        self.commander = viewer

    def release(self, viewer: Viewer) -> None:
        """It commands no more."""
        if self.commander is viewer:
            self.commander = None

    def wake(self) -> None:
        """There is a new frame."""
        for viewer in (*self.pages, *self.players):
            viewer.wake.set()

    def tell(self, notice: str) -> None:
        """Send a text message to every page."""
        for viewer in self.pages:
            viewer.tell(notice)

    def show(self, telemetry: str) -> None:
        """Put the newest numbers in place of those that were not sent yet."""
        for viewer in self.pages:
            viewer.telemetry = telemetry
            viewer.wake.set()

    def table(self) -> dict[str, object]:
        """Who watches and who commands."""
        return {
            "commander": self.commander.number if self.commander else None,
            "pages": [{"number": viewer.number, "address": viewer.address} for viewer in self.pages],
            "players": len(self.players),
        }
