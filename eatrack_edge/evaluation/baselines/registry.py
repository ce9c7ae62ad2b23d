"""The baselines by name."""

from __future__ import annotations

from pathlib import Path

from eatrack_edge.core.errors import InputError
from eatrack_edge.core.registry import Registry
from eatrack_edge.evaluation.baselines.base import Baseline
from eatrack_edge.evaluation.tracker_protocol import SingleObjectTracker

BASELINES: Registry[Baseline] = Registry(
    "baseline",
    {
        "mil": "eatrack_edge.evaluation.baselines.opencv:MIL",
        "kcf": "eatrack_edge.evaluation.baselines.opencv:KCF",
        "csrt": "eatrack_edge.evaluation.baselines.opencv:CSRT",
        "mosse": "eatrack_edge.evaluation.baselines.opencv:MOSSE",
        "nanotrack_v2": "eatrack_edge.evaluation.baselines.nanotrack:NANOTRACK_V2",
        "nanotrack_v3": "eatrack_edge.evaluation.baselines.nanotrack:NANOTRACK_V3",
        "vittrack": "eatrack_edge.evaluation.baselines.vittrack:VITTRACK",
    },
)


def open_baseline(name: str, weights: Path | None, threads: int) -> SingleObjectTracker:
    """Open a baseline.

    Args:
        name: A name in ``BASELINES``.
        weights: Folder with a folder per baseline, such as ``nanotrack_v3``; OpenCV's own need none.
        threads: Threads of one inference.

    Raises:
        UsageError: No baseline has that name.
        InputError: A file of weights is missing; the message names the expected path.
        MissingExtra: The baseline needs a package that is not installed.
    """
    return BASELINES.get(name).open(weight_files(name, weights), threads)


def weight_files(name: str, weights: Path | None) -> list[Path]:
    """Where the files of a baseline are; none for OpenCV's own.

    Raises:
        InputError: One is missing.
    """
    names = BASELINES.get(name).weight_files
    if not names:
        return []
    if weights is None:
        raise InputError(f"{name} needs its published weights", hint=f"--baselines FOLDER with {name}/{names[0]}")
    files = [weights / name / file for file in names]
    for file in files:
        if not file.is_file():
            raise InputError(f"{name}: expected its weights at {file}")
    return files
