"""Your own data: a folder of ``NAME.mp4`` with ``NAME.txt``, or of folders ``NAME/`` of images with ``NAME.txt``.

An annotation has one line a frame, ``x,y,w,h``, top-left, in pixels; ``nan`` or an empty box where the target is
absent. For images it may also lie inside, as ``NAME/groundtruth.txt``; the images themselves may lie in ``NAME/img``,
or as VOT has them in ``NAME/color``.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from eatrack_edge.core.errors import InputError
from eatrack_edge.datasets.annotations import read_boxes
from eatrack_edge.datasets.frame_sets import VideoFrames
from eatrack_edge.datasets.sequence import VISIBLE, Dataset, Sequence, image_frames, make_sequence
from eatrack_edge.sources.images import SUFFIXES as IMAGE_SUFFIXES

VIDEO_SUFFIXES = {".mp4", ".mkv", ".avi", ".mov", ".webm", ".ts", ".m4v"}
_INSIDE = ("groundtruth.txt", "groundtruth_rect.txt")
_IMAGES = ("img", "color")  # folders of images within a sequence's, as OTB and VOT have them


def videos(root: Path, first_pixel: int = 0) -> Dataset:
    """Videos beside their annotations.

    Args:
        root: The folder.
        first_pixel: What the annotations call the first pixel: 0, or 1 where they come from Matlab.

    Raises:
        InputError: No video has an annotation of its name.
    """
    found: dict[str, list[Path]] = {}
    for path in sorted(path for path in _entries(root) if path.suffix.lower() in VIDEO_SUFFIXES):
        found.setdefault(path.stem, []).append(path)
    annotated = {name: paths for name, paths in found.items() if paths[0].with_suffix(".txt").is_file()}
    if not annotated:
        example = next(iter(found), "NAME")
        missing = root / f"{example}.txt" if found else root / "NAME.mp4 with NAME.txt"
        raise InputError(f"expected an annotation at {missing}, found none")
    readers = {name: partial(_read_video, paths, first_pixel) for name, paths in annotated.items()}
    return Dataset("videos", readers, tuple(name for name in found if name not in annotated))


def images(root: Path, first_pixel: int = 0) -> Dataset:
    """Folders of images with an annotation beside or inside them.

    Args:
        root: The folder of folders.
        first_pixel: What the annotations call the first pixel: 0, or 1 where they come from Matlab.

    Raises:
        InputError: No folder has an annotation.
    """
    found: dict[str, Callable[[], Sequence]] = {}
    unannotated: list[str] = []
    for folder in sorted(path for path in _entries(root) if path.is_dir()):
        candidates = [root / f"{folder.name}.txt", *(folder / name for name in _INSIDE)]
        truth = next((path for path in candidates if path.is_file()), None)
        if truth:
            found[folder.name] = partial(_read_images, folder, truth, first_pixel)
        elif _holds_images(folder):
            unannotated.append(folder.name)
    if not found:
        raise InputError(f"expected an annotation at {root / 'NAME.txt'} or {root / 'NAME' / _INSIDE[0]}, found none")
    return Dataset("images", found, tuple(unannotated))


def _holds_images(folder: Path) -> bool:
    return any(path.suffix.lower() in IMAGE_SUFFIXES for path in _frames_in(folder).glob(VISIBLE))


def _frames_in(folder: Path) -> Path:
    """Where the images of a sequence lie: in its folder, or in one within."""
    return next((folder / name for name in _IMAGES if (folder / name).is_dir()), folder)


def _entries(root: Path) -> list[Path]:
    if not root.is_dir():
        raise InputError(f"expected a folder at {root}")
    return list(root.glob(VISIBLE))


def _read_video(paths: list[Path], first_pixel: int) -> Sequence:
    path = paths[0]
    if len(paths) > 1:
        raise InputError(f"two videos of one name: {path} and {paths[1].name}", hint="rename one, with its annotation")
    truth = read_boxes(path.with_suffix(".txt"))
    return make_sequence("videos", path.stem, VideoFrames(path), truth, first_pixel=first_pixel)


def _read_images(folder: Path, truth: Path, first_pixel: int) -> Sequence:
    return make_sequence(
        "images", folder.name, image_frames(_frames_in(folder)), read_boxes(truth), first_pixel=first_pixel
    )
