"""Finds MAVLink packets in bytes that came over a link."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from types import ModuleType
from typing import Any, NamedTuple

from eatrack_edge.core.imports import require

# As in the MAVLink serialization guide: marker, length, ..., payload, checksum of 2 bytes, signature of 13 if flagged.
_MARKERS = b"\xfd\xfe"  # of MAVLink 2 and 1
_HEADER = {0xFD: 10, 0xFE: 6}
_IS_SIGNED = 1
_MOST_HELD = 4096  # bytes; a packet has at most 280


class _Header(NamedTuple):
    size: int  # of the whole packet, bytes
    message_id: int
    is_signed: bool


def load_dialect() -> ModuleType:
    """Import pymavlink's messages, those of ``common.xml``.

    Raises:
        MissingExtra: pymavlink is not installed.
    """
    return require("pymavlink.dialects.v20.common", to="be a MAVLink camera")


class PacketReader:
    """Takes bytes of one sender as they come, and delivers the messages in them.

    pymavlink's own parser skips as many bytes as a damaged header names, and with them the packets that follow; and it
    keeps all bytes of a stream that never pauses. This one goes on with the byte after the damage and keeps little.

    Args:
        dialect: From ``load_dialect``.
        wanted: Numbers of the messages to decode. Others, such as an autopilot's telemetry, are checked and skipped.
    """

    def __init__(self, dialect: ModuleType, wanted: Collection[int]) -> None:
        self._dialect, self._wanted = dialect, frozenset(wanted)
        self._decoder = dialect.MAVLink(None)
        self._held = bytearray()
        self.is_heard = False  # whether a packet with a valid checksum came

    def feed(self, data: bytes, *, is_datagram: bool) -> Iterator[Any]:
        """Take bytes.

        Args:
            data: What came.
            is_datagram: A packet never goes on in the next datagram, so that what is left of this one is dropped.

        Yields:
            pymavlink's messages.
        """
        self._held += data
        place = 0
        while (place := self._next_marker(place)) < len(self._held):
            header = self._header_at(place)
            if header is None or place + header.size > len(self._held):
                if not is_datagram:
                    break
                place += 1
                continue
            packet = self._held[place : place + header.size]
            is_valid = self._is_valid(packet, header)
            place += header.size if is_valid else 1
            if is_valid and header.message_id in self._wanted:
                yield self._decoder.decode(packet)
        del self._held[: len(self._held) if is_datagram else max(place, len(self._held) - _MOST_HELD)]

    def _next_marker(self, place: int) -> int:
        """Where the next packet may begin; the end of what is held where nowhere."""
        found = (self._held.find(marker, place) for marker in _MARKERS)
        return min((one for one in found if one >= 0), default=len(self._held))

    def _header_at(self, place: int) -> _Header | None:
        """The header there; ``None`` while part of it is missing."""
        marker = self._held[place]
        header = self._held[place : place + _HEADER[marker]]
        if len(header) < _HEADER[marker]:
            return None
        if marker == 0xFE:
            return _Header(len(header) + header[1] + 2, header[5], False)
        is_signed = bool(header[2] & _IS_SIGNED)
        return _Header(len(header) + header[1] + 2 + 13 * is_signed, int.from_bytes(header[7:10], "little"), is_signed)

    def _is_valid(self, packet: bytearray, header: _Header) -> bool:
        """Whether the checksum is right. It covers the layout of the message, so that an unknown one has none."""
        message = self._dialect.mavlink_map.get(header.message_id)
        has_unknown_flags = packet[0] == 0xFD and packet[2] & ~_IS_SIGNED
        if message is None or has_unknown_flags:
            return False
        end = len(packet) - 13 * header.is_signed
        checked = bytes(packet[1 : end - 2]) + bytes([message.crc_extra])
        is_valid = self._dialect.x25crc(checked).crc == int.from_bytes(packet[end - 2 : end], "little")
        self.is_heard = self.is_heard or is_valid
        return bool(is_valid)
