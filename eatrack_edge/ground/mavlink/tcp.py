"""MAVLink over TCP: to a server, such as a router's, or as a server for several stations."""

from __future__ import annotations

import select
import socket
from collections.abc import Sequence
from contextlib import suppress

from eatrack_edge.core.reasons import reason_of
from eatrack_edge.ground.mavlink.connections import Address, ConnectionLost, Peer

_CONNECT_S = 3.0
_READ_BYTES = 4096
_MOST_UNSENT = 65536  # bytes for a station that does not read, before it is cut off
_MOST_STATIONS = 16


class _Stream:
    """One TCP connection. What the other side has no room for waits, so that no packet is cut."""

    def __init__(self, opened: socket.socket) -> None:
        self.socket = opened
        opened.setblocking(False)
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._unsent = bytearray()

    def read(self) -> bytes | None:
        """What came; ``None`` where the other side left, empty where nothing came."""
        try:
            return self.socket.recv(_READ_BYTES) or None
        except BlockingIOError:
            return b""
        except OSError:
            return None

    def write(self, data: bytes) -> bool:
        """Send; whether the other side is still there."""
        self._unsent += data
        try:
            del self._unsent[: self.socket.send(self._unsent)]
        except BlockingIOError:
            pass
        except OSError:
            return False
        return len(self._unsent) <= _MOST_UNSENT


class TcpClient:
    """Connects to a server.

    Args:
        address: The server's.
    """

    is_datagram = False

    def __init__(self, address: Address) -> None:
        try:
            self._stream = _Stream(socket.create_connection((address.place, address.number), _CONNECT_S))
        except OSError as error:
            raise ConnectionLost(reason_of(error)) from error
        self._peer: Peer = (address.place, address.number)

    @property
    def known_peers(self) -> Sequence[Peer]:
        """The server: a router passes on what it hears."""
        return (self._peer,)

    def receive(self, timeout_s: float) -> list[tuple[Peer, bytes]]:
        """See ``Connection``."""
        select.select([self._stream.socket], [], [], timeout_s)
        data = self._stream.read()
        if data is None:
            raise ConnectionLost("the server closed the connection")
        return [(self._peer, data)] if data else []

    def send(self, data: bytes, peer: Peer) -> None:
        """See ``Connection``."""
        del peer
        if not self._stream.write(data):
            raise ConnectionLost("the server is gone, or does not read")

    def local_host(self, peer: Peer) -> str:
        """See ``Connection``."""
        del peer
        return str(self._stream.socket.getsockname()[0])

    def close(self) -> None:
        """See ``Connection``."""
        self._stream.socket.close()


class TcpServer:
    """Lets stations connect, at most sixteen.

    Args:
        address: To listen on.
    """

    is_datagram = False

    def __init__(self, address: Address) -> None:
        try:
            self._socket = socket.create_server((address.place, address.number))
        except OSError as error:
            raise ConnectionLost(reason_of(error)) from error
        self._socket.setblocking(False)
        self._streams: dict[Peer, _Stream] = {}

    @property
    def known_peers(self) -> Sequence[Peer]:
        """Whoever is connected."""
        return tuple(self._streams)

    def receive(self, timeout_s: float) -> list[tuple[Peer, bytes]]:
        """See ``Connection``."""
        readers = [self._socket, *(stream.socket for stream in self._streams.values())]
        ready, _, _ = select.select(readers, [], [], timeout_s)
        if self._socket in ready:
            self._accept()
        came: list[tuple[Peer, bytes]] = []
        for peer, stream in list(self._streams.items()):
            data = stream.read()
            if data is None:
                self._drop(peer)
            if data != b"":
                came.append((peer, data or b""))
        return came

    def send(self, data: bytes, peer: Peer) -> None:
        """See ``Connection``."""
        stream = self._streams.get(peer)
        if stream is not None and not stream.write(data):
            with suppress(OSError):
                stream.socket.shutdown(socket.SHUT_RDWR)  # it is then read as one that left

    def local_host(self, peer: Peer) -> str:
        """See ``Connection``."""
        stream = self._streams.get(peer)
        return "" if stream is None else str(stream.socket.getsockname()[0])

    def close(self) -> None:
        """See ``Connection``."""
        for peer in list(self._streams):
            self._drop(peer)
        self._socket.close()

    def _accept(self) -> None:
        try:
            opened, peer = self._socket.accept()
        except OSError:  # it left before it was let in
            return
        if len(self._streams) >= _MOST_STATIONS:
            opened.close()
            return
        self._streams[peer] = _Stream(opened)

    def _drop(self, peer: Peer) -> None:
        self._streams.pop(peer).socket.close()
