"""Files that hold several pictures: animated WebP and PNG, and TIFF with pages."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from eatrack_edge.core.errors import InputError, MissingExtra, SourceLost
from eatrack_edge.sources.base import SourceFrame, SourceOptions, starts_too_late
from eatrack_edge.sources.value_range import as_frame, chosen_range

_CHUNKS = 64  # of a PNG before its pixels
_HEAD_BYTES = 1 << 16


class PictureStack:
    """The pictures of one file as frames.

    Args:
        path: The file.
        pictures: Its pictures, (H, W) or (H, W, 3) BGR, at least one.
        times: When each is shown, seconds after the first.
        fps: Pictures per second, the average where they vary.
        uri: As the user wrote it.
        options: Where to begin, and the range of values.
        is_cut_off: The file names a further picture that it does not hold.

    Raises:
        InputError: There is no picture ``start``.
        UsageError: A range is given, and the pictures have 8 bits.
    """

    rotation_applied: int = 0
    truth: NDArray[np.float64] | None = None

    def __init__(
        self,
        path: Path,
        pictures: Sequence[NDArray[Any]],
        times: Sequence[float],
        fps: float,
        uri: str,
        options: SourceOptions,
        *,
        is_cut_off: bool = False,
    ) -> None:
        if options.start >= len(pictures):
            raise starts_too_late(uri, options.start, len(pictures))
        self.name, self.uri, self.fps = path.stem, uri, fps
        self.frame_count: int | None = len(pictures)
        self.size = (pictures[0].shape[1], pictures[0].shape[0])
        self.value_range = chosen_range(uri, pictures[0], options.value_range)
        self._pictures, self._times, self._start = pictures, times, options.start
        self._is_cut_off = is_cut_off
        self._is_closed = False

    def __iter__(self) -> Iterator[SourceFrame]:
        """Read from ``start`` to the last picture.

        Raises:
            SourceLost: The file ends before its last picture; all before were delivered.
        """
        for index in range(self._start, len(self._pictures)):
            if self._is_closed:
                return
            frame = as_frame(self.uri, self._pictures[index], self.value_range)
            yield SourceFrame(index, self._times[index], frame)
        if self._is_cut_off:
            count = len(self._pictures)
            raise SourceLost(
                f"{self.uri}: picture {count} cannot be read: the file ends before it", hint="copy it again"
            )

    def close(self) -> None:
        """End an iteration under way."""
        self._is_closed = True

    def __enter__(self) -> PictureStack:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_stack(path: Path, uri: str, options: SourceOptions) -> PictureStack | None:
    """Open a file of several pictures; ``None`` where it holds one, or none that can be read.

    Raises:
        InputError: The pictures cannot be decoded, or there is no picture ``start``.
        MissingExtra: It is animated, and this OpenCV is too old for that.
    """
    try:
        stored = np.fromfile(path, np.uint8)
    except OSError:
        return None
    head = stored[:_HEAD_BYTES].tobytes()
    is_cut_off = False
    if _is_animated_webp(head) or _is_animated_png(head):
        pictures, durations_s = _animation(stored, uri)
    elif head[:4] in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        pictures = _pages(stored)
        is_cut_off = bool(pictures) and _is_cut_off_tiff(stored)
        durations_s = [1 / options.image_fps] * len(pictures)
    else:
        return None
    if len(pictures) < 2 and not is_cut_off:
        return None
    times = [0.0, *np.cumsum(durations_s[:-1]).tolist()]
    fps = len(pictures) / sum(durations_s)
    return PictureStack(path, pictures, times, fps, uri, options, is_cut_off=is_cut_off)


def _is_animated_webp(head: bytes) -> bool:
    return head[:4] == b"RIFF" and head[8:16] == b"WEBPVP8X" and bool(head[20] & 0x02)


def _is_animated_png(head: bytes) -> bool:
    if not head.startswith(b"\x89PNG\r\n\x1a\n"):
        return False
    at = 8
    for _ in range(_CHUNKS):
        kind = head[at + 4 : at + 8]
        if kind in (b"acTL", b"IDAT", b""):
            return kind == b"acTL"
        at += 12 + int.from_bytes(head[at : at + 4], "big")
    return False


def _animation(stored: NDArray[np.uint8], uri: str) -> tuple[list[NDArray[Any]], list[float]]:
    if not hasattr(cv2, "imdecodeanimation"):
        raise MissingExtra(
            f"{uri}: an animated picture needs OpenCV 4.11 or later, this is {cv2.__version__}",
            hint="pip install -U opencv-python-headless",
        )
    is_decoded, animation = cv2.imdecodeanimation(stored)
    if not is_decoded or not len(animation.frames):
        raise InputError(f"{uri}: the animated picture cannot be decoded", hint="is the file whole?")
    pictures = [
        np.ascontiguousarray(picture[:, :, :3] if picture.ndim == 3 else picture) for picture in animation.frames
    ]
    # Browsers show a picture whose duration is 0 for a tenth of a second.
    return pictures, [(int(duration) or 100) / 1000 for duration in np.ravel(animation.durations)]


def _pages(stored: NDArray[np.uint8]) -> list[NDArray[Any]]:
    """Pages of a TIFF, those of the first one's size: others are thumbnails."""
    is_decoded, pages = cv2.imdecodemulti(stored, cv2.IMREAD_ANYCOLOR | cv2.IMREAD_ANYDEPTH)
    if not is_decoded:
        return []
    return [page for page in pages if page.shape == pages[0].shape and page.dtype == pages[0].dtype]


def _is_cut_off_tiff(stored: NDArray[np.uint8]) -> bool:
    """Whether the chain of pages of a TIFF leads out of the file."""
    order: Literal["little", "big"] = "little" if stored[0] == ord("I") else "big"
    is_big = 43 in stored[2:4]
    # Widths of an offset, of the number of a page's entries, and of an entry: BigTIFF's, or TIFF's.
    offset_bytes, count_bytes, entry_bytes = (8, 8, 20) if is_big else (4, 2, 12)

    def number(at: int, width: int) -> int | None:
        return int.from_bytes(stored[at : at + width].tobytes(), order) if at + width <= len(stored) else None

    following, seen = number(8 if is_big else 4, offset_bytes), set[int]()
    while following and following not in seen:
        seen.add(following)
        entries = number(following, count_bytes)
        following = None if entries is None else number(following + count_bytes + entries * entry_bytes, offset_bytes)
    return following is None
