"""OTB100: ``NAME/img/0001.jpg`` and ``NAME/groundtruth_rect.txt``, or ``groundtruth_rect.1.txt`` for several targets.

Some sequences use a part of their images, and Tiger1 leaves out five frames at the start (configSeqs.m, initOmit).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from eatrack_edge.core.errors import InputError
from eatrack_edge.datasets.annotations import read_boxes
from eatrack_edge.datasets.sequence import VISIBLE, Dataset, Sequence, image_frames, make_sequence

# First and last frame where the sequence is a part of its folder.
RANGES = {
    "david": (300, 770),
    "diving": (1, 215),
    "football1": (1, 74),
    "freeman3": (1, 460),
    "freeman4": (1, 283),
}
_OMITTED_AT_START = {"tiger1": 5}
_LEFT_OUT = {"Human4-1"}  # of its two targets the benchmark uses the second
_TRUTH = "groundtruth_rect.txt"


def otb100(root: Path) -> Dataset:
    """OTB100: 100 sequences; two targets of one folder are NAME-1 and NAME-2.

    Raises:
        InputError: No sequence has the layout's annotation.
    """
    found: dict[str, Callable[[], Sequence]] = {}
    for path in sorted(root.glob(f"{VISIBLE}/groundtruth_rect*.txt")):
        target = path.name.removeprefix("groundtruth_rect").removesuffix(".txt").lstrip(".")
        name = f"{path.parent.name}-{target}" if target else path.parent.name
        if name not in _LEFT_OUT:
            found[name] = partial(_read, name, path)
    if not found:
        raise InputError(f"expected an annotation at {root / 'NAME' / _TRUTH}, found none")
    return Dataset("otb100", found)


def _read(name: str, truth: Path) -> Sequence:
    folder = truth.parent
    first, last = RANGES.get(folder.name.lower(), (None, None))
    frames = image_frames(folder / "img", first, last)
    omitted = _OMITTED_AT_START.get(folder.name.lower(), 0)
    boxes = read_boxes(truth)
    if omitted:
        frames, boxes = type(frames)(frames.paths[omitted:]), boxes[omitted:]
    return make_sequence("otb100", name, frames, boxes, first_pixel=1)
