"""The backends by name, and the choice of one for a model."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from eatrack_edge.core.errors import EATrackError, MissingExtra, UsageError
from eatrack_edge.core.registry import Registry
from eatrack_edge.inference.backend import Backend
from eatrack_edge.inference.tensorrt.engine_files import is_engine

# Opens a model, given by name or path, with a number of threads for one inference on a CPU.
BackendOpener = Callable[[str | Path, int], Backend]
AUTO = "auto"

# In the order in which `auto` tries them: the faster ones first.
BACKENDS: Registry[BackendOpener] = Registry(
    "backend",
    {
        "tensorrt": "eatrack_edge.inference.tensorrt.backend:open_backend",
        "openvino": "eatrack_edge.inference.openvino:open_backend",
        "onnxruntime": "eatrack_edge.inference.onnxruntime:open_backend",
    },
    hint="or auto for the best that opens",
)


class Choice(NamedTuple):
    """An open backend, and how it was chosen."""

    backend: Backend
    notes: tuple[str, ...] = ()  # why each better one was not taken, and what this one lacks; a line each


def choose_backend(model: str | Path, backend: str = AUTO, threads: int = 1) -> Choice:
    """Open a model on the named backend, or on the best that opens.

    Args:
        model: See ``model_files.find_graphs``; also an engine's file, or a folder of engines, for TensorRT.
        backend: A name in ``BACKENDS``, or ``auto`` for the first of them that opens: TensorRT where it is installed,
            a GPU answers and an engine of the model is built; else OpenVINO; else ONNX Runtime.
        threads: Threads of one inference on a CPU.

    Raises:
        UsageError: No such model or backend, or no thread.
        InputError: The graphs or engines cannot be loaded.
        MachineError: The named backend, or every one, lacks something on this machine.
        MissingExtra: The package of the backend, or of every one, is not installed.
    """
    if threads < 1:
        raise UsageError(f"{threads} threads cannot run an inference", hint="give 1 or more")
    if backend not in (AUTO, *BACKENDS.names()):
        raise BACKENDS.unknown(backend)
    names = (backend,) if backend != AUTO else ("tensorrt",) if is_engine(model) else BACKENDS.names()
    failures: dict[str, EATrackError] = {}
    for name in names:
        try:
            opened = open_named(name, model, threads)
        except EATrackError as failure:
            failures[name] = failure
            continue
        notes = [f"not {better}: {failure.message}" for better, failure in failures.items()]
        return Choice(opened, (*notes, f"{name}: {opened.note}") if opened.note else tuple(notes))
    # A package that is missing was perhaps never wanted: the failure of an installed one says more.
    latest_first = list(reversed(failures.values()))
    raise next((failure for failure in latest_first if not isinstance(failure, MissingExtra)), latest_first[0])


def open_backend(model: str | Path, backend: str = AUTO, threads: int = 1) -> Backend:
    """The backend of ``choose_backend``."""
    return choose_backend(model, backend, threads).backend


def open_named(name: str, model: str | Path, threads: int) -> Backend:
    """Open a model on one backend."""
    return BACKENDS.get(name)(model, threads)
