"""A live session that is commanded over MAVLink, an autopilot beside it, and a relay that loses and doubles packets."""

from __future__ import annotations

import random
import socket
import threading
import time
from types import TracebackType
from typing import Any

from eatrack_edge.ground.mavlink.announced_stream import AnnouncedStream
from eatrack_edge.ground.mavlink.camera_link import CameraLink
from eatrack_edge.ground.mavlink.camera_options import MavlinkOptions
from eatrack_edge.session.commands import Command
from eatrack_edge.session.events import EndEvent, FrameEvent, StationEvent
from eatrack_edge.session.live import LiveSession
from eatrack_edge.sources.latest import LiveSource
from ground.mavlink.simulated_station import D
from session.simulated_sessions import Heard, SimulatedTracker
from sources.simulated_links import SimulatedLink


class LiveCamera:
    """The session is real, and the link; source and tracker are simulated: the box stays where it was selected."""

    def __init__(self, *connections: str, fps: float = 30, **options: Any) -> None:
        self.tracker, self.heard = SimulatedTracker(), Heard()
        self.commands: list[Command] = []
        self._source = LiveSource(lambda: SimulatedLink(fps=fps), name="x", uri="sim://x")
        self.session = LiveSession(self.tracker, self._source)
        self.links = [
            CameraLink(
                connection,
                MavlinkOptions(**options),
                self._command,
                self.session.reports.put,
                streams=[AnnouncedStream.of("rtsp://:8554/eatrack")],
            )
            for connection in connections
        ]
        self.session.listeners += [self.heard, *self.links]
        self._is_over = False
        self._thread = threading.Thread(target=lambda: self.session.run(is_stopped=lambda: self._is_over))

    def _command(self, command: Command) -> None:
        self.commands.append(command)
        self.session.commands.put(command)

    @property
    def stations(self) -> list[str]:
        return [event.text for event in self.heard.of(StationEvent)]

    def __enter__(self) -> LiveCamera:
        self._thread.start()
        wait_for(lambda: len(self.heard.of(FrameEvent)) > 2)
        return self

    def __exit__(self, *_error: object) -> None:
        self._is_over = True
        self._thread.join(10)
        self.session.emit(EndEvent({}))
        assert all(link.close() for link in self.links)
        self._source.close()


class Repeating(threading.Thread):
    """Does something again and again until it is left."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.is_over = threading.Event()

    def __enter__(self) -> Any:
        self.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self.is_over.set()
        self.join(5)

    def run(self) -> None:
        while not self.is_over.is_set():
            self.turn()

    def turn(self) -> None:
        raise NotImplementedError


class Autopilot(Repeating):
    """The heartbeat and the clock of system 1, without which stations see no vehicle."""

    def __init__(self, station_port: int, system: int = 1) -> None:
        super().__init__()
        self._packer = D.MAVLink(None, system, 1)
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._station = ("127.0.0.1", station_port)

    def turn(self) -> None:
        heartbeat = D.MAVLink_heartbeat_message(D.MAV_TYPE_QUADROTOR, D.MAV_AUTOPILOT_PX4, 0, 0, D.MAV_STATE_ACTIVE, 3)
        clock = D.MAVLink_system_time_message(1_700_000_000_000_000, 4321)
        for message in (heartbeat, clock):
            self._socket.sendto(message.pack(self._packer), self._station)
            self._packer.seq = (self._packer.seq + 1) % 256
        self.is_over.wait(0.5)

    def __exit__(self, *error: Any) -> None:
        super().__exit__(*error)
        self._socket.close()


class Relay(Repeating):
    """Leads packets between a camera that writes to ``port`` and a station that listens elsewhere.

    Args:
        station_port: Where the station listens.
        loss: Part of the packets that is lost, each way.
        doubles: Part of the rest that comes twice.
        seed: Of the losses.
    """

    def __init__(self, station_port: int, *, loss: float, doubles: float, seed: int) -> None:
        super().__init__()
        self._near, self._far = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
        self._near.bind(("127.0.0.1", 0))
        self._far.connect(("127.0.0.1", station_port))
        self._near.settimeout(0.005)
        self._far.settimeout(0.005)
        self.port: int = self._near.getsockname()[1]
        self._loss, self._doubles, self._random = loss, doubles, random.Random(seed)
        self._camera: Any = None
        self.lost = self.passed = 0

    def turn(self) -> None:
        try:
            data, self._camera = self._near.recvfrom(4096)
            self._pass_on(data, self._far.send)
        except OSError:
            pass
        try:
            data = self._far.recv(4096)
            if self._camera:
                self._pass_on(data, lambda one: self._near.sendto(one, self._camera))
        except OSError:
            pass

    def _pass_on(self, data: bytes, send: Any) -> None:
        if self._random.random() < self._loss:
            self.lost += 1
            return
        for _ in range(2 if self._random.random() < self._doubles else 1):
            send(data)
            self.passed += 1

    def __exit__(self, *error: Any) -> None:
        super().__exit__(*error)
        self._near.close()
        self._far.close()


def free_port(kind: int = socket.SOCK_DGRAM) -> int:
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for(what: Any, seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "did not come in time"
        time.sleep(0.02)
