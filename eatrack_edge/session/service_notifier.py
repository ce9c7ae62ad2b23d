"""Reports to systemd that a session is ready, what it does, and that its loop still turns. Needs no library."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping
from contextlib import suppress

from eatrack_edge.session.events import EndEvent, Event, FrameEvent, SourceFoundEvent, SourceLostEvent

_STATUS_NS = 2_000_000_000  # between two texts of status


class ServiceNotifier:
    """A listener that sends ``sd_notify`` messages; silent where systemd did not start this process.

    ``turn`` must be called by the loop that delivers results, never by a timer: a tracker that hangs must not look
    alive. While the source is being reopened the loop still turns.

    Args:
        environment: With ``NOTIFY_SOCKET``, ``WATCHDOG_USEC`` and ``WATCHDOG_PID``, as systemd sets them.
    """

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        environment = os.environ if environment is None else environment
        address = environment.get("NOTIFY_SOCKET", "")
        # A leading @ is an abstract socket, whose name begins with a zero byte.
        self._address = "\0" + address[1:] if address.startswith("@") else address
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) if address else None
        if self._socket is not None:
            self._socket.setblocking(False)
        is_ours = environment.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        # A third of the time that systemd allows.
        self._every_ns = int(environment.get("WATCHDOG_USEC", "0")) * 1000 // 3 if is_ours else 0
        self._fed_ns = self._status_ns = 0

    def ready(self) -> None:
        """Report that the session runs: the model is open, and the source is being opened."""
        self._send("READY=1\nSTATUS=waiting for the source")

    def turn(self) -> None:
        """Feed the watchdog if it is time."""
        now = time.monotonic_ns()
        if self._every_ns and now - self._fed_ns >= self._every_ns:
            self._fed_ns = now
            self._send("WATCHDOG=1")

    def offer(self, event: Event) -> None:
        """Report the state in words now and then, and each change of the source at once."""
        if isinstance(event, FrameEvent):
            now = time.monotonic_ns()
            if now - self._status_ns >= _STATUS_NS:
                self._status_ns = now
                self._send(f"STATUS={event.record.state} frame {event.record.frame} age {event.age_ms:.0f} ms")
        elif isinstance(event, SourceLostEvent):
            what = "SOURCE LOST" if event.was_found else "SOURCE NOT FOUND"
            self._send(f"STATUS={what} {event.reason}; trying again")
        elif isinstance(event, SourceFoundEvent):
            self._send("STATUS=SOURCE FOUND" + (f" after {event.outage_s:.1f} s" if event.was_found else ""))
        elif isinstance(event, EndEvent):
            self._send("STOPPING=1")

    def close(self) -> None:
        """Close the socket."""
        if self._socket is not None:
            self._socket.close()

    def _send(self, text: str) -> None:
        if self._socket is not None:
            with suppress(OSError):  # systemd is busy or gone: no reason to stop tracking
                self._socket.sendto(text.replace("\r", " ").encode(), self._address)
