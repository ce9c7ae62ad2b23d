"""Runs one ONNX graph of another project beside ours, such as a refinement's network, on the CPU.

A backend runs our pair of graphs and keeps templates between frames. What another project publishes is one graph of
floats, for which arrays in and arrays out are enough. It runs on the package that runs the tracker; where that is
TensorRT, or one of the user's own, on the first of the others that is installed. OpenCV's `dnn` is always there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from eatrack_edge.core.errors import EATrackError, InputError, MissingExtra
from eatrack_edge.core.imports import require
from eatrack_edge.inference.openvino_core import compile_graph

Arrays = Mapping[str, NDArray[np.float32]]
# Called with the graph's inputs by name; gives its outputs by name, valid until the next call.
Run = Callable[[Arrays], Arrays]


class SingleGraph(NamedTuple):
    """An open graph."""

    run: Run
    package: str  # what runs it


def open_graph(graph: Path, outputs: tuple[str, ...], *, beside: str, threads: int = 1) -> SingleGraph:
    """Open a graph on the CPU.

    Args:
        graph: An ONNX file.
        outputs: Names of the outputs that are wanted.
        beside: Name of the tracker's backend, such as ``openvino``; its package is tried first.
        threads: Threads of one inference. OpenCV's `dnn` takes those that ``cv2.setNumThreads`` gives it.

    Raises:
        InputError: The file is missing or not a graph that the package can run.
        MissingExtra: No package that could run it is installed.
    """
    if not graph.is_file():
        raise InputError(f"{graph}: no such graph", hint="reinstall eatrack-edge from its wheel or checkout")
    for package in sorted(_OPENERS, key=lambda name: name != beside):
        with suppress(MissingExtra):
            return SingleGraph(_opened(package, graph, outputs, threads), package)
    raise MissingExtra(
        f"cannot run {graph.name}: none of {', '.join(_OPENERS)} is installed",
        hint="pip install opencv-python-headless",
    )


def _opened(package: str, graph: Path, outputs: tuple[str, ...], threads: int) -> Run:
    try:
        return _OPENERS[package](graph, outputs, threads)
    except EATrackError:
        raise
    except Exception as error:  # the packages' own errors share no base class
        reason = str(error).strip().splitlines()[0]
        raise InputError(f"{graph}: {package} cannot load it: {reason}") from error


def _open_onnxruntime(graph: Path, outputs: tuple[str, ...], threads: int) -> Run:
    runtime: Any = require("onnxruntime", to=f"run {graph.name}")
    options = runtime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3  # errors only: its warnings are about its own optimiser
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = runtime.InferenceSession(str(graph), options, providers=["CPUExecutionProvider"])

    def run(inputs: Arrays) -> Arrays:
        return dict(zip(outputs, session.run(list(outputs), dict(inputs)), strict=True))

    return run


def _open_openvino(graph: Path, outputs: tuple[str, ...], threads: int) -> Run:
    request = compile_graph(str(graph), threads, to=f"run {graph.name}").create_infer_request()
    kept = {name: request.get_tensor(name).data for name in outputs}

    def run(inputs: Arrays) -> Arrays:
        for name, array in inputs.items():
            np.copyto(request.get_tensor(name).data, array)
        request.start_async()
        request.wait()
        return kept

    return run


def _open_opencv(graph: Path, outputs: tuple[str, ...], threads: int) -> Run:
    del threads  # a setting of the whole process
    cv2: Any = require("cv2", to=f"run {graph.name}")
    network = cv2.dnn.readNetFromONNX(str(graph))

    def run(inputs: Arrays) -> Arrays:
        for name, array in inputs.items():
            network.setInput(array, name)
        return dict(zip(outputs, network.forward(list(outputs)), strict=True))

    return run


# In the order in which they are tried: the faster ones first.
_OPENERS: dict[str, Callable[[Path, tuple[str, ...], int], Run]] = {
    "openvino": _open_openvino,
    "onnxruntime": _open_onnxruntime,
    "opencv": _open_opencv,
}
