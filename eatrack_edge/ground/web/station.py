"""The browser ground station: a server in a thread of its own, and a listener of the session."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from eatrack_edge.core.errors import MachineError
from eatrack_edge.ground.web.app import make_app
from eatrack_edge.ground.web.guard import Guard
from eatrack_edge.ground.web.held_templates import HeldTemplates, TemplateSource
from eatrack_edge.ground.web.hub import Hub
from eatrack_edge.ground.web.messages import MAX_BYTES
from eatrack_edge.ground.web.telemetry import Telemetry, WatchedOutput
from eatrack_edge.ground.web.web_address import WebAddress, allowed_hosts, listen, page_link
from eatrack_edge.session.commands import Command
from eatrack_edge.session.events import Event, OutputFailedEvent

_START_S, _STOP_S = 10.0, 3.0
_SEND_BUFFER = 256 * 1024  # what the system may hold for a viewer that does not read; more would be old pictures
_DEAD_MS = 20_000  # a peer that acknowledges nothing for so long is gone


class WebStation:
    """Serves the page from construction to ``close``.

    Args:
        address: Where to listen.
        token: That viewers need; empty needs none. See ``choose_token``.
        command: Takes a command to the session, such as ``session.commands.put``.
        on_failure: Called once, from the server's thread, where the server fails.
        templates: ``Tracker.templates``; read in the session's thread.
        log: The session's log, to be downloaded.
        model: Name of the model, to be shown.
        source: Name of the source, to be shown.

    Attributes:
        link: What to open in a browser.
        hub: What the server knows.

    Raises:
        MachineError: The address is in use, or is none of this machine.
    """

    def __init__(
        self,
        address: WebAddress,
        token: str,
        command: Callable[[Command], None],
        on_failure: Callable[[OutputFailedEvent], None],
        *,
        templates: TemplateSource | None = None,
        log: Path | None = None,
        model: str = "",
        source: str = "",
    ) -> None:
        self._listener = listen(address)
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)
        if hasattr(socket, "TCP_USER_TIMEOUT"):  # Linux
            self._listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _DEAD_MS)
        address = WebAddress(address.host, self._listener.getsockname()[1])
        self.link = page_link(address, token)
        self.hub = Hub(command, Telemetry(model, source), HeldTemplates(templates), log, on_failure)
        app = Guard(
            make_app(self.hub),
            hosts=allowed_hosts(address),
            accepts_addresses=not address.is_loopback,
            token=token,
            cookie=f"eatrack_{address.port}",  # cookies know no ports: each flight on this machine has its own
        )
        self._server = uvicorn.Server(_config(app))
        self._thread = threading.Thread(target=self._run, name="web", daemon=True)
        self._thread.start()
        deadline = time.monotonic() + _START_S
        while not self._server.started:
            if not self._thread.is_alive() or time.monotonic() > deadline:
                raise MachineError(f"--web {address}: the server did not start")
            time.sleep(0.01)

    def watch(self, outputs: Sequence[WatchedOutput]) -> None:
        """Show these outputs, with what they dropped."""
        self.hub.telemetry.outputs = outputs

    def offer(self, event: Event) -> None:
        """Take an event of the session, without waiting."""
        self.hub.offer(event)

    def close(self) -> bool:
        """End the connections and the server; whether it ended in time."""
        self.hub.close()
        self._server.should_exit = True
        self._thread.join(_STOP_S)
        return not self._thread.is_alive()

    def _run(self) -> None:
        try:
            self._server.run(sockets=[self._listener])
        except (Exception, SystemExit) as error:  # whatever happens here, the flight goes on
            self.hub.report(error)
        finally:
            self._listener.close()


def _config(app: ASGIApp) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http="h11",
        ws="websockets-sansio",
        loop="asyncio",
        lifespan="on",
        log_config=None,
        log_level="critical",  # only `cli` prints
        access_log=False,
        server_header=False,
        proxy_headers=False,  # anybody could send them
        ws_max_size=MAX_BYTES,
        ws_per_message_deflate=False,  # a JPEG does not become smaller
        ws_ping_interval=None,  # pages ask for the clock, and are gone where they do not
        limit_concurrency=64,
        h11_max_incomplete_event_size=16 * 1024,
        timeout_graceful_shutdown=1,
    )
