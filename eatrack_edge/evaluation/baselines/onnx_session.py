"""ONNX Runtime for a baseline: one graph, a stated number of threads, arrays in the graph's own order."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from eatrack_edge.core.errors import InputError
from eatrack_edge.core.imports import require


def open_session(path: Path, threads: int) -> Callable[..., list[NDArray[Any]]]:
    """Load a graph on the CPU; call it with its inputs in order.

    Raises:
        MissingExtra: ONNX Runtime is not installed.
        InputError: The file is not a graph that it can run.
    """
    runtime = require("onnxruntime", to=f"run {path.parent.name}")
    options = runtime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    try:
        session = runtime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:  # ONNX Runtime's errors share no public base
        raise InputError(f"{path}: not a graph that ONNX Runtime can run: {str(error).splitlines()[0]}") from error
    names = [entry.name for entry in session.get_inputs()]

    def run(*arrays: NDArray[Any]) -> list[NDArray[Any]]:
        outputs: list[NDArray[Any]] = session.run(None, dict(zip(names, arrays, strict=True)))
        return outputs

    return run
