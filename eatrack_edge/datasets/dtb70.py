"""DTB70: ``NAME/img/00001.jpg`` and ``NAME/groundtruth_rect.txt``; ``0,0,0,0`` when absent.

Attribute flags come with the benchmark's code, not its images: put them at ``att/NAME.txt`` (11 flags).
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from eatrack_edge.core.errors import InputError
from eatrack_edge.datasets.annotations import read_boxes
from eatrack_edge.datasets.sequence import VISIBLE, Dataset, Sequence, flagged_attributes, image_frames, make_sequence

ATTRIBUTES = (
    "scale variation",
    "aspect ratio variation",
    "occlusion",
    "deformation",
    "fast camera motion",
    "in-plane rotation",
    "out-of-plane rotation",
    "out of view",
    "background clutter",
    "similar objects around",
    "motion blur",
)
_TRUTH = "groundtruth_rect.txt"


def dtb70(root: Path) -> Dataset:
    """DTB70: 70 sequences filmed by small drones.

    Raises:
        InputError: No sequence has the layout's annotation.
    """
    folders = sorted(path.parent for path in root.glob(f"{VISIBLE}/{_TRUTH}"))
    if not folders:
        raise InputError(f"expected an annotation at {root / 'NAME' / _TRUTH}, found none")
    return Dataset("dtb70", {folder.name: partial(_read, root, folder) for folder in folders})


def _read(root: Path, folder: Path) -> Sequence:
    attributes = flagged_attributes(root / "att" / f"{folder.name}.txt", ATTRIBUTES)
    frames = image_frames(folder / "img")
    return make_sequence(
        "dtb70", folder.name, frames, read_boxes(folder / _TRUTH), first_pixel=1, attributes=attributes
    )
