"""Who else is on the link: ground stations that come and go, and the autopilot with its clock."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from types import ModuleType
from typing import Any

from eatrack_edge.ground.mavlink.camera_options import MavlinkOptions
from eatrack_edge.ground.mavlink.connections import Peer
from eatrack_edge.ground.mavlink.requests import Station
from eatrack_edge.session.events import Event, StationEvent, VehicleClockEvent

_SILENT_S = 10.0  # stations send a heartbeat each second
_CLOCK_S = 60.0  # between two records of the vehicle's clock
_MOST_STATIONS = 32


class Neighbours:
    """Reports those whose heartbeats come, for the log.

    Args:
        dialect: pymavlink's messages.
        options: The camera's numbers.
        report: Takes events, from this thread.
    """

    def __init__(self, dialect: ModuleType, options: MavlinkOptions, report: Callable[[Event], None]) -> None:
        self._dialect, self._options, self._report = dialect, options, report
        self._heard: OrderedDict[Station, float] = OrderedDict()
        self._autopilots: set[int] = set()  # systems
        self._clock_s: float | None = None  # when the vehicle's clock was recorded

    def receive(self, message: Any, peer: Peer, now_s: float) -> None:
        """Take any message from a peer."""
        system, component = message.get_srcSystem(), message.get_srcComponent()
        kind = message.get_type()
        if kind == "HEARTBEAT" and message.type == self._dialect.MAV_TYPE_GCS:
            self._hear(Station(peer, system, component), now_s)
        elif kind == "HEARTBEAT" and component == 1 and message.autopilot != self._dialect.MAV_AUTOPILOT_INVALID:
            self._hear_autopilot(system, now_s)
        elif kind == "SYSTEM_TIME" and (system, component) == (self._options.system, 1):
            self._set_clock(message, now_s)

    def turn(self, now_s: float) -> None:
        """Report stations that fell silent."""
        for station, heard_s in list(self._heard.items()):
            if now_s - heard_s > _SILENT_S:
                del self._heard[station]
                self._say(f"{_name(station)} is silent for {_SILENT_S:g} s", now_s)

    def _hear(self, station: Station, now_s: float) -> None:
        if station not in self._heard:
            if len(self._heard) >= _MOST_STATIONS:
                return
            self._say(f"{_name(station)} is there", now_s)
        self._heard[station] = now_s

    def _hear_autopilot(self, system: int, now_s: float) -> None:
        if system in self._autopilots:
            return
        self._autopilots.add(system)  # at most 255
        if self._options.system not in self._autopilots:
            text = f"an autopilot of system {system} is there, this camera is of system {self._options.system}"
            self._say(f"{text}: --mavlink-system {system} makes it that vehicle's", now_s)

    def _set_clock(self, message: Any, now_s: float) -> None:
        if self._clock_s is None or now_s - self._clock_s >= _CLOCK_S:
            self._clock_s = now_s
            clock = VehicleClockEvent(int(message.time_boot_ms), int(message.time_unix_usec), int(now_s * 1e9))
            self._report(clock)

    def _say(self, text: str, now_s: float) -> None:
        self._report(StationEvent(text, int(now_s * 1e9)))


def _name(station: Station) -> str:
    return f"MAVLink station {station.system}/{station.component}"
