"""Frames of a video file, with the file's own times and the right side up."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray

from eatrack_edge.core.crops import Frame
from eatrack_edge.core.errors import InputError, SourceLost
from eatrack_edge.core.imports import require
from eatrack_edge.sources import video_decoding as decoding
from eatrack_edge.sources.base import SourceFrame, starts_too_late
from eatrack_edge.sources.video_decoding import DamageError, Orientation

_FALLBACK_FPS = 30.0  # for the rare file that states no rate at all
_PLAY_IT = "check that it plays; ffprobe shows what is inside"


class VideoSource:
    """A video file.

    Times are the file's own, so a variable frame rate stays variable. Frames are turned as the file asks
    (phones and gimbals write this), so boxes are in pixels of what a player shows.

    Args:
        path: The file.
        uri: As the user wrote it, for messages; the path when empty.
        start: First frame to deliver, from 0.
        is_threaded: Decode on all cores; ``False`` where each core has a video of its own.

    Raises:
        InputError: The file is missing, is not a video, has no frame that can be read, or ends before ``start``.
        MissingExtra: PyAV is not installed.
    """

    truth: NDArray[np.float64] | None = None

    def __init__(self, path: Path, *, uri: str = "", start: int = 0, is_threaded: bool = True) -> None:
        self.uri = uri or str(path)
        self.name = path.stem
        self._path = path
        self._start = start
        self._threads = "AUTO" if is_threaded else "NONE"
        self._is_closed = False
        with self._opened() as (_, stream, frames):
            try:
                first = next(frames, None)
            except DamageError as error:
                raise InputError(f"{self.uri}: no frame can be read: {error}", hint=_PLAY_IT) from error
            if first is None:
                raise InputError(f"{self.uri}: the video has no frames", hint=_PLAY_IT)
            self.fps = float(stream.average_rate or stream.guessed_rate or _FALLBACK_FPS)
            self.frame_count = int(stream.frames) or None
            self._time_base = stream.time_base
        self._origin = first.pts or 0
        self._orientation = Orientation.of(first)
        self.rotation_applied = self._orientation.clockwise_degrees
        width, height = int(first.width), int(first.height)
        self.size = (height, width) if self._orientation.is_transposed else (width, height)
        if self.frame_count and start >= self.frame_count:
            raise starts_too_late(self.uri, start, self.frame_count)

    def __iter__(self) -> Iterator[SourceFrame]:
        """Read from ``start`` to the end.

        Raises:
            InputError: The file holds no frame ``start`` after all.
            SourceLost: A frame cannot be read, or the file ends before it should; all frames before were delivered.
        """
        index = self._start
        try:
            for read in self._read(index, threads=self._threads):
                index = read.index + 1
                yield read
        except DamageError as error:
            # Threads decode ahead, so good frames before the damage were lost with it: read those one by one.
            with suppress(DamageError):
                for read in self._read(index, threads="NONE"):
                    index = read.index + 1
                    yield read
            raise SourceLost(
                f"{self.uri}: frame {index} cannot be read: {error}",
                hint=f"the file is damaged there; --max-frames {index - self._start} stops before it",
            ) from error

    def _read(self, start: int, *, threads: str) -> Iterator[SourceFrame]:
        last, index = None, start
        with self._opened(threads) as (container, stream, frames):
            if start:
                frames = decoding.decoded_from(container, stream, start)
            for index, last in enumerate(frames, start):
                if self._is_closed:
                    return
                yield self._turned(last, index)
            if last is not None and decoding.ends_early(stream, last, index + 1):
                raise DamageError("the file ends before it")
        if last is None and start == self._start:
            raise starts_too_late(self.uri, start, self.frame_count)

    def _turned(self, decoded: Any, index: int) -> SourceFrame:
        pts_s = index / self.fps if decoded.pts is None else float((decoded.pts - self._origin) * self._time_base)
        stored = cast("Frame", decoded.to_ndarray(format="bgr24"))
        return SourceFrame(index, pts_s, self._orientation.apply(stored))

    @contextmanager
    def _opened(self, threads: str = "NONE") -> Iterator[tuple[Any, Any, Iterator[Any]]]:
        av = require("av", to="read a video")
        if not self._path.is_file():
            raise InputError(f"{self.uri}: no such file")
        try:
            container = av.open(str(self._path))
        except av.error.FFmpegError as error:
            raise InputError(f"{self.uri}: not a video: {decoding.reason(error)}", hint=_PLAY_IT) from error
        try:
            if not container.streams.video:
                raise InputError(f"{self.uri}: the file has no video stream", hint=_PLAY_IT)
            stream = container.streams.video[0]
            stream.thread_type = threads
            yield container, stream, decoding.decoded(container, stream)
        finally:
            container.close()

    def close(self) -> None:
        """End an iteration under way."""
        self._is_closed = True

    def __enter__(self) -> VideoSource:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
