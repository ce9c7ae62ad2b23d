"""How far a build is, as TensorRT tells it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any, NamedTuple

from eatrack_edge.core.imports import require


class Step(NamedTuple):
    """One step of a build."""

    phase: str  # TensorRT's name for what it is doing
    done: int  # steps of this phase
    total: int


Report = Callable[[Step], None]


def monitor(report: Report) -> Any:
    """TensorRT's progress monitor, which hands on every step of the outermost phases to ``report``.

    Phases nest, and the inner ones are too many and too short to be news.

    Raises:
        MissingExtra: TensorRT is not installed.
    """
    trt = require("tensorrt", to="build an engine")

    class Monitor(trt.IProgressMonitor):  # type: ignore[misc, name-defined]
        def __init__(self) -> None:
            trt.IProgressMonitor.__init__(self)
            self._totals: dict[str, int] = {}
            self._lock = threading.Lock()  # TensorRT calls from several threads

        def phase_start(self, phase_name: str, parent_phase: str | None, num_steps: int) -> None:
            if parent_phase is None:
                with self._lock:
                    self._totals[phase_name] = num_steps
                    report(Step(phase_name, 0, num_steps))

        def step_complete(self, phase_name: str, step: int) -> bool:
            with self._lock:
                if phase_name in self._totals:
                    report(Step(phase_name, step + 1, self._totals[phase_name]))
            return True  # go on: a build is stopped by ending its process

        def phase_finish(self, phase_name: str) -> None:
            with self._lock:
                self._totals.pop(phase_name, None)

    return Monitor()
