"""What a track depends on, so that an evaluation resumes only from tracks that it would compute again.

Everything that can change a box or a time is in it: the version of this tool, the tracker with its settings, weights
and backend, the options of the run, the frames and the true boxes. Frames are compared by name, size and time of
change, as rsync does: reading all pixels would take as long as tracking.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import sys
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

import cv2
import numpy as np

from eatrack_edge import __version__
from eatrack_edge.core.io import sha256
from eatrack_edge.core.resources import DEFAULT_MODEL
from eatrack_edge.datasets.frame_sets import FrameRange, Frames, ImageFrames, SceneFrames, SplicedFrames
from eatrack_edge.datasets.sequence import Sequence
from eatrack_edge.evaluation.baselines.registry import BASELINES, weight_files
from eatrack_edge.evaluation.kept_trackers import close_tracker
from eatrack_edge.evaluation.tracker_protocol import SingleObjectTracker
from eatrack_edge.evaluation.trackers import FIXED, OURS, TrackerSpec, open_tracker


def tracker_identity(spec: TrackerSpec) -> dict[str, str]:
    """What a tracker's results depend on. Opens the tracker, so that one that cannot run fails at once.

    Args:
        spec: Which tracker. Of a tracker of your own only the Python source of its module is known.

    Raises:
        UsageError: No such tracker or model.
        InputError: Its weights are missing.
        MissingExtra: It needs a package that is not installed.
    """
    from eatrack_edge.tracking.tracker import Tracker

    opened = open_tracker(spec)
    known = {"tracker": spec.name, "eatrack_edge": __version__, "opencv": cv2.__version__, "numpy": np.__version__}
    known["threads"] = str(spec.threads)
    if spec.camera_fps:
        known["camera_fps"] = f"{spec.camera_fps:g}"
    if isinstance(opened, Tracker):
        # The default depends on what is installed, and an INT8 engine's boxes differ from those of a float32 graph.
        known["backend"] = opened.backend.name
        known["refinement"] = opened.refinement.name
        known["settings"] = _digest([json.dumps(asdict(opened.settings), sort_keys=True)])
    known |= _package_version(spec, known.get("backend", ""))
    try:
        return known | _checksums(spec, opened)
    finally:
        close_tracker(opened)


def sequence_identity(sequence: Sequence) -> dict[str, str]:
    """What a track depends on in its sequence: the frames, and the true boxes with the first one."""
    flags = b"" if sequence.flagged is None else sequence.flagged.tobytes()
    options = f"first pixel {sequence.first_pixel}, first box {sequence.first_box}"
    return {
        "frames": _digest([*_frame_stamps(sequence.frames), f"of {len(sequence)}"]),
        "truth": _digest([sequence.truth.tobytes(), flags, options]),
    }


def _frame_stamps(frames: Frames) -> list[str]:
    if isinstance(frames, SplicedFrames):
        return [*_part_stamps(frames.tracked), f"spliced from {frames.begin}", *_part_stamps(frames.splice)]
    if isinstance(frames, ImageFrames):
        return [_stamp(path) for path in frames.paths]
    if isinstance(frames, SceneFrames):
        return [frames.uri, f"every {frames.every}"]
    return [_stamp(frames.path), f"every {frames.every}"]


def _part_stamps(part: FrameRange) -> list[str]:
    return [*_frame_stamps(part.frames), f"{part.count} from {part.first}"]


def _stamp(path: Path) -> str:
    """A file by its name, size and time of change; one that cannot be read has neither."""
    try:
        status = path.stat()
    except OSError:
        return path.name
    return f"{path.name} {status.st_size} {status.st_mtime_ns}"


def _digest(parts: Iterable[str | bytes]) -> str:
    digest = hashlib.sha256()
    for part in parts:
        data = part if isinstance(part, bytes) else part.encode("utf-8", "surrogateescape")
        digest.update(len(data).to_bytes(8, "big") + data)
    return digest.hexdigest()


def _package_version(spec: TrackerSpec, backend: str) -> dict[str, str]:
    """Version of the package that runs the network; OpenCV's is known already."""
    package = backend.partition(" ")[0]
    if spec.name in BASELINES:
        package = BASELINES.get(spec.name).package
    version = getattr(sys.modules.get(package), "__version__", "")
    return {f"{package} version": str(version)} if version and package != "opencv" else {}


def _checksums(spec: TrackerSpec, opened: SingleObjectTracker) -> dict[str, str]:
    """Checksums of the files that a tracker's results depend on."""
    if spec.name in (OURS, FIXED):
        files = _model_files(spec.model or DEFAULT_MODEL, getattr(opened, "backend", None))
    elif spec.name in BASELINES:
        files = weight_files(spec.name, Path(spec.baselines) if spec.baselines else None)
    else:
        return {"source": sha256(*_source_files(spec.name.partition(":")[0]))}
    return {path.name: sha256(path) for path in files}


def _model_files(model: str, backend: object) -> list[Path]:
    """The graphs with their weights, or the engines that run in their place."""
    from eatrack_edge.inference.model_files import find_graphs
    from eatrack_edge.inference.onnx_metadata import graph_files
    from eatrack_edge.inference.tensorrt.engine_files import built_engines, is_engine, named_engines

    if is_engine(model):
        return list(named_engines(model))
    graphs = find_graphs(model)
    files = [file for graph in graphs for file in graph_files(graph)]
    is_engine_run = str(getattr(backend, "name", "")).startswith("tensorrt")
    return [*files, *built_engines(graphs[1])] if is_engine_run else files


def _source_files(module: str) -> list[Path]:
    """The Python source of a module, or of a package and all in it."""
    source = getattr(importlib.import_module(module), "__file__", None)
    if not source or not Path(source).is_file():
        return []
    path = Path(source)
    return sorted(path.parent.rglob("*.py")) if path.name == "__init__.py" else [path]
