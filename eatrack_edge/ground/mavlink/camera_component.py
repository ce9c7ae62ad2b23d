"""The dialogue of a MAVLink camera: messages in, messages and commands out. It knows no sockets, clocks or threads.

The order of what stations ask is in docs/mavlink.md. Every answer is sent to who asked; a command for another system or
component gets none. A selection is answered when the session has carried it out or refused it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any, NamedTuple

from eatrack_edge.ground.mavlink import selections
from eatrack_edge.ground.mavlink.announced_stream import AnnouncedStream
from eatrack_edge.ground.mavlink.camera_messages import CameraMessages
from eatrack_edge.ground.mavlink.camera_options import MavlinkOptions
from eatrack_edge.ground.mavlink.connections import Peer
from eatrack_edge.ground.mavlink.repeats import Repeats
from eatrack_edge.ground.mavlink.requests import Request, Station
from eatrack_edge.ground.mavlink.status_rates import StatusRates
from eatrack_edge.ground.mavlink.tracking_status import NewestResult, TrackingStatus
from eatrack_edge.session.commands import Command, Stop, new_selection_id
from eatrack_edge.session.events import (
    WAITING,
    EndEvent,
    Event,
    FrameEvent,
    SelectionEvent,
    SourceFoundEvent,
    SourceLostEvent,
    StateEvent,
)

_HEARTBEAT_S = 1.0  # a camera that is silent for 5 s is removed by QGroundControl
_DEFAULT_INTERVAL_S = 0.5  # where a station leaves the rate of the status to the camera
_IN_PROGRESS_S = 1.0  # a selection that takes longer is reported as in progress: stations try again after 3 s
_GIVEN_UP_S = 10.0  # a selection that the session has not answered then has failed
_MOST_AWAITED = 16


class Outgoing(NamedTuple):
    """A message to send.

    Attributes:
        message: pymavlink's, not yet packed.
        peer: ``None`` is everybody.
    """

    message: Any
    peer: Peer | None


class _Awaited(NamedTuple):
    request: Request
    since_s: float
    is_reported: bool = False  # as in progress


class CameraComponent:
    """A camera that tracks what stations select.

    Args:
        dialect: From ``packets.load_dialect``.
        options: Its numbers on the vehicle.
        command: Takes what the session is to do.
        streams: The videos that stations can show.
        is_box_drawn: Whether these videos have the box in it.
        local_host: This machine's address as a peer reaches it, for the stream.
    """

    def __init__(
        self,
        dialect: ModuleType,
        options: MavlinkOptions,
        command: Callable[[Command], None],
        *,
        streams: Sequence[AnnouncedStream] = (),
        is_box_drawn: bool = False,
        local_host: Callable[[Peer], str] = lambda _peer: "",
    ) -> None:
        self._dialect, self._options, self._command, self._local_host = dialect, options, command, local_host
        self._status = TrackingStatus(dialect, coasting=options.coasting, is_box_drawn=is_box_drawn)
        self._messages = CameraMessages(dialect, streams)
        self._rates, self._repeats = StatusRates(), Repeats()
        self._awaited: dict[int, _Awaited] = {}  # by the selection's id, the oldest first
        self._source_is_lost = False
        self._heartbeat_s = -math.inf  # when the next is due
        self._commands = _command_table(dialect)
        # The messages that one asked for by a command of its own, before MAV_CMD_REQUEST_MESSAGE came.
        self._requests = {
            dialect.MAV_CMD_REQUEST_CAMERA_INFORMATION: dialect.MAVLINK_MSG_ID_CAMERA_INFORMATION,
            dialect.MAV_CMD_REQUEST_CAMERA_SETTINGS: dialect.MAVLINK_MSG_ID_CAMERA_SETTINGS,
            dialect.MAV_CMD_REQUEST_STORAGE_INFORMATION: dialect.MAVLINK_MSG_ID_STORAGE_INFORMATION,
            dialect.MAV_CMD_REQUEST_CAMERA_CAPTURE_STATUS: dialect.MAVLINK_MSG_ID_CAMERA_CAPTURE_STATUS,
            dialect.MAV_CMD_REQUEST_VIDEO_STREAM_INFORMATION: dialect.MAVLINK_MSG_ID_VIDEO_STREAM_INFORMATION,
            dialect.MAV_CMD_REQUEST_VIDEO_STREAM_STATUS: dialect.MAVLINK_MSG_ID_VIDEO_STREAM_STATUS,
        }

    def receive(self, message: Any, peer: Peer, now_s: float) -> list[Outgoing]:
        """Take a message from a peer, and answer it.

        Args:
            message: pymavlink's. What is no command for this camera is ignored.
            peer: Where it came from.
            now_s: Monotonic seconds.
        """
        system, component = message.get_srcSystem(), message.get_srcComponent()
        is_own = (system, component) == (self._options.system, self._options.component)
        if is_own or system == 0 or message.get_type() not in ("COMMAND_LONG", "COMMAND_INT"):
            return []
        is_ours = message.target_system in (0, self._options.system)
        if not is_ours or message.target_component not in (0, self._options.component):
            return []
        request = Request.of(message, Station(peer, system, component))
        if message.target_system == 0:
            request = request._replace(is_broadcast=True)
        return self._obey(request, now_s)

    def observe(self, event: Event, now_s: float) -> list[Outgoing]:
        """Take an event of the session."""
        if isinstance(event, FrameEvent):
            record, (height, width) = event.record, event.shown.frame.shape[:2]
            self._status.take(NewestResult(record.state, record.box, record.confidence, (width, height), now_s))
            self._source_is_lost = False
            if self._messages.size != (width, height):
                return self._resized((width, height), now_s)
        elif isinstance(event, EndEvent) or (isinstance(event, StateEvent) and event.state == WAITING):
            if self._status.newest is not None:  # also where no frame follows
                self._status.newest = self._status.newest._replace(state=WAITING, box=None)
        elif isinstance(event, SelectionEvent):
            return self._selected(event, now_s)
        elif isinstance(event, (SourceLostEvent, SourceFoundEvent)):
            self._source_is_lost = isinstance(event, SourceLostEvent)
        return []

    def due(self, now_s: float) -> list[Outgoing]:
        """What is to be sent by now: the heartbeat, changes of the status, and the status at the rates asked for."""
        out: list[Outgoing] = []
        if now_s >= self._heartbeat_s:
            self._heartbeat_s = max(self._heartbeat_s, now_s - _HEARTBEAT_S) + _HEARTBEAT_S
            out.append(Outgoing(self._heartbeat(), None))
        out += self._report_awaited(now_s)
        if self._status.advance(now_s):
            out.append(Outgoing(self._status.message(), None))
        for peer in self._rates.take_due(now_s):
            out.append(Outgoing(self._status.message(), peer))
            confidence = self._status.confidence()
            if confidence is not None:
                named = self._dialect.MAVLink_named_value_float_message(_boot_ms(now_s), b"TRKCONF", confidence)
                out.append(Outgoing(named, peer))
        return out

    def next_s(self) -> float:
        """When something is due at the latest, if nothing happens before."""
        return min(self._heartbeat_s, self._rates.next_s())

    def forget(self, peer: Peer) -> None:
        """A peer left."""
        self._rates.forget(peer)

    def _obey(self, request: Request, now_s: float) -> list[Outgoing]:
        message_id, place = self._requests.get(request.command), 1  # where the number of a stream is
        if request.command == self._dialect.MAV_CMD_REQUEST_MESSAGE:
            message_id, place = request.number(1), 2
        if message_id is not None:
            return self._send_message(request, message_id, request.number(place) or 0, now_s)
        if request.is_broadcast:  # a command to all components, such as one to arm, is not for a camera to refuse
            return []
        obey = self._commands.get(request.command)
        return self._ack(request, "UNSUPPORTED") if obey is None else obey(self, request, now_s)

    def _send_message(self, request: Request, message_id: int, which: int, now_s: float) -> list[Outgoing]:
        """Acknowledge a question, and send the message that it is for."""
        peer, flags = request.station.peer, self._dialect
        host = self._local_host(peer)
        messages = self._messages.build(message_id, which, host, _boot_ms(now_s))
        if message_id == flags.MAVLINK_MSG_ID_CAMERA_TRACKING_IMAGE_STATUS:
            self._status.advance(now_s)
            messages = [self._status.message()]
        if message_id == flags.MAVLINK_MSG_ID_CAMERA_INFORMATION and messages:
            # Unasked: MAVSDK asks for streams only every 20 s.
            streams = flags.MAVLINK_MSG_ID_VIDEO_STREAM_INFORMATION
            messages += self._messages.build(streams, 0, host, _boot_ms(now_s)) or []
        if messages is None:
            return [] if request.is_broadcast else self._ack(request, "UNSUPPORTED")
        if not messages:
            return self._ack(request, "DENIED")  # there is no such stream
        return [*self._ack(request, "ACCEPTED"), *(Outgoing(message, peer) for message in messages)]

    def _select(self, request: Request, now_s: float) -> list[Outgoing]:
        """Hand a selection to the session, once. What it makes of it is answered later."""
        known = self._repeats.find(request, now_s)
        if known is not None:
            return [] if known.result is None else self._ack(request, known.result)
        newest = self._status.newest
        if newest is None or self._source_is_lost or len(self._awaited) >= _MOST_AWAITED:
            return self._ack(request, "TEMPORARILY_REJECTED")  # there is no picture to select in
        is_point = request.command == self._dialect.MAV_CMD_CAMERA_TRACK_POINT
        selection = (selections.point if is_point else selections.rectangle)(request, newest.size)
        if selection is None:
            return self._ack(request, "DENIED")
        number = new_selection_id()
        self._repeats.add(request, number, now_s)
        self._awaited[number] = _Awaited(request, now_s)
        self._command(selection._replace(id=number))
        return []

    def _stop(self, request: Request, now_s: float) -> list[Outgoing]:
        """Stop. A repetition does so again: that cannot be wrong, and a stop that is not obeyed would be."""
        del now_s
        self._command(Stop())
        return self._ack(request, "ACCEPTED")

    def _set_interval(self, request: Request, now_s: float) -> list[Outgoing]:
        if request.number(1) != self._dialect.MAVLINK_MSG_ID_CAMERA_TRACKING_IMAGE_STATUS:
            return self._ack(request, "UNSUPPORTED")
        interval_us = request.parameters[1]
        if not (interval_us == -1 or 0 <= interval_us < math.inf):  # false for NaN
            return self._ack(request, "DENIED")
        interval_s = None if interval_us < 0 else interval_us / 1e6 or _DEFAULT_INTERVAL_S
        self._rates.set(request.station, interval_s, now_s)
        return self._ack(request, "ACCEPTED")

    def _start_stream(self, request: Request, now_s: float) -> list[Outgoing]:
        """The stream runs always: what asks for it has it."""
        del now_s
        return self._ack(request, "ACCEPTED" if self._messages.has_streams else "UNSUPPORTED")

    def _report_awaited(self, now_s: float) -> list[Outgoing]:
        out: list[Outgoing] = []
        for number, awaited in list(self._awaited.items()):
            if now_s - awaited.since_s > _GIVEN_UP_S:
                out += self._settle(number, "FAILED")
            elif not awaited.is_reported and now_s - awaited.since_s > _IN_PROGRESS_S:
                self._awaited[number] = awaited._replace(is_reported=True)
                out += self._ack(awaited.request, "IN_PROGRESS")
        return out

    def _selected(self, event: SelectionEvent, now_s: float) -> list[Outgoing]:
        """Answer a selection that a station waits for. The box of any is reported until a frame has a better one."""
        newest = self._status.newest
        if newest is not None and not event.is_refused:
            self._status.newest = NewestResult("TRACKING", event.box, math.nan, newest.size, now_s)
        if event.id is None or event.id not in self._awaited:  # others select too
            return []
        return self._settle(event.id, "DENIED" if event.is_refused else "ACCEPTED")

    def _settle(self, number: int, name: str) -> list[Outgoing]:
        request = self._awaited.pop(number).request
        self._repeats.answered(request, number, self._result(name))
        return self._ack(request, name)

    def _resized(self, size: tuple[int, int], now_s: float) -> list[Outgoing]:
        """The picture has another size: say so, as it may have been asked for before the first frame came."""
        self._messages.size = size
        return [Outgoing(self._messages.information(_boot_ms(now_s)), None)]

    def _ack(self, request: Request, result: str | int) -> list[Outgoing]:
        if isinstance(result, str):
            result = self._result(result)
        station = request.station
        ack = self._dialect.MAVLink_command_ack_message(
            request.command, result, 0, 0, station.system, station.component
        )
        return [Outgoing(ack, station.peer)]

    def _result(self, name: str) -> int:
        return int(getattr(self._dialect, f"MAV_RESULT_{name}"))

    def _heartbeat(self) -> Any:
        flags = self._dialect
        return flags.MAVLink_heartbeat_message(
            flags.MAV_TYPE_CAMERA, flags.MAV_AUTOPILOT_INVALID, 0, 0, flags.MAV_STATE_ACTIVE, 3
        )


def _boot_ms(now_s: float) -> int:
    return int(1000 * now_s) % 2**32


_Obey = Callable[[CameraComponent, Request, float], "list[Outgoing]"]


def _command_table(dialect: ModuleType) -> dict[int, _Obey]:
    """What the camera does, by the number of the command."""
    return {
        dialect.MAV_CMD_CAMERA_TRACK_RECTANGLE: CameraComponent._select,
        dialect.MAV_CMD_CAMERA_TRACK_POINT: CameraComponent._select,
        dialect.MAV_CMD_CAMERA_STOP_TRACKING: CameraComponent._stop,
        dialect.MAV_CMD_SET_MESSAGE_INTERVAL: CameraComponent._set_interval,
        dialect.MAV_CMD_VIDEO_START_STREAMING: CameraComponent._start_stream,
    }
