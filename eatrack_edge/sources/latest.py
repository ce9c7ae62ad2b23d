"""The newest frame of a live source: a thread captures, a mailbox of one slot holds what it captured last."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Iterator
from types import TracebackType
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from eatrack_edge.core.errors import EATrackError, SourceLost
from eatrack_edge.core.frames import frame_size
from eatrack_edge.core.mailbox import Mailbox
from eatrack_edge.sources.feed import FeedItem, LinkFound, LinkLost, LiveFrame, SourceEnd, as_live
from eatrack_edge.sources.link import Link, LinkError, LinkOpener, Picture, back_off
from eatrack_edge.sources.live_options import LiveOptions
from eatrack_edge.sources.live_uri import without_password

_FALLBACK_FPS = 30.0  # for a source that states no rate
# A reader that is stuck inside a driver, past its own timeout, is reported as lost after so many read timeouts.
_STUCK_AFTER = 1.5


class _Captured(NamedTuple):
    number: int  # counts every captured picture, from 0
    picture: Picture


class _Failure(NamedTuple):
    error: EATrackError


class LiveSource:
    """A camera or a stream that delivers its newest frame, and is reopened when it dies.

    Nothing is opened before the first frame, the size or the rate is asked for. A thread then captures until
    ``close``. A frame that was not taken when the next one comes is dropped and counted.

    Args:
        opener: Opens a link; called again for every attempt.
        name: Short name for results.
        uri: As the user wrote it, without a password.
        options: How to open it; the timeouts and ``reopen`` matter here.
    """

    rotation_applied: int = 0
    frame_count: int | None = None
    truth: NDArray[np.float64] | None = None

    def __init__(self, opener: LinkOpener, *, name: str, uri: str, options: LiveOptions | None = None) -> None:
        self.name, self.uri = name, uri
        self._opener = opener
        self._options = options or LiveOptions()
        self._mailbox: Mailbox[_Captured | _Failure | LinkLost | LinkFound | SourceEnd] = Mailbox()
        self._waiting: deque[FeedItem] = deque()  # items that were looked at before they were asked for
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None
        self._link: Link | None = None  # that the thread reads
        self._is_up: bool | None = None  # what the consumer was told last
        self._next_number = 0
        self._origin_ns: int | None = None
        self._last_ns = time.monotonic_ns()
        self._fps: float | None = None

    @property
    def dropped(self) -> int:
        """Frames that were dropped so far."""
        return self._mailbox.dropped

    @property
    def fps(self) -> float:
        """Frames per second as the source states them; 30 where it does not. Waits for the first frame."""
        self._wait_for_frame()
        return self._fps or self._options.rate or _FALLBACK_FPS

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of the newest frame, pixels. Waits for the first one.

        Raises:
            SourceLost: None came within ``open_timeout_s``.
        """
        return self._wait_for_frame().size

    def next(self, timeout: float) -> FeedItem | None:
        """The newest frame, or the change of the link that came before it; see ``FrameFeed``."""
        self._start()
        if self._waiting:
            return self._waiting.popleft()
        item = self._mailbox.get(timeout)
        if item is None:
            return SourceEnd() if self._mailbox.is_closed else self._stuck()
        if isinstance(item, _Failure):
            raise item.error
        if isinstance(item, _Captured):
            return self._delivered(item)
        if isinstance(item, LinkFound | LinkLost):
            if self._is_up == isinstance(item, LinkFound):
                return self.next(0)  # another attempt failed, or the watch for a stuck reader was quicker
            self._is_up, self._last_ns = isinstance(item, LinkFound), item.at_ns
        return item

    def _delivered(self, item: _Captured) -> FeedItem:
        picture = item.picture
        dropped, self._next_number = item.number - self._next_number, item.number + 1
        if picture.original is not None:
            frame = as_live(picture.original, picture.captured_ns, dropped)
        else:
            if self._origin_ns is None:
                self._origin_ns = picture.captured_ns
            pts_s = (picture.captured_ns - self._origin_ns) / 1e9
            captured_ns = picture.captured_ns
            frame = LiveFrame(item.number, pts_s, picture.to_frame(), captured_ns=captured_ns, dropped=dropped)
        since, self._last_ns = self._last_ns, time.monotonic_ns()
        if not self._is_up:
            self._is_up = True
            self._waiting.append(frame)
            return LinkFound("the reader goes on", self._last_ns, (self._last_ns - since) / 1e9, frame.size)
        return frame

    def _stuck(self) -> LinkLost | None:
        silent_s = (time.monotonic_ns() - self._last_ns) / 1e9
        if not self._is_up or silent_s < _STUCK_AFTER * self._options.read_timeout_s:
            return None
        self._is_up = False
        return LinkLost(f"no frame for {silent_s:.1f} s, and the reader does not answer", time.monotonic_ns())

    def _wait_for_frame(self) -> LiveFrame:
        deadline = time.monotonic() + self._options.open_timeout_s + self._options.read_timeout_s
        looked_at = list(self._waiting)
        while not any(isinstance(item, LiveFrame) for item in looked_at):
            self._waiting.clear()
            item = self.next(0.1)
            looked_at += [] if item is None else [item]
            self._waiting.extend(looked_at)
            if time.monotonic() > deadline or isinstance(item, SourceEnd):
                raise SourceLost(f"{self.uri}: no frame came within {self._options.open_timeout_s:g} s")
        self._waiting = deque(looked_at)
        return next(item for item in looked_at if isinstance(item, LiveFrame))

    def _start(self) -> None:
        if self._thread is None and not self._closing.is_set():
            self._last_ns = time.monotonic_ns()
            self._thread = threading.Thread(target=self._capture, name=f"capture {self.name}", daemon=True)
            self._thread.start()

    def _capture(self) -> None:
        try:
            self._capture_until_closed()
        except EATrackError as error:
            self._mailbox.put(_Failure(error), is_notice=True)
        except Exception as error:  # a reader's bug must end the run, not leave it waiting
            reason = without_password(repr(error))
            self._mailbox.put(_Failure(SourceLost(f"{self.uri}: the reader failed: {reason}")), is_notice=True)

    def _capture_until_closed(self) -> None:
        number, lost_ns, waits = 0, time.monotonic_ns(), back_off()
        while not self._closing.is_set():
            before = number
            try:
                for picture in self._pictures():
                    if number == before:
                        self._mailbox.put(self._found(lost_ns, picture), is_notice=True)
                    self._mailbox.put(_Captured(number, picture))
                    number += 1
                self._mailbox.put(SourceEnd(), is_notice=True)
                self._mailbox.close()
                return
            except LinkError as error:
                if not self._options.reopen:
                    raise SourceLost(f"{self.uri}: {error}", hint="see that it is there, and start again") from error
                if number > before:
                    lost_ns, waits = time.monotonic_ns(), back_off()
                    self._mailbox.clear()  # a frame from before is of no use
                self._mailbox.put(LinkLost(str(error), time.monotonic_ns()), is_notice=True)
            self._closing.wait(next(waits))

    def _found(self, lost_ns: int, first: Picture) -> LinkFound:
        now = time.monotonic_ns()
        frame = first.original.frame if first.original is not None else first.to_frame()
        return LinkFound(self._description, now, (now - lost_ns) / 1e9, frame_size(frame))

    def _pictures(self) -> Iterator[Picture]:
        """Pictures of one link, to its death or the end of a finite source."""
        link = self._link = self._opener()
        try:
            self._description, self._fps = link.description, link.fps
            while not self._closing.is_set() and (picture := link.read()) is not None:
                yield picture
        finally:
            self._link = None
            link.close()

    def __iter__(self) -> Iterator[LiveFrame]:
        """The newest frame each time one is asked for, until the source ends or is closed.

        Raises:
            SourceLost: Frames stopped coming, and the source is not to be reopened.
        """
        while not isinstance(item := self.next(0.5), SourceEnd):
            if isinstance(item, LiveFrame):
                yield item

    def close(self) -> None:
        """Stop capturing; an iteration under way ends."""
        self._closing.set()
        if (link := self._link) is not None:
            link.interrupt()
        self._mailbox.close()
        if self._thread is not None and self._thread is not threading.current_thread():
            # A reader that is stuck in a driver is left behind: it is a daemon thread, and what it delivers is ignored.
            self._thread.join(2 * self._options.read_timeout_s)

    def __enter__(self) -> LiveSource:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
