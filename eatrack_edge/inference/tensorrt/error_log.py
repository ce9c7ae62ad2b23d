"""TensorRT's log. A process has one: TensorRT ignores a second logger, and tells its faults nowhere else."""

from __future__ import annotations

from functools import cache
from typing import Any

from eatrack_edge.core.imports import require


@cache
def logger() -> Any:
    """The process's logger. It prints nothing and keeps the faults, oldest first, in ``faults``.

    Raises:
        MissingExtra: TensorRT is not installed.
    """
    trt: Any = require("tensorrt", to="run an engine")
    severe = (trt.ILogger.Severity.INTERNAL_ERROR, trt.ILogger.Severity.ERROR)

    class Logger(trt.ILogger):  # type: ignore[misc]
        def __init__(self) -> None:
            trt.ILogger.__init__(self)
            self.faults: list[str] = []

        def log(self, severity: Any, message: str) -> None:
            if severity in severe:
                self.faults.append(message)

    return Logger()


def take_reason() -> str:
    """Why the call that just failed did: the first fault since the last time of asking, in one line."""
    faults = logger().faults
    reason = " ".join(faults[0].split()) if faults else "TensorRT gives no reason"
    faults.clear()
    return reason
