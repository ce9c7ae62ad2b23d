"""Baselines: third-party trackers, scored and timed on the same frames as ours.

OpenCV's trackers need no weights. NanoTrack and VitTrack need the files that their authors publish, in a folder that
the user names; they are not part of this project. VitTrack runs on ONNX Runtime and not through ``cv2.TrackerVit``,
which feeds the network BGR with the signs of two channels inverted, and scores a third less than the network can.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from eatrack_edge.core.errors import InputError

OPENCV_TRACKERS = ("mil", "kcf", "csrt", "mosse")
_WEIGHTS = {
    "nanotrack_v2": ("nanotrack_backbone_sim.onnx", "nanotrack_head_sim.onnx"),
    "nanotrack_v3": ("nanotrack_backbone.onnx", "nanotrack_head.onnx"),
    "vittrack": ("object_tracking_vittrack_2023sep.onnx",),
}
BASELINES = (*OPENCV_TRACKERS, *_WEIGHTS)


def open_baseline(name: str, weights: Path | None, threads: int) -> Any:
    """Open one of ``BASELINES``.

    Args:
        name: Which.
        weights: Folder with a folder per baseline, such as ``nanotrack_v3``; OpenCV's trackers need none.
        threads: Threads of one inference.

    Raises:
        InputError: A file of weights is missing; the message names the expected path.
        MissingExtra: The baseline needs a package that is not installed.
    """
    if name in OPENCV_TRACKERS:
        from eatrack_edge.evaluation.baselines.opencv import OpenCvTracker

        return OpenCvTracker(name)
    files = weight_files(name, weights)
    if name == "vittrack":
        from eatrack_edge.evaluation.baselines.vittrack import VitTrack

        return VitTrack(*files, threads=threads)
    from eatrack_edge.evaluation.baselines.nanotrack import SETTINGS, NanoTrack

    return NanoTrack(*files, settings=SETTINGS[name], threads=threads)


def weight_files(name: str, weights: Path | None) -> list[Path]:
    """Paths of the weights of a baseline; none for OpenCV's trackers.

    Raises:
        InputError: One is missing.
    """
    if name not in _WEIGHTS:
        return []
    if weights is None:
        raise InputError(
            f"{name} needs its published weights", hint=f"--baselines FOLDER with {name}/{_WEIGHTS[name][0]}"
        )
    files = [weights / name / file for file in _WEIGHTS[name]]
    for file in files:
        if not file.is_file():
            raise InputError(f"{name}: expected its weights at {file}")
    return files
