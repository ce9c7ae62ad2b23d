"""UAVTrack112 and its long part: ``data_seq/NAME/00001.jpg`` with ``anno/NAME.txt``, or ``anno_l/NAME.txt`` for _L.

The archive unpacks into a folder ``V4RFlight112``; it or its parent may be given.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from eatrack_edge.datasets.annotations import read_boxes
from eatrack_edge.datasets.sequence import Dataset, Sequence, annotated, folder_in, image_frames, make_sequence


def uavtrack112(root: Path) -> Dataset:
    """UAVTrack112: 112 sequences.

    Raises:
        InputError: A folder of the layout is missing; the message says which.
    """
    return _dataset("uavtrack112", root, "anno")


def uavtrack112_l(root: Path) -> Dataset:
    """UAVTrack112_L: its 45 long sequences.

    Raises:
        InputError: A folder of the layout is missing; the message says which.
    """
    return _dataset("uavtrack112_l", root, "anno_l")


def _dataset(kind: str, root: Path, annotations: str) -> Dataset:
    inner = root / "V4RFlight112"
    root = inner if inner.is_dir() else root
    truth = annotated(folder_in(root, annotations))
    images = folder_in(root, "data_seq")
    return Dataset(kind, {name: partial(_read, kind, name, path, images) for name, path in truth.items()})


def _read(kind: str, name: str, truth: Path, images: Path) -> Sequence:
    # Attribute flags exist (attributes/NAME.txt), but no source for the order of their names was found.
    return make_sequence(kind, name, image_frames(images / name), read_boxes(truth), first_pixel=1)
