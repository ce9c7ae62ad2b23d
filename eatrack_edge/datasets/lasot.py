"""LaSOT: ``CLASS/CLASS-1/`` with ``img/00000001.jpg`` and ``groundtruth.txt``.

``full_occlusion.txt`` and ``out_of_view.txt`` are one row of 0 and 1 each; a frame with either set is absent. Folders
``CLASS-1`` directly under the root are read too.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from eatrack_edge.core.errors import InputError
from eatrack_edge.datasets.annotations import read_boxes, read_flags
from eatrack_edge.datasets.sequence import VISIBLE, Dataset, Sequence, image_frames, make_sequence

_TRUTH = "groundtruth.txt"


def lasot(root: Path) -> Dataset:
    """LaSOT: every sequence under the root (its test split has 280).

    Raises:
        InputError: No sequence has the layout's annotation.
    """
    folders = sorted(
        {
            path.parent
            for pattern in (f"{VISIBLE}/{_TRUTH}", f"{VISIBLE}/{VISIBLE}/{_TRUTH}")
            for path in root.glob(pattern)
        }
    )
    if not folders:
        raise InputError(f"expected an annotation at {root / 'CLASS' / 'CLASS-1' / _TRUTH}, found none")
    return Dataset("lasot", {folder.name: partial(_read, folder) for folder in folders})


def _read(folder: Path) -> Sequence:
    flagged: NDArray[np.bool_] | None = None
    for name in ("full_occlusion.txt", "out_of_view.txt"):
        flags = read_flags(folder / name)
        if flagged is not None and len(flags) != len(flagged):
            raise InputError(f"{folder / name}: {len(flags)} flags, full_occlusion.txt has {len(flagged)}")
        flagged = flags if flagged is None else flagged | flags
    truth = read_boxes(folder / _TRUTH)
    return make_sequence("lasot", folder.name, image_frames(folder / "img"), truth, first_pixel=1, flagged=flagged)
