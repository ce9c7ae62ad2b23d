"""Finds the engines that were built from a model."""

from __future__ import annotations

from pathlib import Path

from eatrack_edge.core.errors import EngineMismatch, InputError, MachineError, UsageError
from eatrack_edge.inference.onnx_metadata import read_metadata
from eatrack_edge.inference.tensorrt.manifest import check_fit, engine_home, engine_paths, read_manifest

_TEMPLATE, _TRACK = ".template.engine", ".track.engine"
# Where several are built. FP16 is the default of `build`; for another precision the user names its file.
_BY_PREFERENCE = ("fp16", "int8-fp16", "int8", "fp32")


def is_engine(model: str | Path) -> bool:
    """Whether ``model`` is an engine's file, or a folder that holds engines and no graphs."""
    path = Path(model)
    if path.is_dir():
        return any(path.glob(f"[!.]*{_TRACK}")) and not any(path.glob("[!.]*.onnx"))
    return path.suffix == ".engine"


def named_engines(model: str | Path) -> tuple[Path, Path]:
    """Template and track engine, where ``is_engine(model)``.

    Raises:
        UsageError: The file has another name than the two of an engine, or a folder holds engines of several models.
    """
    path = Path(model)
    if path.is_dir():
        names = {track.name.partition(".")[0] for track in path.glob(f"[!.]*{_TRACK}")}
        if len(names) != 1:
            raise InputError(f"{path}: holds engines of {len(names)} models, needs exactly one", hint="name the file")
        return next(pair for pair in _candidates(names.pop(), path) if pair[1].is_file())
    for suffix in (_TEMPLATE, _TRACK):
        if path.name.endswith(suffix):
            stem = path.name.removesuffix(suffix)
            return path.with_name(stem + _TEMPLATE), path.with_name(stem + _TRACK)
    raise UsageError(
        f"{path}: an engine is two files, NAME{_TEMPLATE} and NAME{_TRACK}", hint="build them: eatrack-edge build"
    )


def built_engines(track_graph: Path) -> tuple[Path, Path]:
    """The engines built from a track graph, in any precision: beside it, or in ``engine_home()``.

    Raises:
        MachineError: There are none.
        InputError: They have no manifest.
        EngineMismatch: They were built from another graph of that name.
    """
    name = track_graph.name.removesuffix(".track.onnx")
    for folder in (track_graph.parent, engine_home()):
        for template, track in _candidates(name, folder):
            if track.is_file():
                _check_origin(track, track_graph)
                return template, track
    raise MachineError(f"no engine of `{name}` is built on this machine", hint=f"build one: eatrack-edge build {name}")


def _candidates(name: str, folder: Path) -> list[tuple[Path, Path]]:
    # A name that has a precision in it already, eatrack_s.int8, means that one.
    precisions = ("fp32",) if "." in name else _BY_PREFERENCE
    return [engine_paths(name, precision, folder) for precision in precisions]


def _check_origin(engine: Path, track_graph: Path) -> None:
    """Refuse an engine of another model of the same name: it would load and track with other weights."""
    manifest = read_manifest(engine)
    own_graph = track_graph.with_name(engine.name.removesuffix(".engine") + ".onnx")
    if own_graph.is_file():
        check_fit(engine, manifest, manifest.fingerprint, graph=own_graph)
    # Its own graph was not kept, but all graphs of a checkpoint carry the checkpoint's hash.
    elif manifest.checkpoint_sha256 != read_metadata(track_graph).get("checkpoint_sha256"):
        raise EngineMismatch(
            f"{engine}: was built from another checkpoint than {track_graph.name}",
            hint=f"rebuild it: {manifest.command}",
        )
