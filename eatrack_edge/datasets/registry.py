"""Every layout by the name that ``eatrack-edge eval --dataset KIND PATH`` takes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from eatrack_edge.core.errors import InputError, UsageError, did_you_mean
from eatrack_edge.datasets.dtb70 import dtb70
from eatrack_edge.datasets.got10k import got10k
from eatrack_edge.datasets.lasot import lasot
from eatrack_edge.datasets.otb100 import otb100
from eatrack_edge.datasets.plain_folders import images, videos
from eatrack_edge.datasets.sequence import Dataset
from eatrack_edge.datasets.uav123 import uav20l, uav123, uav123_10fps
from eatrack_edge.datasets.uavdt import uavdt
from eatrack_edge.datasets.uavtrack112 import uavtrack112, uavtrack112_l
from eatrack_edge.datasets.visdrone import visdrone2018

_PLAIN: dict[str, Callable[[Path, int], Dataset]] = {"videos": videos, "images": images}
_PUBLISHED: dict[str, Callable[[Path], Dataset]] = {
    "uav123": uav123,
    "uav123_10fps": uav123_10fps,
    "uav20l": uav20l,
    "dtb70": dtb70,
    "uavdt": uavdt,
    "visdrone2018": visdrone2018,
    "uavtrack112": uavtrack112,
    "uavtrack112_l": uavtrack112_l,
    "otb100": otb100,
    "lasot": lasot,
    "got10k": got10k,
}
KINDS = (*_PUBLISHED, *_PLAIN)


def open_dataset(kind: str, root: Path, first_pixel: int = 0) -> Dataset:
    """Find the sequences of a dataset on disk. Annotations are read later, one sequence at a time.

    Args:
        kind: One of ``KINDS``.
        root: The dataset's own root.
        first_pixel: For ``videos`` and ``images``: what their annotations call the first pixel, 0 or 1.

    Raises:
        UsageError: There is no such kind.
        InputError: The folder is not laid out as the kind expects; the message says what was expected where.
    """
    if kind not in KINDS:
        raise UsageError(f"no dataset kind `{kind}`", hint=did_you_mean(kind, KINDS, "known kinds: {}"))
    if not root.is_dir():
        raise InputError(f"expected the {kind} dataset at {root}, there is no such folder")
    return _PLAIN[kind](root, first_pixel) if kind in _PLAIN else _PUBLISHED[kind](root)
