"""Frames from a folder of images, or from a glob."""

from __future__ import annotations

import glob
import re
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from eatrack_edge.core.crops import Frame
from eatrack_edge.core.errors import InputError, SourceLost
from eatrack_edge.core.frames import frame_size
from eatrack_edge.core.reasons import reason_of
from eatrack_edge.sources.base import SourceFrame, starts_too_late
from eatrack_edge.sources.file_kinds import what_else
from eatrack_edge.sources.value_range import ValueRange, as_frame, chosen_range

_FEW_IMAGES = 4  # fewer do not tell how they are numbered
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
        InputError: There is none, or two have one number.
    """
    found = _images(folder.iterdir())
    refuse_twins(found, uri)
    if not found:
        inside = sorted(child for child in folder.iterdir() if child.is_dir() and _images(child.iterdir()))
        hint = f"did you mean `{inside[0]}`?" if inside else f"images end in {', '.join(sorted(SUFFIXES))}"
        raise InputError(f"{uri}: the folder has no images", hint=hint)
    return found


def images_matching(pattern: str, uri: str) -> list[Path]:
    """The images that a glob finds, in their natural order. Brackets in the names of folders that exist are no pattern.

    Raises:
        InputError: There is none, or two have one number.
    """
    found = _images(Path(match) for match in glob.glob(_literal_folders(pattern), recursive=True))  # noqa: PTH207  (a Path cannot take an absolute pattern)
    if not found:
        raise InputError(
            f"{uri}: no image matches", hint="put the pattern in quotes, so that the shell leaves it alone"
        )
    refuse_twins(found, uri)
    return found


def _literal_folders(pattern: str) -> str:
    """A pattern whose leading folders, as far as they exist, are taken as they are written."""
    folder, rest = Path(), Path(pattern).parts
    while len(rest) > 1 and (folder / rest[0]).is_dir():
        folder, rest = folder / rest[0], rest[1:]
    return str(Path(glob.escape(str(folder)), *rest))


def _images(paths: Iterator[Path]) -> list[Path]:
    found = [path for path in paths if path.suffix.lower() in SUFFIXES and not path.name.startswith(".")]
    return sorted(found, key=lambda path: ([natural_key(Path(part)) for part in path.parent.parts], natural_key(path)))


def refuse_twins(paths: list[Path], uri: str) -> None:
    """Refuse two files of one folder that have one number, such as a frame and its mask: both cannot be frame 12.

    Raises:
        InputError: There are two; the message names them.
    """
    seen: dict[tuple[Path, tuple[str, ...] | str], Path] = {}
    for path in paths:
        numbers = tuple(number.lstrip("0") for number in re.findall(r"[0-9]+", path.stem))
        other = seen.setdefault((path.parent, numbers or path.stem.lower()), path)
        if other is not path:
            raise InputError(
                f"{uri}: `{other.name}` and `{path.name}` have one number",
                hint=f"choose one kind by a quoted glob, such as '{path.parent / ('*' + other.suffix)}'"
                if other.suffix != path.suffix
                else "choose one kind by a quoted glob, such as 'left_*.jpg'",
            )


def first_gap(paths: list[Path]) -> Path | None:
    """The image after which numbers are missing that the names of the others lead to expect; ``None``: none are.

    >>> first_gap([Path("a10.png"), Path("a20.png"), Path("a40.png"), Path("a50.png")])
    PosixPath('a20.png')
    """
    found = [re.search(r"([0-9]+)[^0-9]*$", path.stem) for path in paths]
    numbers = [int(match[1]) for match in found if match]
    if len(numbers) < len(paths) or len(paths) < _FEW_IMAGES:
        return None
    steps = [later - earlier for earlier, later in pairwise(numbers)]
    usual, count = Counter(steps).most_common(1)[0]
    if usual < 1 or 2 * count <= len(steps):
        return None
    pairs = zip(pairwise(paths), steps, strict=True)
    return next((path for (path, after), step in pairs if step > usual and path.parent == after.parent), None)


def read_picture(path: Path) -> NDArray[Any] | None:
    """An image of any depth, (H, W) or (H, W, 3) BGR, turned as its EXIF tag asks; ``None`` if unreadable."""
    try:
        # OpenCV's own imread writes to stderr about a missing file, and fails on some file names.
        stored = np.fromfile(path, np.uint8)
    except OSError:
        return None
    if not stored.size:
        return None
    decoded: NDArray[Any] | None = cv2.imdecode(stored, cv2.IMREAD_ANYCOLOR | cv2.IMREAD_ANYDEPTH)
    return decoded


def read_image(path: Path) -> Frame | None:
    """An image as a frame, stretched to 8 bits by its own range if it has more; ``None`` when it cannot be read."""
    picture = read_picture(path)
    return None if picture is None else as_frame(path, picture, chosen_range(str(path), picture, None))


def _unreadable(path: Path) -> InputError:
    try:
        words = what_else(path)
    except OSError as error:
        return InputError(f"{path}: cannot be read: {reason_of(error)}")
    return InputError(f"{path}: not an image that can be read" + (f": it is {words}" if words else ""))


class ImageSource:
    """Images as frames of a fixed rate. An image of another size than the first is delivered as it is.

    Args:
        paths: The images in order, at least one.
        name: Short name for results.
        uri: As the user wrote it, for messages.
        start: First frame to deliver, from 0.
        fps: Frames per second to count time by, above 0; images have no clock.
        value_range: Lowest and highest value of images of more than 8 bits; ``None`` takes the first image's.

    Attributes:
        value_range: The range in use; ``None`` where images have 8 bits.
        paths: As given.

    Raises:
        InputError: The first image cannot be read, there is no image ``start``, or ``fps`` is not above 0.
        UsageError: A range is given, and the images have 8 bits.
    """

    rotation_applied: int = 0
    truth: NDArray[np.float64] | None = None

    def __init__(
        self,
        paths: list[Path],
        *,
        name: str,
        uri: str,
        start: int = 0,
        fps: float = 30.0,
        value_range: ValueRange | None = None,
    ) -> None:
        if not fps > 0:
            raise InputError(f"{uri}: the frame rate of images must be above 0, got {fps:g}")
        if start >= len(paths):
            raise starts_too_late(uri, start, len(paths))
        # By the first image of all, so that a later start shows the same pictures.
        first = read_picture(paths[0]) if start else None
        begin = read_picture(paths[start])
        if begin is None:
            raise _unreadable(paths[start])
        self.value_range = chosen_range(uri, begin if first is None else first, value_range)
        self.name, self.uri, self.fps = name, uri, fps
        self.frame_count: int | None = len(paths)
        self.size = frame_size(begin)
        self.paths = paths
        self._start = start
        self._is_closed = False

    def __iter__(self) -> Iterator[SourceFrame]:
        """Read from ``start`` to the last image.

        Raises:
            SourceLost: An image cannot be read; all before it were delivered.
        """
        for index in range(self._start, len(self.paths)):
            if self._is_closed:
                return
            path = self.paths[index]
            picture = read_picture(path)
            if picture is None:
                raise SourceLost(
                    f"{path}: frame {index} cannot be read",
                    hint="replace or remove the file; frames before it are fine",
                )
            frame = as_frame(path, picture, self.value_range)
            yield SourceFrame(index, index / self.fps, frame, file=str(path))

    def close(self) -> None:
        """End an iteration under way."""
        self._is_closed = True

    def __enter__(self) -> ImageSource:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
