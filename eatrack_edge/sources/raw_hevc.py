"""Whether a raw HEVC was cut off within its last frame: FFmpeg decodes what is left of it without a word.

A frame that is whole says itself where it ends, so what follows it changes nothing. A frame that was cut off is read on
into what follows. So its bytes are decoded twice, alone, with two different tails: pictures that differ prove the cut.
What a frame refers to is missing then, which changes its pixels, but not how it is read.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eatrack_edge.core.imports import require

_START = b"\x00\x00\x01"  # before each part of a stream
_PARAMETERS = range(32, 35)  # types of the parts that say how all others are read
_TAILS = (b"\x55" * 64, b"\xaa" * 64)


class RawHevc:
    """Follows the packets of a raw HEVC, for a look at the last."""

    def __init__(self) -> None:
        self._parameters: tuple[bytes, ...] = ()
        self._is_changed = False

    def see(self, packet: bytes) -> None:
        """Note what a packet says of how all are read."""
        found = tuple(part for part in _parts(packet) if part[0] >> 1 & 0x3F in _PARAMETERS)
        self._parameters = self._parameters or found
        self._is_changed |= not set(found) <= set(self._parameters)

    def is_cut(self, packet: bytes) -> bool:
        """Whether the last packet, seen already, ends within a frame. In doubt it does not.

        A cut within the first bytes, of which no picture can be made, and one that changes nothing are not found.
        """
        if not self._parameters or self._is_changed:  # which of them the last frame needs is not looked into
            return False
        head = b"".join(_START + part for part in self._parameters)
        one, other = (_decoded(head + packet + tail) for tail in _TAILS)
        return len(one) != len(other) or not all(map(np.array_equal, one, other))


def _parts(packet: bytes) -> Iterator[bytes]:
    return filter(None, (part.rstrip(b"\x00") for part in packet.split(_START)[1:]))


def _decoded(content: bytes) -> list[NDArray[Any]]:
    """The pictures of one frame that is decoded alone."""
    av = require("av", to="read a video")
    decoder = av.CodecContext.create("hevc", "r")
    decoder.thread_type, decoder.thread_count = "NONE", 1  # the same bytes must give the same picture
    decoder.flags |= av.codec.context.Flags.output_corrupt
    pictures: list[NDArray[Any]] = []
    for packet in (av.Packet(content), None):
        with suppress(av.error.FFmpegError, ValueError):  # nothing to be seen, or in a format that numpy does not have
            pictures += [picture.to_ndarray() for picture in decoder.decode(packet)]
    return pictures
