"""Finds a model's graphs and opens them on a backend."""

from __future__ import annotations

import difflib
from pathlib import Path

from eatrack_edge.errors import InputError, UsageError
from eatrack_edge.material import bundled, bundled_models
from eatrack_edge.runtime.backends import Backend

BACKENDS = ("auto", "onnxruntime")
_TEMPLATE, _TRACK = ".template.onnx", ".track.onnx"


def find_graphs(model: str | Path) -> tuple[Path, Path]:
    """The template and the track graph of a model.

    Args:
        model: A bundled model's name, a folder that holds one export, or either of its two files.

    Raises:
        UsageError: No bundled model has that name.
        InputError: The folder or file is not an export.
    """
    path = Path(model)
    if path.is_dir():
        found = sorted(path.glob(f"*{_TRACK}"))
        if len(found) != 1:
            raise InputError(f"{path}: holds {len(found)} exported models, needs exactly one", hint="name the file")
        return _pair(found[0])
    if path.suffix == ".onnx":
        return _pair(path)
    track = bundled(f"{model}{_TRACK}")
    if track is None:
        known = bundled_models()
        near = difflib.get_close_matches(str(model), known, n=1)
        hint = f"did you mean `{near[0]}`?" if near else f"bundled models: {', '.join(known)}; or give an exported file"
        raise UsageError(f"no model called `{model}`", hint=hint)
    return _pair(track)


def open_backend(model: str | Path, backend: str = "auto", threads: int = 1) -> Backend:
    """Open a model's graphs.

    Args:
        model: See ``find_graphs``.
        backend: One of ``BACKENDS``.
        threads: Threads of one inference.

    Raises:
        UsageError: No such model or backend.
        InputError: The graphs cannot be loaded.
        MissingExtra: The backend's package is not installed.
    """
    if backend not in BACKENDS:
        raise UsageError(f"no backend called `{backend}`", hint=f"known backends: {', '.join(BACKENDS)}")
    from eatrack_edge.runtime.backends.onnxruntime import OnnxRuntimeBackend

    template, track = find_graphs(model)
    return OnnxRuntimeBackend(template, track, threads=threads)


def _pair(graph: Path) -> tuple[Path, Path]:
    for suffix in (_TEMPLATE, _TRACK):
        if graph.name.endswith(suffix):
            stem = graph.name.removesuffix(suffix)
            return graph.with_name(stem + _TEMPLATE), graph.with_name(stem + _TRACK)
    raise InputError(
        f"{graph}: an exported model is two files, NAME{_TEMPLATE} and NAME{_TRACK}",
        hint="make them: eatrack-edge export CHECKPOINT",
    )
