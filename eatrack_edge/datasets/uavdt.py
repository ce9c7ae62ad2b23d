"""UAVDT, single-object part: ``sequences/S0101/img000001.jpg``, ``anno/S0101_gt.txt`` and ``anno/att/S0101_att.txt``.

The archive itself calls the image folder ``UAV-benchmark-S``; both names are read.
"""

from __future__ import annotations

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
    "background clutter",
    "camera motion",
    "object motion",
    "small object",
    "illumination variations",
    "object blur",
    "scale variations",
    "long-term tracking",
    "large occlusion",
)


def uavdt(root: Path) -> Dataset:
    """UAVDT-SOT: 50 sequences of vehicles.

    Raises:
        InputError: A folder of the layout is missing; the message says which.
    """
    truth = annotated(folder_in(root, "anno"), "_gt.txt")
    images = folder_in(root, "sequences", "UAV-benchmark-S", "data_seq")
    return Dataset("uavdt", {name: partial(_read, name, path, images) for name, path in truth.items()})


def _read(name: str, truth: Path, images: Path) -> Sequence:
    attributes = flagged_attributes(truth.parent / "att" / f"{name}_att.txt", ATTRIBUTES)
    frames = image_frames(images / name)
    return make_sequence("uavdt", name, frames, read_boxes(truth), first_pixel=1, attributes=attributes)
