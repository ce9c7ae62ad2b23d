"""Simulated links: pictures at a fixed rate that carry their number, and deaths to order."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import numpy as np

from eatrack_edge.core.crops import Frame
from eatrack_edge.sources.link import LinkError, Picture


class SimulatedLink:
    """Makes ``fps`` pictures a second on its own clock, as a camera does, then dies or ends.

    Args:
        fps: 0 makes them as fast as they are read.
        count: Pictures to make.
        reason: Why it dies after the last; ``None`` is the end of a finite source.
        size: (width, height), pixels.
    """

    description = "simulated"

    def __init__(
        self,
        fps: float = 0,
        count: int = 1_000_000_000,
        reason: str | None = "unplugged",
        size: tuple[int, int] = (64, 48),
        picture: Callable[[int], Frame] | None = None,
    ) -> None:
        self.fps: float | None = fps or None
        self._count, self._reason = count, reason
        self._blank = np.full((size[1], size[0], 3), 90, np.uint8)
        self._picture = picture or (lambda _number: self._blank)
        self._number = 0
        self._due = time.monotonic()
        self.is_closed = False

    def read(self) -> Picture | None:
        if self._number == self._count:
            if self._reason is None:
                return None
            raise LinkError(self._reason)
        if self.fps:
            self._due += 1 / self.fps
            time.sleep(max(0.0, self._due - time.monotonic()))
        number = self._number
        self._number += 1
        return Picture(time.monotonic_ns(), lambda: self._picture(number))

    def interrupt(self) -> None:
        pass

    def close(self) -> None:
        self.is_closed = True


class StuckLink(SimulatedLink):
    """Delivers one picture and then hangs as a driver does, deaf to every timeout, until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.let_go = threading.Event()

    def read(self) -> Picture | None:
        if self._number == 1:
            self.let_go.wait(20)
        return super().read()


def threads() -> set[str]:
    return {thread.name for thread in threading.enumerate()}
