"""Scores a folder of result files of any toolkit against a folder of true boxes.

A line has four numbers, separated by commas, tabs, spaces or semicolons: pytracking writes tabs, pysot and GOT-10k
commas, OTB either. A sequence's file is ``NAME.txt``, or ``NAME/NAME_001.txt`` as in GOT-10k; true boxes are
``NAME.txt`` or ``NAME/groundtruth.txt``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from eatrack_edge.core.errors import InputError
from eatrack_edge.datasets.annotations import check_in_pixels, read_boxes, read_flags
from eatrack_edge.datasets.sequence import VISIBLE
from eatrack_edge.evaluation.metrics import Score, SequenceScore, mean_score, score_sequence
from eatrack_edge.evaluation.protocol import Protocol

_TRUTH_IN_FOLDER = ("groundtruth.txt", "groundtruth_rect.txt")


@dataclass(frozen=True, slots=True, eq=False)
class FolderScore:
    """Scores of a tracker's result files.

    Attributes:
        score: Mean over the sequences that could be scored.
        sequences: Score per sequence name.
        skipped: The reason, for each sequence that could not be scored.
        mismatched: Frames in the result and in the truth, for each sequence where they differ.
    """

    score: Score
    sequences: Mapping[str, SequenceScore]
    skipped: Mapping[str, str] = field(default_factory=dict)
    mismatched: Mapping[str, tuple[int, int]] = field(default_factory=dict)


def truth_files(folder: Path) -> dict[str, Path]:
    """Find the files of true boxes, by sequence name in alphabetical order.

    Raises:
        InputError: The folder does not exist or has none.
    """
    if not folder.is_dir():
        raise InputError(f"no folder of true boxes at `{folder}`")
    found = {path.stem: path for path in folder.glob(f"{VISIBLE}.txt")}
    for name in _TRUTH_IN_FOLDER:
        found.update({path.parent.name: path for path in folder.glob(f"{VISIBLE}/{name}")})
    if not found:
        raise InputError(
            f"no true boxes in `{folder}`", hint="expected NAME.txt or NAME/groundtruth.txt, x,y,w,h a line"
        )
    return dict(sorted(found.items()))


def result_file(folder: Path, name: str) -> Path:
    """Find a tracker's result file of a sequence.

    Raises:
        InputError: There is no such file.
    """
    candidates = (folder / f"{name}.txt", folder / name / f"{name}_001.txt")
    for path in candidates:
        if path.is_file():
            return path
    raise InputError(
        f"no result for `{name}`: expected {candidates[0]}", hint="run the tracker on it, then score again"
    )


def score_folder(truth: Path, results: Path, protocol: Protocol) -> FolderScore:
    """Score a folder of result files against a folder of true boxes of the same names.

    Result files without true boxes are ignored: archives contain notes too.

    Raises:
        InputError: A folder is missing or empty, or no sequence at all could be scored.
    """
    if not results.is_dir():
        raise InputError(f"no folder of results at `{results}`")
    scores: dict[str, SequenceScore] = {}
    skipped: dict[str, str] = {}
    mismatched: dict[str, tuple[int, int]] = {}
    for name, path in truth_files(truth).items():
        try:
            result = result_file(results, name)
            true_boxes, predicted = read_boxes(path), read_boxes(result)
            check_in_pixels(true_boxes, str(path))
            check_in_pixels(predicted[np.isfinite(predicted).all(axis=1)], str(result))
            scores[name] = score_sequence(predicted, true_boxes, protocol, flagged=_hidden(path))
        except InputError as error:
            skipped[name] = error.message
            continue
        if len(predicted) != len(true_boxes):
            mismatched[name] = (len(predicted), len(true_boxes))
    if not scores:
        name, reason = next(iter(skipped.items()))
        raise InputError(f"none of {len(skipped)} sequences could be scored; `{name}`: {reason}")
    return FolderScore(mean_score(scores.values(), protocol), scores, skipped, mismatched)


def _hidden(truth: Path) -> NDArray[np.bool_] | None:
    """Frames where the target is invisible, ``cover.label`` 0, in GOT-10k; ``None`` for other datasets."""
    cover = truth.parent / "cover.label"
    if truth.name != "groundtruth.txt" or not cover.is_file():
        return None
    return ~read_flags(cover)
