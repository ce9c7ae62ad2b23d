"""Frames from a folder of images, or from a glob."""

from __future__ import annotations

import glob
import re
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

import cv2
import numpy as np
from numpy.typing import NDArray

from eatrack_edge.core.crops import Frame
from eatrack_edge.core.errors import InputError, SourceLost
from eatrack_edge.sources.base import SourceFrame, starts_too_late

SUFFIXES = frozenset({".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp", ".ppm", ".pgm"})


def natural_key(path: Path) -> list[tuple[bool, int, str]]:
    """Sort key that counts: ``frame2`` comes before ``frame10``.

    >>> sorted([Path("f10.jpg"), Path("f2.jpg")], key=natural_key)[0].name
    'f2.jpg'
    """
    parts = re.split(r"([0-9]+)", path.name)
    # Numbers before text, so that the two are never compared with each other.
    return [(not part.isdecimal(), int(part) if part.isdecimal() else 0, part.lower()) for part in parts if part]


def images_in(folder: Path, uri: str) -> list[Path]:
    """The images of a folder in their natural order; hidden files are left out.

    Raises:
        InputError: There is none.
    """
    found = _images(folder.iterdir())
    if not found:
        inside = sorted(child for child in folder.iterdir() if child.is_dir() and _images(child.iterdir()))
        hint = f"did you mean `{inside[0]}`?" if inside else f"images end in {', '.join(sorted(SUFFIXES))}"
        raise InputError(f"{uri}: the folder has no images", hint=hint)
    return found


def images_matching(pattern: str, uri: str) -> list[Path]:
    """The images that a glob finds, in their natural order.

    Raises:
        InputError: There is none.
    """
    found = _images(Path(match) for match in glob.glob(pattern, recursive=True))  # noqa: PTH207  (a Path cannot take an absolute pattern)
    if not found:
        raise InputError(
            f"{uri}: no image matches", hint="put the pattern in quotes, so that the shell leaves it alone"
        )
    return found


def _images(paths: Iterator[Path]) -> list[Path]:
    found = [path for path in paths if path.suffix.lower() in SUFFIXES and not path.name.startswith(".")]
    return sorted(found, key=lambda path: ([natural_key(Path(part)) for part in path.parent.parts], natural_key(path)))


def read_image(path: Path) -> Frame | None:
    """An image as a frame, turned as its EXIF tag asks; ``None`` when it cannot be read."""
    try:
        # OpenCV's own imread writes to stderr about a missing file, and fails on some file names.
        stored = np.fromfile(path, np.uint8)
    except OSError:
        return None
    if not stored.size:
        return None
    decoded = cv2.imdecode(stored, cv2.IMREAD_COLOR)
    return None if decoded is None else np.ascontiguousarray(decoded, dtype=np.uint8)


class ImageSource:
    """Images as frames of a fixed rate. An image of another size than the first is delivered as it is.

    Args:
        paths: The images in order, at least one.
        name: Short name for results.
        uri: As the user wrote it, for messages.
        start: First frame to deliver, from 0.
        fps: Frames per second to count time by, above 0; images have no clock.

    Raises:
        InputError: The first image cannot be read, there is no image ``start``, or ``fps`` is not above 0.
    """

    rotation_applied: int = 0
    truth: NDArray[np.float64] | None = None

    def __init__(self, paths: list[Path], *, name: str, uri: str, start: int = 0, fps: float = 30.0) -> None:
        if not fps > 0:
            raise InputError(f"{uri}: the frame rate of images must be above 0, got {fps:g}")
        if start >= len(paths):
            raise starts_too_late(uri, start, len(paths))
        first = read_image(paths[start])
        if first is None:
            raise InputError(f"{paths[start]}: not an image that can be read")
        self.name, self.uri, self.fps = name, uri, fps
        self.frame_count: int | None = len(paths)
        self.size = (first.shape[1], first.shape[0])
        self._paths = paths
        self._start = start
        self._is_closed = False

    def __iter__(self) -> Iterator[SourceFrame]:
        """Read from ``start`` to the last image.

        Raises:
            SourceLost: An image cannot be read; all before it were delivered.
        """
        for index in range(self._start, len(self._paths)):
            if self._is_closed:
                return
            frame = read_image(self._paths[index])
            if frame is None:
                raise SourceLost(
                    f"{self._paths[index]}: frame {index} cannot be read",
                    hint="replace or remove the file; frames before it are fine",
                )
            yield SourceFrame(index, index / self.fps, frame)

    def close(self) -> None:
        """End an iteration under way."""
        self._is_closed = True

    def __enter__(self) -> ImageSource:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
