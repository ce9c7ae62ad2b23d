"""MAVLink over UDP: to a station that is known, or from whoever writes to a port."""

from __future__ import annotations

import select
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, cast

from eatrack_edge.core.reasons import reason_of
from eatrack_edge.ground.mavlink.connections import Address, ConnectionLost, Peer

_MOST_BYTES = 65535
_MOST_AT_ONCE = 64  # datagrams taken in one turn, so that a flood cannot keep the heartbeat from its time


class UdpOut:
    """Writes to one station, or to a router, and hears it alone.

    Args:
        address: The station's.
    """

    is_datagram = True

    def __init__(self, address: Address) -> None:
        self._socket = _open(address, lambda one, where: one.connect(where))
        self._peer: Peer = (address.place, address.number)

    @property
    def known_peers(self) -> Sequence[Peer]:
        """The station: it learns of the camera by its heartbeat."""
        return (self._peer,)

    def receive(self, timeout_s: float) -> list[tuple[Peer, bytes]]:
        """See ``Connection``. A station that does not listen yet is no loss."""
        return [(self._peer, data) for data, _ in _waiting(self._socket, timeout_s)]

    def send(self, data: bytes, peer: Peer) -> None:
        """See ``Connection``."""
        del peer
        try:
            self._socket.send(data)
        except (ConnectionRefusedError, BlockingIOError):  # nobody listens yet, or the network is slow
            return
        except OSError as error:  # no network, or another one: this socket's own address is the old one's
            raise ConnectionLost(reason_of(error)) from error

    def local_host(self, peer: Peer) -> str:
        """See ``Connection``."""
        del peer
        return str(self._socket.getsockname()[0])

    def close(self) -> None:
        """See ``Connection``."""
        self._socket.close()


class UdpIn:
    """Listens, and writes to those who wrote.

    Args:
        address: To listen on; host ``0.0.0.0`` is every network of this machine.
    """

    is_datagram = True
    known_peers: Sequence[Peer] = ()

    def __init__(self, address: Address) -> None:
        self._socket = _open(address, lambda one, where: one.bind(where))

    def receive(self, timeout_s: float) -> list[tuple[Peer, bytes]]:
        """See ``Connection``."""
        return [(peer, data) for data, peer in _waiting(self._socket, timeout_s)]

    def send(self, data: bytes, peer: Peer) -> None:
        """See ``Connection``."""
        try:
            self._socket.sendto(data, cast("Any", peer))  # an address that came from it
        except OSError:
            return

    def local_host(self, peer: Peer) -> str:
        """See ``Connection``."""
        with socket.socket(self._socket.family, socket.SOCK_DGRAM) as probe:
            try:
                probe.connect(cast("Any", peer))  # sends nothing: it asks which network leads there
            except OSError:
                return ""
            return str(probe.getsockname()[0])

    def close(self) -> None:
        """See ``Connection``."""
        self._socket.close()


def _open(address: Address, attach: Callable[[socket.socket, Any], None]) -> socket.socket:
    """A socket that does not block, bound or connected."""
    try:
        family, kind, *_, where = socket.getaddrinfo(address.place, address.number, type=socket.SOCK_DGRAM)[0]
        opened = socket.socket(family, kind)
    except OSError as error:
        raise ConnectionLost(reason_of(error)) from error
    try:
        attach(opened, where)
    except OSError as error:
        opened.close()
        raise ConnectionLost(reason_of(error)) from error
    opened.setblocking(False)
    return opened


def _waiting(opened: socket.socket, timeout_s: float) -> list[tuple[bytes, Peer]]:
    """The datagrams that came."""
    came: list[tuple[bytes, Peer]] = []
    for turn in range(_MOST_AT_ONCE):
        if not select.select([opened], [], [], 0 if turn else timeout_s)[0]:
            break
        with suppress(OSError):  # that nobody listened to what was sent before is reported here
            came.append(opened.recvfrom(_MOST_BYTES))
    return came
