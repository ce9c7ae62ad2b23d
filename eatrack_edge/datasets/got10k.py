"""GOT-10k: ``val/list.txt`` and ``val/NAME/`` with ``00000001.jpg``, ``groundtruth.txt`` and its labels.

``cover.label`` says from 0 to 8 how much of the target is seen; ``meta_info.ini`` holds the frame size, to which boxes
are clipped. The test split publishes the first box only: trackers can be run on it, and scored by its server.
"""

from __future__ import annotations

import configparser
import dataclasses
import re
from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from eatrack_edge.core.errors import InputError
from eatrack_edge.datasets.annotations import read_boxes, read_flags, read_words
from eatrack_edge.datasets.sequence import Dataset, Sequence, image_frames, make_sequence

_TRUTH = "groundtruth.txt"


def got10k(root: Path) -> Dataset:
    """GOT-10k: one split; given the root of all, its ``val``.

    Raises:
        InputError: The split has no ``list.txt``.
    """
    split = root if (root / "list.txt").is_file() else root / "val"
    if not (split / "list.txt").is_file():
        raise InputError(f"expected a list of sequences at {split / 'list.txt'}")
    names = read_words(split / "list.txt")
    return Dataset("got10k", {name: partial(_read, split / name) for name in names})


def _read(folder: Path) -> Sequence:
    frames = image_frames(folder)
    truth = read_boxes(folder / _TRUTH)
    is_truth_known = not (len(truth) == 1 and len(frames.paths) > 1)
    if not is_truth_known:
        truth = np.concatenate([truth, np.full((len(frames.paths) - 1, 4), np.nan)])
    sequence = make_sequence(
        "got10k",
        folder.name,
        frames,
        truth,
        first_pixel=1,
        flagged=_hidden(folder),
        frame_size=_frame_size(folder / "meta_info.ini"),
    )
    return dataclasses.replace(sequence, is_truth_known=is_truth_known)


def _hidden(folder: Path) -> NDArray[np.bool_] | None:
    cover = folder / "cover.label"
    return ~read_flags(cover) if cover.is_file() else None


def _frame_size(path: Path) -> tuple[int, int] | None:
    """Width and height from ``resolution: (1920, 1080)``; none where the file does not say."""
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read(path, encoding="utf-8")
        numbers = re.findall(r"\d+", parser.get("METAINFO", "resolution", fallback=""))
    except configparser.Error as error:
        raise InputError(f"{path}: cannot be read: {error.message.splitlines()[0]}") from error
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: cannot be read: not a text file") from error
    return (int(numbers[0]), int(numbers[1])) if len(numbers) == 2 else None
