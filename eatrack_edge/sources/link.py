"""One connection to a camera or a stream, from its opening to its death."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from typing import NamedTuple, Protocol

from eatrack_edge.core.crops import Frame
from eatrack_edge.sources.base import SourceFrame

# The last one for ever. A wait of 2 s in the first seconds would break the promise of 3 s from the return of a server
# to the first tracked frame: opening RTSP takes 1.4 s of them.
_BACK_OFF_S = (0.5, *(8 * (1.0,)), 2.0, 4.0)


class LinkError(Exception):
    """The link is gone, or cannot be opened; the message is the reason. Opening it again may help."""


class Picture(NamedTuple):
    """A picture as it left the decoder. It becomes a frame only if somebody takes it."""

    captured_ns: int  # `time.monotonic_ns()` when it left the decoder, or earlier where the source says when
    to_frame: Callable[[], Frame]
    original: SourceFrame | None = None  # of a file that is played as if it were live


class Link(Protocol):
    """One connection. It is opened, read and closed by one thread; ``interrupt`` alone is called by others."""

    @property
    def description(self) -> str:
        """What reads it, such as the GStreamer pipeline."""
        ...

    @property
    def fps(self) -> float | None:
        """Frames per second as the source states them; ``None`` where it does not."""
        ...

    def read(self) -> Picture | None:
        """The next picture; ``None`` at the end of a source that is finite.

        Raises:
            LinkError: The link is gone: no frame for ``read_timeout_s``, an end of a live stream, or any failure.
        """
        ...

    def interrupt(self) -> None:
        """End a wait of ``read`` for a frame's time, now and for good: the link is about to be closed."""
        ...

    def close(self) -> None:
        """Give back sockets, devices and decoders. A second call does nothing."""
        ...


LinkOpener = Callable[[], Link]
"""Opens a link. Raises ``LinkError`` where trying again may help, an ``EATrackError`` where it cannot."""


def back_off() -> Iterator[float]:
    """Seconds to wait before each further attempt: 0.5, 1 for a few seconds, 2, 4 for ever; shortened by up to a half.

    The jitter keeps several drones from asking one server at the same moment. It only shortens, so that the longest
    wait stays 4 s.
    """
    place = 0
    while True:
        yield _BACK_OFF_S[place] * random.uniform(0.5, 1.0)
        place = min(place + 1, len(_BACK_OFF_S) - 1)
