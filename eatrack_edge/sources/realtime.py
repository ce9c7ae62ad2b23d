"""Plays a file as if it were live: frames come at their own times, whether somebody takes them or not."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

from eatrack_edge.sources.base import Source, SourceFrame
from eatrack_edge.sources.latest import LiveSource
from eatrack_edge.sources.link import Picture
from eatrack_edge.sources.live_options import LiveOptions


class RealtimeLink:
    """A file as a link: each frame is delivered when its time has come.

    Args:
        source: Read from its start; it stays open.
    """

    description = "a file, played at its own speed"

    def __init__(self, source: Source) -> None:
        self.fps: float | None = source.fps
        self._frames: Iterator[SourceFrame] = iter(source)
        self._interrupted = threading.Event()
        self._begin_s: float | None = None  # of the clock, when the first frame was shown

    def read(self) -> Picture | None:
        """The next frame, at its time; ``None`` at the end of the file."""
        item = next(self._frames, None)
        if item is None:
            return None
        if self._begin_s is None:
            self._begin_s = time.monotonic() - item.pts_s
        self._interrupted.wait(max(0.0, self._begin_s + item.pts_s - time.monotonic()))
        return Picture(time.monotonic_ns(), lambda: item.frame, item)

    def interrupt(self) -> None:
        """End a wait: frames may be a minute apart."""
        self._interrupted.set()

    def close(self) -> None:
        """Nothing to close: the source stays open."""


class RealtimeSource(LiveSource):
    """A file that is played as if it were live: frames that come while the consumer is busy are dropped and counted.

    Args:
        source: Any source of files; closed with this one.
    """

    def __init__(self, source: Source) -> None:
        super().__init__(lambda: RealtimeLink(source), name=source.name, uri=source.uri, options=LiveOptions())
        self._source = source
        self.rotation_applied = source.rotation_applied
        self.frame_count = source.frame_count
        self.truth = source.truth

    @property
    def fps(self) -> float:
        """Frames per second of the file."""
        return self._source.fps

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of the file, pixels."""
        return self._source.size

    def close(self) -> None:
        """Stop, and close the file."""
        super().close()
        self._source.close()
