"""What a session reads from: frames one by one, with the changes of the link between them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from eatrack_edge.sources.base import Source, SourceFrame


@dataclass(frozen=True, slots=True, eq=False)
class LiveFrame(SourceFrame):
    """A frame, and when it came.

    ``index`` counts every frame that was captured, so a gap in it is frames that were dropped. ``pts_s`` is on this
    machine's clock where the source is live: a stream's own times begin anew when it is reopened.

    Attributes:
        captured_ns: ``time.monotonic_ns()`` when the frame left the decoder. What the camera, the encoder and the
            network took before that is unknown.
        dropped: Frames left out since the frame before, because newer ones had come.
    """

    captured_ns: int = 0
    dropped: int = 0

    def age_ms(self) -> float:
        """Milliseconds since the frame left the decoder."""
        return (time.monotonic_ns() - self.captured_ns) / 1e6


class LinkLost(NamedTuple):
    """Frames stopped coming. The source is being reopened."""

    reason: str
    at_ns: int  # `time.monotonic_ns()`


class LinkFound(NamedTuple):
    """Frames come, for the first time or again."""

    description: str  # what reads the source, such as the GStreamer pipeline
    at_ns: int  # `time.monotonic_ns()`
    outage_s: float  # since the link was lost, or since it was first tried
    size: tuple[int, int] | None = None  # (width, height) of the frames that come, pixels


class SourceEnd(NamedTuple):
    """A finite source has delivered its last frame, or was closed."""


FeedItem = LiveFrame | LinkLost | LinkFound | SourceEnd


class FrameFeed(Protocol):
    """Where a session takes its frames from."""

    def next(self, timeout: float) -> FeedItem | None:
        """The next item; ``None`` when none came within ``timeout`` seconds.

        Raises:
            SourceLost: Frames stopped coming, and the source is not to be reopened.
            EATrackError: The source can never be opened on this machine.
        """
        ...


class EveryFrame:
    """Feeds every frame of a file, each when it is asked for.

    Args:
        source: Read from its start.
    """

    def __init__(self, source: Source) -> None:
        self._frames: Iterator[SourceFrame] = iter(source)

    def next(self, timeout: float) -> FeedItem:
        """Decode the next frame, however long it takes."""
        del timeout
        item = next(self._frames, None)
        if item is None:
            return SourceEnd()
        return as_live(item, time.monotonic_ns())


def as_live(item: SourceFrame, captured_ns: int, dropped: int = 0) -> LiveFrame:
    """A frame of a file with the time at which it was decoded."""
    return LiveFrame(
        item.index,
        item.pts_s,
        item.frame,
        item.truth,
        item.visible,
        item.lost,
        item.is_damaged,
        item.file,
        captured_ns=captured_ns,
        dropped=dropped,
    )
