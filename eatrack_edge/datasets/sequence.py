"""What every dataset reader yields: sequences, whatever the layout on disk.

A sequence knows where its frames are and does not open them: the code that runs a tracker does.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from eatrack_edge.core.boxes import Box
from eatrack_edge.core.errors import InputError
from eatrack_edge.datasets.annotations import check_in_pixels, has_size, read_flags
from eatrack_edge.datasets.frame_sets import Frames, ImageFrames, SplicedFrames
from eatrack_edge.datasets.initial_box import start_shift
from eatrack_edge.sources.images import SUFFIXES as IMAGE_SUFFIXES

IMAGE_FPS = 30.0  # assumed where a dataset of images does not state its rate
# Matches names that do not begin with a dot: Macs and editors leave files of such names beside the data.
VISIBLE = "[!.]*"
# Where a frame's number may be in its name, in order of preference: img0012, 0012_rgb, left0012_rgb.
_NUMBERS = (re.compile(r"(\d+)$"), re.compile(r"^(\d+)"), re.compile(r"(\d+)\D*$"))


@dataclass(frozen=True, slots=True, eq=False)
class Sequence:
    """Frames with true boxes.

    Attributes:
        dataset: Kind of dataset, as ``eatrack-edge eval --dataset`` calls it.
        name: The sequence's name in its dataset, e.g. ``bird1_2``.
        frames: Where the frames are, as many as there are rows in ``truth``.
        truth: True boxes as published, (x, y, w, h) in pixels, shape (N, 4). ``nan`` or no size: absent.
        first_pixel: What the publisher calls the first pixel: 1 where the boxes come from Matlab, else 0.
        flagged: Frames that the dataset flags absent beside its boxes, shape (N,); ``None`` where it flags none.
        attributes: What is hard about it, in the dataset's own words.
        frame_size: Width and height in pixels where the dataset states them.
        is_truth_known: False where only the first box is published, as in GOT-10k's test split.
        start_shift: How far a tracker's first box lies from the true one, pixels across and down.
        fps: Frames per second; ``None`` for a video: as its file says.
    """

    dataset: str
    name: str
    frames: Frames
    truth: NDArray[np.float64]
    first_pixel: int
    flagged: NDArray[np.bool_] | None = None
    attributes: tuple[str, ...] = ()
    frame_size: tuple[int, int] | None = None
    is_truth_known: bool = True
    start_shift: tuple[float, float] = (0.0, 0.0)
    fps: float | None = None

    def __len__(self) -> int:
        return len(self.truth)

    @property
    def absent(self) -> NDArray[np.bool_]:
        """Frames without a target: flagged, or without a box that has a size. Shape (N,)."""
        absent = ~has_size(self.truth)
        return absent if self.flagged is None else absent | self.flagged

    @property
    def boxes(self) -> NDArray[np.float64]:
        """True boxes with the first pixel at 0, shape (N, 4); ``nan`` where absent."""
        boxes: NDArray[np.float64] = self.truth - np.array([self.first_pixel, self.first_pixel, 0, 0])
        boxes[self.absent] = np.nan
        return boxes

    def with_frame_stride(self, every: int) -> Sequence:
        """Only every N-th frame, as from a camera with a lower frame rate."""
        if isinstance(self.frames, SplicedFrames):
            raise InputError(f"{self.dataset}/{self.name}: frames are left out before clips are spliced, not after")
        if isinstance(self.frames, ImageFrames):
            frames: Frames = ImageFrames(self.frames.paths[::every])
        else:
            frames = replace(self.frames, every=self.frames.every * every)
        flagged = None if self.flagged is None else self.flagged[::every]
        fps = None if self.fps is None else self.fps / every
        return replace(self, frames=frames, truth=self.truth[::every], flagged=flagged, fps=fps)

    def with_perturbed_box(self, start: int) -> Sequence:
        """The same sequence with a perturbed initial box, see ``start_shift``."""
        return replace(self, start_shift=start_shift(start))

    @property
    def first_box(self) -> Box:
        """The box a tracker starts from, with the first pixel at 0."""
        x, y, w, h = (float(value) for value in self.truth[0])
        across, down = self.start_shift
        return x - self.first_pixel + across, y - self.first_pixel + down, w, h


@dataclass(frozen=True, slots=True)
class Dataset:
    """Sequences by name, each read when asked for, so that a broken one spoils no other.

    Attributes:
        kind: As ``eatrack-edge eval --dataset`` calls it, with what was changed.
        readers: Each reads one sequence.
        unannotated: Names of videos and folders of images that lie beside the sequences without an annotation.
    """

    kind: str
    readers: Mapping[str, Callable[[], Sequence]] = field(repr=False)
    unannotated: tuple[str, ...] = ()

    @property
    def names(self) -> list[str]:
        """Names of the sequences, in order."""
        return list(self.readers)

    def __len__(self) -> int:
        return len(self.readers)

    def __iter__(self) -> Iterator[Sequence]:
        return (reader() for reader in self.readers.values())

    def with_frame_stride(self, every: int) -> Dataset:
        """The same sequences with only every N-th frame; 1 keeps all of them.

        Motion from frame to frame is ``every`` times as fast: what is easy at 30 frames a second may not be at 10.
        """
        return self._changed(f"every-{every}", partial(Sequence.with_frame_stride, every=every)) if every > 1 else self

    def with_perturbed_box(self, start: int) -> Dataset:
        """The same sequences with perturbed initial boxes, see ``start_shift``; 0 keeps the true boxes."""
        return self._changed(f"start-{start}", partial(Sequence.with_perturbed_box, start=start)) if start else self

    def _changed(self, how: str, change: Callable[[Sequence], Sequence]) -> Dataset:
        readers = {name: partial(_read, reader, change) for name, reader in self.readers.items()}
        return replace(self, kind=f"{self.kind}-{how}", readers=readers)

    def read(self, name: str) -> Sequence:
        """Read the annotations of one sequence.

        Raises:
            InputError: There is no such sequence, or its files are not what the layout expects.
        """
        if name not in self.readers:
            raise InputError(f"{self.kind} has no sequence `{name}`", hint=f"it has {', '.join(self.names[:8])} ...")
        return self.readers[name]()


def make_sequence(
    dataset: str,
    name: str,
    frames: Frames,
    truth: NDArray[np.float64],
    *,
    first_pixel: int,
    flagged: NDArray[np.bool_] | None = None,
    attributes: tuple[str, ...] = (),
    frame_size: tuple[int, int] | None = None,
    fps: float | None = None,
) -> Sequence:
    """Build a sequence and refuse one that cannot be run.

    Raises:
        InputError: Frames and true boxes differ in number, flags and boxes do, the first frame has no target, or boxes
            are not in pixels.
    """
    where = f"{dataset}/{name}"
    if isinstance(frames, ImageFrames) and len(frames.paths) != len(truth):
        raise InputError(
            f"{where}: {len(frames.paths)} frames but {len(truth)} true boxes",
            hint="re-extract the sequence; a frame folder is expected to match its annotation line by line",
        )
    if not has_size(truth)[0]:
        raise InputError(f"{where}: the first frame has no true box to start from, it says {truth[0].tolist()}")
    check_in_pixels(truth, where)
    if flagged is not None and len(flagged) != len(truth):
        raise InputError(f"{where}: {len(flagged)} flags but {len(truth)} true boxes")
    if isinstance(frames, ImageFrames):
        fps = fps or IMAGE_FPS
    return Sequence(dataset, name, frames, truth, first_pixel, flagged, attributes, frame_size, fps=fps)


def _read(reader: Callable[[], Sequence], change: Callable[[Sequence], Sequence]) -> Sequence:
    return change(reader())


def numbered_images(folder: Path) -> dict[int, Path]:
    """Image files of a folder by the number in their name, in order: ``img000012.jpg`` and ``000012_rgb.jpg`` are 12.

    Raises:
        InputError: No folder, no numbered image in it, or two of one number.
    """
    if not folder.is_dir():
        raise InputError(f"expected a folder of frames at {folder}")
    paths = sorted(path for path in folder.glob(VISIBLE) if path.suffix.lower() in IMAGE_SUFFIXES)
    numberings = [numbered for pattern in _NUMBERS if (numbered := _numbered(paths, pattern))]
    if not numberings:
        raise InputError(f"expected numbered images in {folder}, such as 000001.jpg")
    # A number at the end may be part of every name, such as a width.
    whole = [numbered for numbered in numberings if len({number for number, _ in numbered}) == len(paths)]
    chosen = (whole or numberings)[0]
    images: dict[int, Path] = {}
    for number, path in chosen:
        if number in images:
            raise InputError(
                f"{folder}: two frames are numbered {number}: {images[number].name} and {path.name}",
                hint="masks, depth and other cameras belong in folders of their own",
            )
        images[number] = path
    return images


def _numbered(paths: list[Path], pattern: re.Pattern[str]) -> list[tuple[int, Path]]:
    """Numbers of the files in whose names the pattern finds one, in order."""
    found = [(pattern.search(path.stem), path) for path in paths]
    return sorted((int(match[1]), path) for match, path in found if match)


def image_frames(folder: Path, first: int | None = None, last: int | None = None) -> ImageFrames:
    """Frames of a folder, all of them or those numbered ``first`` to ``last``, both included.

    Raises:
        InputError: No folder, or a frame of the range is missing; the message names it.
    """
    images = numbered_images(folder)
    if first is None or last is None:
        return ImageFrames(tuple(images.values()))
    missing = [number for number in range(first, last + 1) if number not in images]
    if missing:
        raise InputError(f"expected frames {first} to {last} in {folder}, frame {missing[0]} is missing")
    return ImageFrames(tuple(images[number] for number in range(first, last + 1)))


def folder_in(root: Path, *names: str) -> Path:
    """The first of some folders of ``root`` that exists.

    Raises:
        InputError: None does; the message names the first.
    """
    for name in names:
        if (root / name).is_dir():
            return root / name
    raise InputError(f"expected a folder at {root / names[0]}", hint=f"is `{root}` the root of this dataset?")


def annotated(folder: Path, ending: str = ".txt") -> dict[str, Path]:
    """Annotation files of a folder by sequence name, in order.

    Raises:
        InputError: There is none.
    """
    found = {path.name.removesuffix(ending): path for path in sorted(folder.glob(f"{VISIBLE}{ending}"))}
    if not found:
        raise InputError(f"expected annotations NAME{ending} in {folder}")
    return found


def flagged_attributes(path: Path, names: tuple[str, ...]) -> tuple[str, ...]:
    """Attributes whose flag is set in a file of 0 and 1; none where there is no such file.

    Raises:
        InputError: The file has another number of flags than there are names.
    """
    if not path.is_file():
        return ()
    flags = read_flags(path)
    if len(flags) != len(names):
        raise InputError(f"{path}: {len(flags)} attribute flags, expected {len(names)}")
    return tuple(name for name, flag in zip(names, flags, strict=True) if flag)
