"""Opens a video file: which stream is the flight, at which rate, and in which shape its pixels are shown."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from eatrack_edge.core.errors import InputError
from eatrack_edge.core.imports import require
from eatrack_edge.core.reasons import reason_of
from eatrack_edge.sources.file_kinds import NOT_VIDEO_FORMATS, is_unfinished_mp4, what_else
from eatrack_edge.sources.frame_times import Timeline
from eatrack_edge.sources.orientation import Orientation
from eatrack_edge.sources.video_decoding import reason

_FALLBACK_FPS = 30.0  # for the rare file that states no rate at all
_HIGHEST_FPS = 1000.0  # above this it is a clock, not a rate
_NEARLY_SQUARE = 0.01  # pixels this near to square are: sizes were rounded when the video was scaled
PLAY_IT = "check that it plays; ffprobe shows what is inside"
_FINISH_IT = (
    "the recorder was cut off before it wrote its index; `untrunc` rebuilds one from a sound video of that camera"
)


@contextmanager
def opened(path: Path, uri: str, threads: str) -> Iterator[tuple[Any, Any]]:
    """Open a file and choose its video stream, as FFmpeg does.

    Args:
        path: The file.
        uri: As the user wrote it, for messages.
        threads: ``AUTO`` or ``NONE``.

    Raises:
        InputError: The file is missing, cannot be read, or holds no video.
        MissingExtra: PyAV is not installed.
    """
    av = require("av", to="read a video")
    _check_file(path, uri)
    with path.open("rb") as file:
        try:
            # By its bytes where the name has some that are not UTF-8; as a file where it reads like an address.
            name: object = f"file:{path}" if _is_utf8(str(path)) else file
            container = av.open(name, metadata_errors="replace")
        except av.error.FFmpegError as error:
            if is_unfinished_mp4(path):
                raise InputError(f"{uri}: the recording has no index (moov)", hint=_FINISH_IT) from error
            raise InputError(f"{uri}: not a video: {reason(error)}", hint=PLAY_IT) from error
        try:
            yield container, _flight(container, uri, threads)
        finally:
            container.close()


def _check_file(path: Path, uri: str) -> None:
    if not path.is_file():
        raise InputError(f"{uri}: no such file")
    try:
        words = what_else(path)
    except OSError as error:
        raise InputError(f"{uri}: cannot be read: {reason_of(error)}") from error
    if words:
        raise InputError(f"{uri}: not a video: it is {words}")


def _is_utf8(name: str) -> bool:
    try:
        return bool(name.encode())
    except UnicodeEncodeError:
        return False


def _flight(container: Any, uri: str, threads: str) -> Any:
    kind = next((kind for kind in container.format.name.split(",") if kind in NOT_VIDEO_FORMATS), "")
    if kind:
        raise InputError(f"{uri}: not a video: it is {NOT_VIDEO_FORMATS[kind]}")
    stream = container.streams.best("video")
    if stream is None:
        raise InputError(f"{uri}: the file has no video stream", hint=PLAY_IT)
    if "attached_pic" in str(getattr(stream.disposition, "name", "")).lower():
        raise InputError(f"{uri}: the file has a cover picture, but no video", hint=PLAY_IT)
    if stream.codec_context is None:
        raise InputError(f"{uri}: this FFmpeg cannot decode the video stream", hint=PLAY_IT)
    stream.thread_type = threads
    # As players do: show what refers to a damaged frame, instead of nothing up to the next key frame.
    stream.codec_context.flags |= require("av", to="read a video").codec.context.Flags.output_corrupt
    return stream


def rate_of(container: Any, stream: Any) -> float:
    """Frames per second, the average where the rate varies; that of the codec where the file has no times."""
    average, coded = stream.average_rate, getattr(stream.codec_context, "framerate", None)
    has_times = container.duration is not None
    # AVI counts the fields of H.264, which are two a frame.
    if coded and (not has_times or (average and abs(average / coded - 2) < 0.01)):
        average = coded
    for rate in (average, stream.guessed_rate):
        if rate and 0 < rate < _HIGHEST_FPS:
            return float(rate)
    return _FALLBACK_FPS


def frame_count_of(container: Any, stream: Any) -> int | None:
    """Frames that the file's index lists and shows; ``None`` where there is no complete index."""
    if not any(name in container.format.name.split(",") for name in ("mp4", "avi")) or not stream.frames:
        return None
    entries = getattr(stream, "index_entries", None)
    if not entries:
        return int(stream.frames)
    count = sum(1 for entry in entries if entry.size and not entry.is_discard)
    # AVI counts fields and repeated frames too; an index of far fewer is damaged.
    return count if 2 * count >= stream.frames else None


def timeline_of(container: Any, stream: Any, fps: float, first: tuple[int, float] | None = None) -> Timeline:
    """A timeline for a pass over the stream, see ``Timeline``."""
    kind = container.format.name.split(",")
    return Timeline(
        float(stream.time_base),
        1 / fps,
        # AVI stores no time of display: where frames are stored out of order, its times are those of storage.
        is_untimed="avi" in kind and bool(stream.codec_context.has_b_frames),
        shows_each=stream.codec_context.codec.canonical_name == "av1",
        counts_by_time="mp4" not in kind,
        jumps=any(name in kind for name in ("mpegts", "mpeg")),
        first=first,
    )


@dataclass(frozen=True, slots=True)
class Display:
    """How decoded pictures become what a player shows.

    Attributes:
        orientation: Which way up.
        pixel_aspect: Width of a pixel by its height; 1 where it is nearly square.
    """

    orientation: Orientation
    pixel_aspect: float

    @classmethod
    def of(cls, stream: Any, first: Any) -> Display:
        """As the file and its first picture say."""
        aspect = float(getattr(stream, "sample_aspect_ratio", None) or 1)
        return cls(Orientation.of(first), aspect if abs(aspect - 1) > _NEARLY_SQUARE and aspect > 0 else 1.0)

    def stored_size(self, width: int, height: int) -> tuple[int, int]:
        """Width and height before the turn, with square pixels; none is made smaller."""
        aspect = self.pixel_aspect
        return (round(width * aspect), height) if aspect > 1 else (width, round(height / aspect))

    def pixels(self, picture: Any) -> NDArray[Any]:
        """A decoded picture with square pixels, not turned: (H, W, 3) BGR uint8, or (H, W) uint16 if deep and grey."""
        width, height = self.stored_size(picture.width, picture.height)
        bits = _grey_bits(picture.format.name)
        if bits <= 8:
            pixels: NDArray[Any] = picture.to_ndarray(format="bgr24", width=width, height=height)
            return pixels
        deep: NDArray[np.uint16] = picture.to_ndarray(format="gray16le", width=width, height=height)
        return deep >> (16 - bits)  # FFmpeg scales 12 bits to 16


def _grey_bits(pixel_format: str) -> int:
    """Bits of a grey pixel format such as ``gray12le``; 0 for any other."""
    digits = pixel_format.removeprefix("gray").removesuffix("le").removesuffix("be")
    return int(digits) if pixel_format.startswith("gray") and digits.isdecimal() else 0
