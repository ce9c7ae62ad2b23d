"""VisDrone2018-SOT: ``sequences/NAME/img0000001.jpg``, ``annotations/NAME.txt`` and ``attributes/NAME_attr.txt``."""

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
from eatrack_edge.datasets.uav123 import ATTRIBUTES


def visdrone2018(root: Path) -> Dataset:
    """VisDrone2018-SOT: 35 sequences in its test-dev split. Its attributes are UAV123's.

    Raises:
        InputError: A folder of the layout is missing; the message says which.
    """
    truth = annotated(folder_in(root, "annotations"))
    images = folder_in(root, "sequences")
    return Dataset("visdrone2018", {name: partial(_read, name, path, images) for name, path in truth.items()})


def _read(name: str, truth: Path, images: Path) -> Sequence:
    attributes = flagged_attributes(truth.parent.parent / "attributes" / f"{name}_attr.txt", ATTRIBUTES)
    frames = image_frames(images / name)
    return make_sequence("visdrone2018", name, frames, read_boxes(truth), first_pixel=1, attributes=attributes)
