"""What a MAVLink link runs over, by the scheme of its name: UDP, TCP or a serial port."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import NamedTuple, Protocol

from eatrack_edge.core.errors import UsageError
from eatrack_edge.core.registry import Registry

Peer = Hashable
"""The other end of a link, as the connection names it: an address, or the port itself."""


class ConnectionLost(Exception):
    """The connection cannot be opened, or is gone; the message is the reason. Opening it again may help."""


class Connection(Protocol):
    """An open connection. It is opened, used and closed by one thread."""

    is_datagram: bool
    """Whether what ``receive`` delivers are whole datagrams."""

    @property
    def known_peers(self) -> Sequence[Peer]:
        """Who is written to before having been heard, such as the station that a connection was opened to."""
        ...

    def receive(self, timeout_s: float) -> list[tuple[Peer, bytes]]:
        """What came, after a wait of at most ``timeout_s``; empty bytes are a peer that left.

        Raises:
            ConnectionLost: The connection is gone.
        """
        ...

    def send(self, data: bytes, peer: Peer) -> None:
        """Write a packet to a peer, without waiting for one that does not read: it misses the packet.

        Raises:
            ConnectionLost: The connection is gone.
        """
        ...

    def local_host(self, peer: Peer) -> str:
        """This machine's address as the peer reaches it; empty where there is none, as on a serial port."""
        ...

    def close(self) -> None:
        """Give back the socket or port."""
        ...


class Address(NamedTuple):
    """The parts of a connection's name: ``scheme:place:number``."""

    scheme: str
    place: str  # a host, or a device
    number: int  # a port, or bits per second


Opener = Callable[[Address], Connection]
"""Opens a connection. Raises ``ConnectionLost`` where trying again may help, an ``EATrackError`` where it cannot."""

_ROOM = "eatrack_edge.ground.mavlink"
CONNECTIONS: Registry[Opener] = Registry(
    "MAVLink connection",
    {
        "udpout": f"{_ROOM}.udp:UdpOut",
        "udpin": f"{_ROOM}.udp:UdpIn",
        "tcp": f"{_ROOM}.tcp:TcpClient",
        "tcpin": f"{_ROOM}.tcp:TcpServer",
        "serial": f"{_ROOM}.serial_port:SerialPort",
    },
)
_DEFAULT_BAUD = 57600
_EXAMPLES = (
    "for example: udpout:192.168.144.11:14550, udpin:0.0.0.0:14540, tcp:127.0.0.1:5760, serial:/dev/ttyTHS1:921600"
)


def parse_address(text: str) -> Address:
    """The parts of a connection's name.

    Raises:
        UsageError: An unknown scheme, no host or device, or not a port.

    >>> parse_address("udpout:192.168.144.11:14550"), parse_address("serial:/dev/ttyACM0")[1:]
    (Address(scheme='udpout', place='192.168.144.11', number=14550), ('/dev/ttyACM0', 57600))
    """
    scheme, _, rest = text.partition(":")
    if scheme not in CONNECTIONS:
        raise UsageError(f"no MAVLink connection is called `{text}`", hint=_EXAMPLES)
    place, _, number = rest.rpartition(":") if ":" in rest else (rest, "", "")
    if scheme == "serial" and not number:
        number = str(_DEFAULT_BAUD)
    most = 10_000_000 if scheme == "serial" else 65535
    if not place or not (number.isascii() and number.isdigit()) or not 0 < int(number) <= most:
        needed = "a device and bits per second" if scheme == "serial" else "a host and a port"
        raise UsageError(f"a MAVLink connection of {scheme} needs {needed}, got `{text}`", hint=_EXAMPLES)
    return Address(scheme, place.removeprefix("[").removesuffix("]"), int(number))
