"""TensorRT's log. A process has one: TensorRT ignores a second logger and warns about it."""

from __future__ import annotations

from functools import cache
from typing import Any

from eatrack_edge.optional import require


@cache
def logger() -> Any:
    """The process's logger. It prints nothing and keeps the faults, oldest first, in ``faults``.

    Raises:
        MissingExtra: TensorRT is not installed.
    """
    trt = require("tensorrt", to="build an engine")

    class Logger(trt.ILogger):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            trt.ILogger.__init__(self)
            self.faults: list[str] = []

        def log(self, severity: Any, message: str) -> None:
            if severity in (trt.ILogger.Severity.INTERNAL_ERROR, trt.ILogger.Severity.ERROR):
                self.faults.append(message)

    return Logger()
