"""Writes result files in the formats of the OTB, pysot, pytracking and GOT-10k toolkits.

| format | box file | row | times |
|---|---|---|---|
| otb | ``TRACKER/NAME.txt`` | comma, 4 decimals | none |
| pysot | ``DATASET/TRACKER/NAME.txt`` | comma, 4 decimals | none |
| pytracking | ``TRACKER/NAME.txt`` | tab, cut to whole pixels as pytracking does | ``NAME_time.txt``, seconds |
| got10k | ``DATASET/TRACKER/NAME/NAME_001.txt`` | comma, 3 decimals | ``NAME_time.txt``, seconds |

Coordinates start at the dataset's own first pixel, so that each toolkit can score them against its own truth.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from eatrack_edge.core.errors import UsageError, did_you_mean
from eatrack_edge.core.io import write_whole
from eatrack_edge.datasets.sequence import Sequence
from eatrack_edge.evaluation.track_store import Floats, Track

FORMATS = ("otb", "pysot", "pytracking", "got10k")


def published_boxes(sequence: Sequence, track: Track) -> Floats:
    """A track's boxes in the coordinates of the dataset's own annotations, shape (N, 4)."""
    return np.asarray(track.boxes + np.array([sequence.first_pixel, sequence.first_pixel, 0, 0]))


def check_formats(layouts: tuple[str, ...]) -> None:
    """Refuse an unknown result format, before any work is done.

    Raises:
        UsageError: No such format.
    """
    for layout in layouts:
        if layout not in FORMATS:
            raise UsageError(f"no result format `{layout}`", hint=did_you_mean(layout, FORMATS, "known formats: {}"))


def write_result(folder: Path, layout: str, tracker: str, sequence: Sequence, track: Track) -> Path:
    """Write one sequence's boxes in the format of a toolkit.

    Returns:
        Path of the box file.

    Raises:
        UsageError: No such format.
        OutputError: It cannot be written.
    """
    check_formats((layout,))
    boxes = published_boxes(sequence, track)
    path = _place(folder, layout, tracker, sequence)
    if layout == "pytracking":
        write_whole(path, "".join("\t".join(str(int(value)) for value in row) + "\n" for row in _finite(boxes)))
    else:
        decimals = 3 if layout == "got10k" else 4
        write_whole(path, "".join(",".join(f"{value:.{decimals}f}" for value in row) + "\n" for row in boxes.tolist()))
    if layout in ("pytracking", "got10k"):
        times = "".join(f"{value:.6f}\n" for value in track.seconds.tolist())
        write_whole(path.parent / f"{sequence.name}_time.txt", times)
    return path


def _place(folder: Path, layout: str, tracker: str, sequence: Sequence) -> Path:
    if layout == "got10k":
        return folder / sequence.dataset / tracker / sequence.name / f"{sequence.name}_001.txt"
    root = folder / sequence.dataset if layout == "pysot" else folder
    return root / tracker / f"{sequence.name}.txt"


def _finite(boxes: Floats) -> list[list[float]]:
    """Integers have no NaN: a frame without a result becomes an empty box."""
    rows: list[list[float]] = np.nan_to_num(boxes).tolist()
    return rows
