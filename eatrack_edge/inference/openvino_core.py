"""OpenVINO's core: one for the whole process, which compiles every graph and is never destroyed before its end."""

from __future__ import annotations

import threading
from functools import cache
from typing import Any

from eatrack_edge.core.imports import require

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


@cache
def _made(openvino: Any) -> Any:
    return openvino.Core()
