"""What PyAV has to say about a video file: its frames, their times, which side is up, and where it is damaged."""

from __future__ import annotations

import bisect
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any

import numpy as np

from eatrack_edge.core.crops import Frame
from eatrack_edge.core.imports import require


class DamageError(Exception):
    """The next frame cannot be read; the message is the reason."""


@dataclass(frozen=True, slots=True)
class Orientation:
    """How stored pixels become displayed ones: one of the eight ways to turn and mirror a picture.

    Attributes:
        is_transposed: Rows become columns, before the mirroring.
        is_mirrored_x: Left and right are swapped.
        is_mirrored_y: Top and bottom are swapped.
    """

    is_transposed: bool = False
    is_mirrored_x: bool = False
    is_mirrored_y: bool = False

    @classmethod
    def from_display_matrix(cls, matrix: bytes) -> Orientation:
        """Read the 3x3 matrix of a track header: nine native int32, ``x' = a x + c y`` and ``y' = b x + d y``.

        A turn that is not a whole quarter is taken to the nearest, as video players do.
        """
        a, b, _, c, d = (int(value) for value in np.frombuffer(matrix, np.int32, count=5))
        if abs(b) > abs(a):
            return cls(True, c < 0, b < 0)
        return cls(False, a < 0, d < 0)

    @classmethod
    def of(cls, decoded: Any) -> Orientation:
        """The orientation that a decoded frame carries; upright when it carries none."""
        for item in decoded.side_data:
            # PyAV 19 iterates over the types, earlier ones over the entries. The type's class has moved, not its name.
            entry = item if hasattr(item, "type") else decoded.side_data[item]
            if getattr(entry.type, "name", "") == "DISPLAYMATRIX":
                return cls.from_display_matrix(bytes(entry))
        return cls()

    @property
    def clockwise_degrees(self) -> int:
        """Clockwise turn, 0, 90, 180 or 270; a mirrored picture counts as its turn alone."""
        if self.is_transposed:
            return 270 if self.is_mirrored_y else 90
        return 180 if self.is_mirrored_y else 0

    def apply(self, frame: Frame) -> Frame:
        """Turn a stored frame the right side up; the result is contiguous."""
        if self.is_transposed:
            frame = frame.transpose(1, 0, 2)
        if self.is_mirrored_x:
            frame = frame[:, ::-1]
        if self.is_mirrored_y:
            frame = frame[::-1]
        return np.ascontiguousarray(frame)


def decoded(container: Any, stream: Any) -> Iterator[Any]:
    """Frames in the order they are shown, from where the container stands.

    Raises:
        DamageError: The next frame cannot be read. Without threads, good frames that the decoder still held came
            before it; with threads they are lost, for the decoder may be ahead and hold frames from beyond the damage.
    """
    failure = require("av", to="read a video").error.FFmpegError
    try:
        for packet in container.demux(stream):
            if packet.is_corrupt:
                raise DamageError("the file ends in the middle of it")
            yield from packet.decode()
    except (failure, DamageError) as error:
        if str(stream.thread_type).endswith("NONE"):
            yield from _held_back(stream, failure)
        raise DamageError(reason(error)) from error


def _held_back(stream: Any, failure: type[Exception]) -> list[Any]:
    try:
        return list(stream.codec_context.decode(None))
    except failure:
        return []


def decoded_from(container: Any, stream: Any, start: int) -> Iterator[Any]:
    """Frames from number ``start`` of the file on, by way of a key frame before it where the file allows.

    Raises:
        DamageError: The next frame cannot be read.
    """
    number, frames = _near(container, stream, start) if _has_index(container) else (0, decoded(container, stream))
    for frame in frames:
        if number >= start:
            yield frame
        number += 1


def _near(container: Any, stream: Any, start: int) -> tuple[int, Iterator[Any]]:
    """A frame number at or before ``start``, and the frames from there on."""
    times = _presentation_times(container, stream)
    if start < len(times):
        container.seek(times[start], stream=stream)
        frames = decoded(container, stream)
        first = next(frames, None)
        # A file's index may point at a key frame that is shown later than asked for.
        if first is not None and first.pts <= times[start]:
            return bisect.bisect_left(times, first.pts), chain([first], frames)
    container.seek(times[0] if times else 0, stream=stream)
    return 0, decoded(container, stream)


def _has_index(container: Any) -> bool:
    """Whether the file says where its key frames are; in others, such as MPEG-TS, seeking is a guess."""
    return any(name in container.format.name for name in ("mp4", "matroska"))


def _presentation_times(container: Any, stream: Any) -> list[int]:
    """Times of all frames, sorted, from the packets alone; empty where they do not tell frames apart."""
    times: list[int | None] = []
    try:
        times.extend(packet.pts for packet in container.demux(stream) if packet.size and not packet.is_discard)
    except require("av", to="read a video").error.FFmpegError:
        pass  # damage further on; the frames up to there can still be found
    known = sorted(time for time in times if time is not None)
    return known if len(set(known)) == len(times) else []


def ends_early(stream: Any, last: Any, count: int) -> bool:
    """Whether the file promised more video after its frame number ``count``, the ``last``: a copy that was cut off.

    A trimmed recording may hold fewer frames than it says, but the duration that it states is trimmed too.
    """
    if count >= stream.frames or not stream.duration or last.pts is None:
        return False
    interval = stream.duration / stream.frames
    return bool(last.pts - (stream.start_time or 0) + 2.5 * interval < stream.duration)


def reason(error: Exception) -> str:
    """What went wrong, without PyAV's error numbers and file names."""
    return str(getattr(error, "strerror", None) or error).partition(": ")[0]
