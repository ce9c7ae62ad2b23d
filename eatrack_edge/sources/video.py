"""Frames of a video file, with the file's own times, the right side up, and read on beyond damage."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eatrack_edge.core.errors import InputError, SourceLost
from eatrack_edge.sources.base import SourceFrame, starts_too_late
from eatrack_edge.sources.value_range import ValueRange, as_frame, chosen_range
from eatrack_edge.sources.video_decoding import DamageError, DecodedFrame, Decoding, TailLostError
from eatrack_edge.sources.video_file import PLAY_IT, Display, frame_count_of, opened, rate_of, timeline_of
from eatrack_edge.sources.video_seek import decoding_from


class VideoSource:
    """A video file.

    Times are the file's own, so a variable frame rate stays variable; where they do not grow, frames follow each other
    at the file's rate. Frames have square pixels and are turned as the file asks, so boxes are in pixels of what a
    player shows. Frames that cannot be decoded keep their numbers, see ``SourceFrame.lost``.

    Args:
        path: The file.
        uri: As the user wrote it, for messages; the path when empty.
        start: First frame to deliver, from 0.
        is_threaded: Decode on all cores; ``False`` where each core has a video of its own.
        value_range: Lowest and highest value of grey pictures of more than 8 bits; ``None`` takes the first frame's.

    Attributes:
        value_range: The range in use; ``None`` where pictures have 8 bits.

    Raises:
        InputError: The file is missing, is not a video, has no frame that can be read, or ends before ``start``.
        UsageError: A range is given, and the pictures have 8 bits.
        MissingExtra: PyAV is not installed.
    """

    truth: NDArray[np.float64] | None = None

    def __init__(
        self,
        path: Path,
        *,
        uri: str = "",
        start: int = 0,
        is_threaded: bool = True,
        value_range: ValueRange | None = None,
    ) -> None:
        self.uri = uri or str(path)
        self.name = path.stem
        self._path = path
        self._start = start
        self._threads = "AUTO" if is_threaded else "NONE"
        self._is_closed = False
        with opened(path, self.uri, "NONE") as (container, stream):
            self.fps = rate_of(container, stream)
            self.frame_count = frame_count_of(container, stream)
            if self.frame_count and start >= self.frame_count:
                raise starts_too_late(self.uri, start, self.frame_count)
            first = self._first(Decoding(path, container, stream, timeline_of(container, stream, self.fps)))
            self._display = Display.of(stream, first)
            self.value_range = chosen_range(self.uri, self._display.pixels(first), value_range)
        self.rotation_applied = self._display.orientation.clockwise_degrees
        width, height = self._display.stored_size(first.width, first.height)
        self.size = (height, width) if self._display.orientation.is_transposed else (width, height)

    def _first(self, decoding: Decoding) -> Any:
        try:
            first = next(iter(decoding), None)
        except DamageError as error:
            raise InputError(f"{self.uri}: no frame can be read: {error}", hint=PLAY_IT) from error
        if first is None:
            has = "no frame can be read: all are damaged" if decoding.lost_at_end else "the video has no frames"
            raise InputError(f"{self.uri}: {has}", hint=PLAY_IT)
        return first.picture

    def __iter__(self) -> Iterator[SourceFrame]:
        """Read from ``start`` to the end.

        Raises:
            InputError: The file holds no frame ``start`` after all.
            SourceLost: The file ends before it should; all frames before were delivered.
        """
        following = self._start
        try:
            for read in self._read(self._start):
                if self._is_closed:
                    return
                following = read.index + 1
                yield read
        except DamageError as error:
            count = following - self._start
            hint = f"the file was cut off there; --max-frames {count} stops before it" if count else PLAY_IT
            raise SourceLost(f"{self.uri}: frame {following} cannot be read: {error}", hint=hint) from error
        if following == self._start and not self._is_closed:
            raise starts_too_late(self.uri, self._start, self.frame_count)

    def _read(self, start: int) -> Iterator[SourceFrame]:
        """Frames from ``start`` on, with a stand-in for each that was lost."""
        following, last, skipped = start, None, None
        for threads in (self._threads, "NONE"):
            with decoding_from(self._path, self.uri, threads, self.fps, following) as decoding:
                try:
                    for decoded in decoding:
                        if decoded.place.number < following:
                            skipped = decoded
                            continue
                        read = self._frame(decoded)
                        if last is None and skipped is not None and read.index > following:
                            last = self._frame(skipped)
                        yield from _stand_ins(last or read, following, read.index, read.pts_s, 1 / self.fps)
                        yield read
                        following, last = read.index + 1, read
                except TailLostError:
                    continue  # once more without threads, which lose nothing
                if last is None and skipped is not None:
                    last = self._frame(skipped)
                if last is not None:
                    end = last.index + 1 + decoding.lost_at_end
                    end_s = last.pts_s + (1 + decoding.lost_at_end) / self.fps
                    yield from _stand_ins(last, following, end, end_s, 1 / self.fps)
            return

    def _frame(self, decoded: DecodedFrame) -> SourceFrame:
        frame = as_frame(self.uri, self._display.pixels(decoded.picture), self.value_range)
        upright = self._display.orientation.apply(frame)
        return SourceFrame(*decoded.place[:2], upright, is_damaged=bool(decoded.picture.is_corrupt))

    def close(self) -> None:
        """End an iteration under way."""
        self._is_closed = True

    def __enter__(self) -> VideoSource:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _stand_ins(shown: SourceFrame, begin: int, end: int, end_s: float, interval_s: float) -> Iterator[SourceFrame]:
    """One frame for each lost one from number ``begin`` to before ``end``, evenly spaced up to ``end_s``."""
    if shown.index < begin < end:
        interval_s = (end_s - shown.pts_s) / (end - shown.index)
    for index in range(begin, end):
        yield SourceFrame(index, end_s - (end - index) * interval_s, shown.frame, lost=end - index)
