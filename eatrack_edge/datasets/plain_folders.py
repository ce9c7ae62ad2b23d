"""Your own data: a folder of ``NAME.mp4`` with ``NAME.txt``, or of folders ``NAME/`` of images with ``NAME.txt``.

An annotation has one line a frame, ``x,y,w,h``, top-left, in pixels; ``nan`` or an empty box where the target is
absent. For images it may also lie inside, as ``NAME/groundtruth.txt``.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from eatrack_edge.core.errors import InputError
from eatrack_edge.datasets.annotations import read_boxes
from eatrack_edge.datasets.sequence import Dataset, Sequence, VideoFrames, image_frames, make_sequence

VIDEO_SUFFIXES = {".mp4", ".mkv", ".avi", ".mov", ".webm", ".ts", ".m4v"}
_INSIDE = ("groundtruth.txt", "groundtruth_rect.txt")


def videos(root: Path, first_pixel: int = 0) -> Dataset:
    """Videos beside their annotations.

    Args:
        root: The folder.
        first_pixel: What the annotations call the first pixel: 0, or 1 where they come from Matlab.

    Raises:
        InputError: No video has an annotation of its name.
    """
    found = {path.stem: path for path in sorted(_entries(root)) if path.suffix.lower() in VIDEO_SUFFIXES}
    annotated = {name: path for name, path in found.items() if path.with_suffix(".txt").is_file()}
    if not annotated:
        example = next(iter(found), "NAME")
        missing = root / f"{example}.txt" if found else root / "NAME.mp4 with NAME.txt"
        raise InputError(f"expected an annotation at {missing}, found none")
    return Dataset("videos", {name: partial(_read_video, path, first_pixel) for name, path in annotated.items()})


def images(root: Path, first_pixel: int = 0) -> Dataset:
    """Folders of images with an annotation beside or inside them.

    Args:
        root: The folder of folders.
        first_pixel: What the annotations call the first pixel: 0, or 1 where they come from Matlab.

    Raises:
        InputError: No folder has an annotation.
    """
    found: dict[str, Callable[[], Sequence]] = {}
    for folder in sorted(path for path in _entries(root) if path.is_dir()):
        candidates = [root / f"{folder.name}.txt", *(folder / name for name in _INSIDE)]
        truth = next((path for path in candidates if path.is_file()), None)
        if truth:
            found[folder.name] = partial(_read_images, folder, truth, first_pixel)
    if not found:
        raise InputError(f"expected an annotation at {root / 'NAME.txt'} or {root / 'NAME' / _INSIDE[0]}, found none")
    return Dataset("images", found)


def _entries(root: Path) -> list[Path]:
    if not root.is_dir():
        raise InputError(f"expected a folder at {root}")
    return list(root.iterdir())


def _read_video(path: Path, first_pixel: int) -> Sequence:
    truth = read_boxes(path.with_suffix(".txt"))
    return make_sequence("videos", path.stem, VideoFrames(path), truth, first_pixel=first_pixel)


def _read_images(folder: Path, truth: Path, first_pixel: int) -> Sequence:
    inside = folder / "img" if (folder / "img").is_dir() else folder
    return make_sequence("images", folder.name, image_frames(inside), read_boxes(truth), first_pixel=first_pixel)
