"""TensorRT's log. A process has one: TensorRT ignores a second logger, and reports its errors nowhere else."""

from __future__ import annotations

from functools import cache
from typing import Any

from eatrack_edge.core.imports import require


@cache
def logger() -> Any:
    """The process's logger. It prints nothing and keeps the errors, oldest first, in ``errors``.

    Raises:
        MissingExtra: TensorRT is not installed.
    """
    trt: Any = require("tensorrt", to="run an engine")
    severe = (trt.ILogger.Severity.INTERNAL_ERROR, trt.ILogger.Severity.ERROR)

    class Logger(trt.ILogger):  # type: ignore[misc]
        def __init__(self) -> None:
            trt.ILogger.__init__(self)
            self.errors: list[str] = []

        def log(self, severity: Any, message: str) -> None:
            if severity in severe:
                self.errors.append(message)

    return Logger()


def take_error() -> str:
    """The first error that was logged since the last call, in one line; the log is emptied."""
    errors = logger().errors
    first = " ".join(errors[0].split()) if errors else "TensorRT gives no reason"
    errors.clear()
    return first
