"""Finds a model's graphs or engines, and opens them on the best backend there is."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from eatrack_edge.core.errors import EATrackError, InputError, MissingExtra, UsageError, did_you_mean
from eatrack_edge.core.imports import require
from eatrack_edge.core.resources import bundled, bundled_models
from eatrack_edge.inference.backend import Backend
from eatrack_edge.inference.tensorrt.engine_files import built_engines, is_engine, named_engines

BACKENDS = ("auto", "tensorrt", "openvino", "onnxruntime")  # after auto, the better one first
_TEMPLATE, _TRACK = ".template.onnx", ".track.onnx"


class Choice(NamedTuple):
    """A backend that is open, and how it came to be chosen."""

    backend: Backend
    notes: tuple[str, ...] = ()  # why each better one was not taken, and what this one lacks; a line each


def find_graphs(model: str | Path) -> tuple[Path, Path]:
    """The template and the track graph of a model.

    Args:
        model: A bundled model's name, a folder that holds one export, or either of its two files.

    Raises:
        UsageError: No bundled model has that name, or it is an engine.
        InputError: The folder or file is not an export.
    """
    path = Path(model)
    if is_engine(path):
        raise UsageError(f"{path}: only the backend `tensorrt` runs engines", hint="give the graphs it was built from")
    if path.is_dir():
        found = sorted(path.glob(f"*{_TRACK}"))
        if len(found) != 1:
            raise InputError(f"{path}: holds {len(found)} exported models, needs exactly one", hint="name the file")
        return _pair(found[0])
    if path.suffix == ".onnx":
        return _pair(path)
    track = bundled(f"{model}{_TRACK}")
    if track is None:
        hint = did_you_mean(str(model), bundled_models(), "bundled models: {}; or give an exported file")
        raise UsageError(f"no model called `{model}`", hint=hint)
    return _pair(track)


def choose_backend(model: str | Path, backend: str = "auto", threads: int = 1) -> Choice:
    """Open a model on the backend asked for, or on the best that opens.

    Args:
        model: See ``find_graphs``; also an engine's file, or a folder of engines, for TensorRT.
        backend: One of ``BACKENDS``. ``auto`` takes the first of the others that opens: TensorRT where it is
            installed, a GPU answers and an engine of the model is built; else OpenVINO; else ONNX Runtime.
        threads: Threads of one inference, where the CPU does it.

    Raises:
        UsageError: No such model or backend.
        InputError: The graphs or engines cannot be loaded.
        MachineError: The backend asked for, or every one, lacks something here.
        MissingExtra: The package of the backend, or of every one, is not installed.
    """
    if backend not in BACKENDS:
        raise UsageError(f"no backend called `{backend}`", hint=did_you_mean(backend, BACKENDS, "known backends: {}"))
    if backend != "auto":
        names: tuple[str, ...] = (backend,)
    else:
        names = ("tensorrt",) if is_engine(model) else BACKENDS[1:]
    faults: dict[str, EATrackError] = {}
    for name in names:
        try:
            opened = _open(name, model, threads)
        except EATrackError as fault:
            faults[name] = fault
            continue
        notes = [f"not {better}: {fault.message}" for better, fault in faults.items()]
        return Choice(opened, (*notes, f"{name}: {opened.note}") if opened.note else tuple(notes))
    # What is not installed was perhaps never wanted: the fault of one that is says more.
    latest_first = list(reversed(faults.values()))
    raise next((fault for fault in latest_first if not isinstance(fault, MissingExtra)), latest_first[0])


def open_backend(model: str | Path, backend: str = "auto", threads: int = 1) -> Backend:
    """The backend of ``choose_backend``, which see."""
    return choose_backend(model, backend, threads).backend


def _open(name: str, model: str | Path, threads: int) -> Backend:
    if name == "tensorrt":
        require("tensorrt", to="run an engine")
        from eatrack_edge.inference.tensorrt.backend import TensorRTBackend

        return TensorRTBackend(*(named_engines(model) if is_engine(model) else built_engines(find_graphs(model)[1])))
    if name == "openvino":
        from eatrack_edge.inference.openvino import OpenVinoBackend

        return OpenVinoBackend(*find_graphs(model), threads=threads)
    from eatrack_edge.inference.onnxruntime import OnnxRuntimeBackend

    return OnnxRuntimeBackend(*find_graphs(model), threads=threads)


def _pair(graph: Path) -> tuple[Path, Path]:
    for suffix in (_TEMPLATE, _TRACK):
        if graph.name.endswith(suffix):
            stem = graph.name.removesuffix(suffix)
            return graph.with_name(stem + _TEMPLATE), graph.with_name(stem + _TRACK)
    raise InputError(
        f"{graph}: an exported model is two files, NAME{_TEMPLATE} and NAME{_TRACK}",
        hint="make them: eatrack-edge export CHECKPOINT",
    )
