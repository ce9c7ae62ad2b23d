"""MAVLink over a serial port, such as the one between a Jetson and a flight controller."""

from __future__ import annotations

import os
import select
from collections.abc import Sequence

from eatrack_edge.core.imports import require
from eatrack_edge.core.reasons import as_clause
from eatrack_edge.ground.mavlink.connections import Address, ConnectionLost, Peer

_serial = require("serial", to="open a serial port")  # here, so that the command line refuses what cannot be opened

_READ_BYTES = 4096
_WRITE_S = 0.2  # a packet of 60 bytes takes 10 ms at 57600 bit/s


class SerialPort:
    """A serial port, 8 data bits, no parity, one stop bit, no flow control.

    Args:
        address: The device, and bits per second.
    """

    is_datagram = False

    def __init__(self, address: Address) -> None:
        try:
            self._port = _serial.Serial(address.place, address.number, timeout=0, write_timeout=_WRITE_S)
        except (OSError, ValueError) as error:  # SerialException is an OSError, whose text repeats its number and path
            reason = os.strerror(error.errno) if isinstance(error, OSError) and error.errno else str(error)
            raise ConnectionLost(as_clause(reason)) from error
        self._peer: Peer = address.place

    @property
    def known_peers(self) -> Sequence[Peer]:
        """Whatever is at the other end."""
        return (self._peer,)

    def receive(self, timeout_s: float) -> list[tuple[Peer, bytes]]:
        """See ``Connection``."""
        try:
            ready, _, _ = select.select([self._port.fileno()], [], [], timeout_s)
            data = self._port.read(_READ_BYTES) if ready else b""
        except OSError as error:
            raise ConnectionLost(str(error)) from error
        return [(self._peer, bytes(data))] if data else []

    def send(self, data: bytes, peer: Peer) -> None:
        """See ``Connection``."""
        del peer
        try:
            self._port.write(data)
        except _serial.SerialTimeoutException:  # the other side does not read: it misses the packet
            return
        except OSError as error:
            raise ConnectionLost(str(error)) from error

    def local_host(self, peer: Peer) -> str:
        """A serial port has no address."""
        del peer
        return ""

    def close(self) -> None:
        """See ``Connection``."""
        self._port.close()
