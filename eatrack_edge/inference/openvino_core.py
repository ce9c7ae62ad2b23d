"""OpenVINO's core: one for the whole process, which compiles every graph and is never destroyed before its end."""

from __future__ import annotations

import threading
from functools import cache
from typing import Any

from eatrack_edge.core.imports import require

DEVICE = "CPU"
_LOCK = threading.Lock()


def openvino_core(to: str) -> Any:
    """The core that all graphs of this process share. It may be called from any thread.

    A core's CPU plugin gives the thread that loads it a stack for signals, and takes it away when it is destroyed. Two
    cores that end in another order than the reverse of their beginning, or in another thread, leave that thread with a
    stack that is gone (OpenVINO 2026.4): the next signal that Python handles, such as Ctrl-C, then ends the process
    with SIGSEGV and without a word.

    Args:
        to: What for, as an error says it.

    Raises:
        MissingExtra: OpenVINO is not installed.
    """
    openvino: Any = require("openvino", to=to)
    with _LOCK:
        return _made(openvino)


def compile_graph(graph: Any, threads: int, to: str) -> Any:
    """Compile a graph for the CPU, for the shortest time of one inference, in float32 where it is not quantised.

    Args:
        graph: The path of an ONNX graph, or a model of OpenVINO's.
        threads: Threads of one inference.
        to: What for, as an error says it.

    Raises:
        MissingExtra: OpenVINO is not installed.
    """
    hints = {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": "f32",
        "INFERENCE_NUM_THREADS": threads,
        "ENABLE_CPU_PINNING": False,  # pinned, the trackers of several processes would all sit on the first core
    }
    return openvino_core(to).compile_model(graph, DEVICE, hints)


@cache
def _made(openvino: Any) -> Any:
    return openvino.Core()
