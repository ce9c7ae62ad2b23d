"""Runs a MAVLink camera on one connection, in a thread of its own: whatever the link does, tracking goes on."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from typing import Any

from eatrack_edge.core.mailbox import Mailbox
from eatrack_edge.ground.mavlink.announced_stream import AnnouncedStream
from eatrack_edge.ground.mavlink.camera_component import CameraComponent, Outgoing
from eatrack_edge.ground.mavlink.camera_options import MavlinkOptions
from eatrack_edge.ground.mavlink.connections import CONNECTIONS, Connection, ConnectionLost, Peer, parse_address
from eatrack_edge.ground.mavlink.gimbal import Gimbal
from eatrack_edge.ground.mavlink.neighbours import Neighbours
from eatrack_edge.ground.mavlink.packets import PacketReader, load_dialect
from eatrack_edge.session.commands import Command
from eatrack_edge.session.events import Event, FrameEvent, StationEvent
from eatrack_edge.sources.link import back_off

_TURN_S = 0.05  # longest wait for packets, and so for an event of the session to be passed on
_MOST_PEERS = 32
_GOOD_S = 1.0  # a connection that lasts so long is back: one that dies at once is not reported again and again
_FORGET_S = 600.0  # a peer that was not heard for so long is written to no more


class _PeerState:
    """One peer: what it began to send, and our count of packets to it, by which it counts those that were lost."""

    def __init__(self, reader: PacketReader, heard_s: float) -> None:
        self.reader, self.heard_s, self.sequence = reader, heard_s, 0


class CameraLink:
    """A camera on a connection, which is opened again whenever it is lost; a listener of the session.

    Args:
        connection: Such as ``udpout:192.168.144.11:14550``; see ``connections``.
        options: The camera's numbers.
        command: Takes what stations command, from this thread.
        report: Takes events, such as of a station that came, from this thread.
        streams: The videos that stations can show.
        is_box_drawn: Whether these videos have the box in it.

    Raises:
        UsageError: The connection's name is wrong.
        MissingExtra: pymavlink is not installed.
    """

    def __init__(
        self,
        connection: str,
        options: MavlinkOptions,
        command: Callable[[Command], None],
        report: Callable[[Event], None],
        *,
        streams: Sequence[AnnouncedStream] = (),
        is_box_drawn: bool = False,
    ) -> None:
        self.name = f"mavlink {connection}"
        self._dialect, self._address, self._report = load_dialect(), parse_address(connection), report
        self._open = CONNECTIONS.get(self._address.scheme)
        self._packer = self._dialect.MAVLink(None, options.system, options.component)
        self._events: Mailbox[Event] = Mailbox()
        self._connection: Connection | None = None
        self._peers: OrderedDict[Peer, _PeerState] = OrderedDict()
        self._neighbours = Neighbours(self._dialect, options, report)
        self._camera = CameraComponent(
            self._dialect,
            options,
            command,
            streams=streams,
            is_box_drawn=is_box_drawn,
            local_host=lambda peer: self._connection.local_host(peer) if self._connection else "",
        )
        self._gimbal = Gimbal(self._dialect, options, report) if options.gimbal else None
        self._is_good = True  # until it fails: then the reason is reported, once
        self._is_closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name=self.name, daemon=True)
        self._thread.start()

    def offer(self, event: Event) -> None:
        """Take an event of the session, without waiting."""
        self._events.put(event, is_notice=not isinstance(event, FrameEvent))

    def close(self, timeout_s: float = 5.0) -> bool:
        """Leave the link; whether that came to its end in time."""
        self._is_closed.set()
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        waits = back_off()
        while not self._is_closed.is_set():
            try:
                self._connection = self._open(self._address)
                self._serve(self._connection)
            except Exception as error:  # a bug in a reply must not end a flight, nor the link: it begins anew
                if self._is_good:
                    waits = back_off()
                    what = "is lost" if self._connection is not None else "cannot be opened"
                    reason = error if isinstance(error, ConnectionLost) else repr(error)
                    self._say(f"{what}: {reason}; trying again")
                self._is_good = False
            self._leave()
            self._is_closed.wait(next(waits))

    def _leave(self) -> None:
        for peer in list(self._peers):
            self._drop(peer)
        if self._connection is not None:
            self._connection.close()
            self._connection = None
        if self._gimbal is not None:
            self._gimbal.forget()

    def _serve(self, connection: Connection) -> None:
        start_s = time.monotonic()
        while not self._is_closed.is_set():
            self._turn(connection)
            wait_s = min(max(self._camera.next_s() - time.monotonic(), 0.0), _TURN_S)
            for peer, data in connection.receive(wait_s):
                self._take(connection, peer, data)
            if not self._is_good and time.monotonic() - start_s > _GOOD_S:
                self._is_good = True
                self._say("is back")
        self._turn(connection)  # the end of the session was the last event

    def _turn(self, connection: Connection) -> None:
        """Pass on what happened in the session, and send what is due."""
        now_s = time.monotonic()
        while (event := self._events.get(0)) is not None:
            self._send(connection, self._camera.observe(event, now_s))
            if self._gimbal is not None:
                self._send(connection, self._gimbal.observe(event, now_s))
        self._send(connection, self._camera.due(now_s))
        if self._gimbal is not None:
            self._send(connection, self._gimbal.due(now_s))
        self._neighbours.turn(now_s)

    def _take(self, connection: Connection, peer: Peer, data: bytes) -> None:
        """Take what came from a peer; no data is one that left."""
        now_s = time.monotonic()
        if not data:
            self._drop(peer)
            return
        state = self._peers.get(peer) or _PeerState(self._reader(), now_s)
        for message in state.reader.feed(data, is_datagram=connection.is_datagram):
            self._admit(peer, state, now_s)
            self._neighbours.receive(message, peer, now_s)
            self._send(connection, self._camera.receive(message, peer, now_s))
            if self._gimbal is not None:
                self._gimbal.receive(message, peer, now_s)
        if state.reader.is_heard or not connection.is_datagram:
            self._admit(peer, state, now_s)

    def _reader(self) -> PacketReader:
        flags = self._dialect
        wanted = (
            flags.MAVLINK_MSG_ID_HEARTBEAT,
            flags.MAVLINK_MSG_ID_SYSTEM_TIME,
            flags.MAVLINK_MSG_ID_COMMAND_LONG,
            flags.MAVLINK_MSG_ID_COMMAND_INT,
            flags.MAVLINK_MSG_ID_COMMAND_ACK,
            flags.MAVLINK_MSG_ID_GIMBAL_MANAGER_STATUS,
        )
        return PacketReader(flags, wanted)

    def _admit(self, peer: Peer, state: _PeerState, now_s: float) -> None:
        """Remember a peer from which a packet came; who sends noise to a UDP port is none."""
        state.heard_s = now_s
        self._peers[peer] = state
        self._peers.move_to_end(peer)
        oldest = next(iter(self._peers))
        if len(self._peers) > _MOST_PEERS or now_s - self._peers[oldest].heard_s > _FORGET_S:
            self._drop(oldest)

    def _drop(self, peer: Peer) -> None:
        self._peers.pop(peer, None)
        self._camera.forget(peer)

    def _send(self, connection: Connection, messages: list[Outgoing]) -> None:
        for message, peer in messages:
            for one in self._everybody(connection) if peer is None else [peer]:
                connection.send(self._packed(message, one), one)

    def _everybody(self, connection: Connection) -> list[Peer]:
        return list(dict.fromkeys((*connection.known_peers, *self._peers)))

    def _packed(self, message: Any, peer: Peer) -> bytes:
        state = self._peers.get(peer)
        if state is None:
            state = _PeerState(self._reader(), time.monotonic())
            if peer in (self._connection.known_peers if self._connection else ()):
                self._peers[peer] = state
        self._packer.seq = state.sequence
        state.sequence = (state.sequence + 1) % 256
        return bytes(message.pack(self._packer))

    def _say(self, text: str) -> None:
        self._report(StationEvent(f"{self.name} {text}", time.monotonic_ns()))
