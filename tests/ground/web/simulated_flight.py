"""A live session with its ground station on a free port: a camera of test pictures, and a tracker without a network."""

from __future__ import annotations

import json
import struct
import threading
import time
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from websockets.sync.client import ClientConnection, connect

from eatrack_edge.ground.web.station import WebStation
from eatrack_edge.ground.web.web_address import WebAddress
from eatrack_edge.session.commands import Command, KeepFrame
from eatrack_edge.session.events import EndEvent, Event, SelectionEvent
from eatrack_edge.session.live import LiveSession
from eatrack_edge.sources.feed import FeedItem, LiveFrame
from session.simulated_sessions import Heard, SimulatedTracker

TOKEN = "token-of-the-tests-0123456789"


class Camera:
    """Delivers a test picture at a steady rate."""

    def __init__(self, size: tuple[int, int], fps: float) -> None:
        width, height = size
        spots = np.random.default_rng(0).integers(40, 200, (height // 20 + 1, width // 20 + 1, 3), dtype=np.uint8)
        self.picture = np.repeat(np.repeat(spots, 20, 0), 20, 1)[:height, :width].copy()
        self._period_s, self._next_s, self._index = 1 / fps, time.monotonic(), 0

    def next(self, timeout: float) -> FeedItem | None:
        wait_s = self._next_s - time.monotonic()
        time.sleep(min(max(wait_s, 0), timeout))
        if wait_s > timeout:
            return None
        self._next_s = max(self._next_s + self._period_s, time.monotonic())
        self._index += 1
        return LiveFrame(self._index - 1, self._index / 30, self.picture.copy(), captured_ns=time.monotonic_ns())


class HeardSelections(Heard):
    """Remembers selections alone: frames would grow the memory that tests measure."""

    def offer(self, event: Event) -> None:
        if isinstance(event, SelectionEvent):
            super().offer(event)


class Flight:
    """A session that flies while this is entered.

    Attributes:
        commands: That reached the session, but those to keep a frame.
        kept: Numbers of the frames that it was asked to keep.
        heard: Every selection.
        tracker: Follows nothing; its ``inits`` say what it was started on.
    """

    def __init__(
        self, *, size: tuple[int, int] = (640, 360), fps: float = 25, token: str = "", host: str = "127.0.0.1", port: int = 0,
        log: Path | None = None, tracker: Any = None, feed: Any = None, outputs: Any = (), history: int = 60,
    ) -> None:  # fmt: skip
        self.tracker = tracker or SimulatedTracker()
        self.session = LiveSession(self.tracker, feed or Camera(size, fps), history=history)
        self.commands: list[Command] = []
        self.kept: list[int] = []
        self.failures: list[Event] = []
        self.station = WebStation(
            WebAddress(host, port), token, self._command, self.failures.append,
            templates=self.tracker.templates,
            log=log, model="simulated", source="camera",
        )  # fmt: skip
        self.station.watch(outputs)
        self.heard = HeardSelections()
        self.session.listeners += [self.station, self.heard]
        self.is_stopped = False
        self._thread = threading.Thread(target=self._fly, daemon=True)

    def _command(self, command: Command) -> None:
        if isinstance(command, KeepFrame):
            self.kept.append(command.frame)
        else:
            self.commands.append(command)
        self.session.commands.put(command)

    def _fly(self) -> None:
        ended = self.session.run(is_stopped=lambda: self.is_stopped)
        self.session.emit(EndEvent({"ended": ended}))

    @property
    def port(self) -> int:
        return int(self.station.link.partition("?")[0].rstrip("/").rpartition(":")[2])

    def __enter__(self) -> Flight:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.is_stopped = True
        self._thread.join(5)
        assert self.station.close(), "the server did not end in time"
        assert not self.failures

    def get(
        self, path: str, method: str = "GET", body: bytes | None = None, **headers: str
    ) -> tuple[HTTPResponse, bytes]:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(method, path, body, {key.replace("_", "-"): value for key, value in headers.items()})
            response = connection.getresponse()
            return response, response.read()
        finally:
            connection.close()

    def open(self, **options: Any) -> Page:
        return Page(f"ws://127.0.0.1:{self.port}/ws", **options)


class Page:
    """A viewer without a browser. It acknowledges nothing unless it is asked to."""

    connection: ClientConnection

    def __init__(self, uri: str, **options: Any) -> None:
        self._connecting = connect(uri, compression=None, close_timeout=0.5, **options)

    def __enter__(self) -> Page:
        self.connection = self._connecting.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self._connecting.__exit__(None, None, None)

    def send(self, kind: str, **values: Any) -> None:
        self.connection.send(json.dumps({"type": kind, **values}))

    def receive(self, timeout: float = 10) -> tuple[dict[str, Any], bytes]:
        """The next message: (JSON, JPEG); the JPEG is empty for a text message."""
        data = self.connection.recv(timeout)
        if isinstance(data, str):
            return json.loads(data), b""
        (length,) = struct.unpack_from("<I", data)
        return {"type": "picture", **json.loads(data[4 : 4 + length])}, data[4 + length :]

    def wait_for(self, kind: str, within_s: float = 20, acknowledges: bool = True, **wanted: Any) -> dict[str, Any]:
        """The next message of a type, with these values; pictures before it are acknowledged."""
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            message, _ = self.receive()
            if message["type"] == "picture" and acknowledges:
                self.send("ack", picture=message["picture"], age_ms=1.0)
            if message["type"] == kind and all(message[key] == value for key, value in wanted.items()):
                return message
        raise AssertionError(f"no {kind} came")


def wait_until(holds: Any, within_s: float = 20) -> None:
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.02)
