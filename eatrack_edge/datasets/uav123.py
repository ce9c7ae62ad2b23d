"""UAV123, UAV123@10fps and UAV20L: one image folder is shared by several sequences.

``anno/UAV123/NAME.txt`` (``nan`` when absent), ``anno/UAV123/att/NAME.txt`` (one row of 12 flags), and
``data_seq/UAV123/FOLDER/000001.jpg``. The other two have folders of their own names beside these, except that
UAV20L uses UAV123's images. At 10 fps every third frame is kept, and ranges shrink with it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from eatrack_edge.datasets.annotations import read_boxes
from eatrack_edge.datasets.sequence import (
    Dataset,
    Sequence,
    annotated,
    flagged_attributes,
    folder_in,
    image_frames,
    make_sequence,
)

ATTRIBUTES = (
    "scale variation",
    "aspect ratio change",
    "low resolution",
    "fast motion",
    "full occlusion",
    "partial occlusion",
    "out of view",
    "background clutter",
    "illumination variation",
    "viewpoint change",
    "camera motion",
    "similar object",
)

# First and last frame of FOLDER_1, FOLDER_2, ... in UAV123 (its configSeqs.m); any other sequence is a whole folder.
PARTS: dict[str, tuple[tuple[int, int], ...]] = {
    "bird1": ((1, 253), (775, 1477), (1573, 2437)),
    "car1": ((1, 751), (751, 1627), (1627, 2629)),
    "car6": ((1, 487), (487, 1807), (1807, 2953), (2953, 3925), (3925, 4861)),
    "car8": ((1, 1357), (1357, 2575)),
    "car16": ((1, 415), (415, 1993)),
    "group1": ((1, 1333), (1333, 2515), (2515, 3925), (3925, 4873)),
    "group2": ((1, 907), (907, 1771), (1771, 2683)),
    "group3": ((1, 1567), (1567, 2827), (2827, 4369), (4369, 5527)),
    "person2": ((1, 1189), (1189, 2623)),
    "person4": ((1, 1501), (1501, 2743)),
    "person5": ((1, 877), (877, 2101)),
    "person7": ((1, 1249), (1249, 2065)),
    "person8": ((1, 1075), (1075, 1525)),
    "person12": ((1, 601), (601, 1621)),
    "person14": ((1, 847), (847, 1813), (1813, 2923)),
    "person17": ((1, 1501), (1501, 2347)),
    "person19": ((1, 1243), (1243, 2791), (2791, 4357)),
    "truck4": ((1, 577), (577, 1261)),
    "uav1": ((1, 1555), (1555, 2377), (2473, 3469)),
}


def frame_range(name: str, every: int = 1) -> tuple[str, int | None, int | None]:
    """Folder, first and last frame of a sequence; no frames where it is the whole folder.

    Args:
        name: The sequence.
        every: Keep one frame of so many: 3 for UAV123@10fps.

    >>> frame_range("bird1_2", every=3)
    ('bird1', 259, 493)
    >>> frame_range("bike1")
    ('bike1', None, None)
    """
    folder, _, part = name.rpartition("_")
    if folder not in PARTS or not part.isdigit() or not 1 <= int(part) <= len(PARTS[folder]):
        return name, None, None
    first, last = PARTS[folder][int(part) - 1]
    return folder, (first - 1) // every + 1, (last - 1) // every + 1


def uav123(root: Path) -> Dataset:
    """UAV123: 123 sequences at 30 fps.

    Raises:
        InputError: A folder of the layout is missing; the message says which.
    """
    return _dataset("uav123", root, "UAV123", "UAV123", every=1)


def uav123_10fps(root: Path) -> Dataset:
    """UAV123@10fps: every third frame of UAV123.

    Raises:
        InputError: A folder of the layout is missing; the message says which.
    """
    return _dataset("uav123_10fps", root, "UAV123_10fps", "UAV123_10fps", every=3)


def uav20l(root: Path) -> Dataset:
    """UAV20L: 20 long sequences, each a whole folder of UAV123.

    Raises:
        InputError: A folder of the layout is missing; the message says which.
    """
    return _dataset("uav20l", root, "UAV20L", "UAV123", every=1)


def _dataset(kind: str, root: Path, annotations: str, images: str, every: int) -> Dataset:
    truth = annotated(folder_in(root, f"anno/{annotations}"))
    frames = folder_in(root, f"data_seq/{images}")
    readers: dict[str, Callable[[], Sequence]] = {
        name: partial(_read, kind, name, path, frames, every) for name, path in truth.items()
    }
    return Dataset(kind, readers)


def _read(kind: str, name: str, truth: Path, images: Path, every: int) -> Sequence:
    folder, first, last = frame_range(name, every)
    frames = image_frames(images / folder, first, last)
    attributes = flagged_attributes(truth.parent / "att" / truth.name, ATTRIBUTES)
    return make_sequence(kind, name, frames, read_boxes(truth), first_pixel=1, attributes=attributes, fps=30 / every)
