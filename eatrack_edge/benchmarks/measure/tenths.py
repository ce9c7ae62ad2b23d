"""Sums up a long run by its tenths: a step whose cost, memory, threads or open files grow shows in the last one."""

from __future__ import annotations

from pathlib import Path
from typing import TypedDict

import numpy as np

from eatrack_edge.benchmarks.measure.bench_result import Spread
from eatrack_edge.benchmarks.measure.latency import spread
from eatrack_edge.machine.memory import rss_bytes

TENTHS = 10


class TenthsSummary(TypedDict):
    """What the first and the last tenth cost; the fields of a result."""

    first_ms: Spread  # with the lower quartile beside the rest: others on the machine disturb it least
    last_ms: Spread
    p50_by_tenth_ms: list[float]
    rss_first_mb: float  # resident memory of the process after the first tenth
    rss_last_mb: float  # and at the end


class Tenths:
    """Takes the time of every step of a run, and looks at the process after each tenth.

    Args:
        steps: How many there will be, at least 10.
        root: Stands for ``/`` wherever the process is read.

    Attributes:
        threads: Of the process, the operating system's, after each tenth; 0 where it does not report them.
        descriptors: Open files, sockets and pipes of the process, after each tenth.
    """

    def __init__(self, steps: int, root: Path = Path("/")) -> None:
        self.threads: list[int] = []
        self.descriptors: list[int] = []
        # Written to now: memory that is only touched later would look like growth.
        self._took = np.full(steps, np.nan)
        self._rss: list[int] = []
        self._count = 0
        self._root = root

    def add(self, ms: float) -> bool:
        """Take the time of the next step, ms; ``True`` where a tenth has ended."""
        self._took[self._count] = ms
        self._count += 1
        if self._count % (len(self._took) // TENTHS) or len(self._rss) == TENTHS:
            return False
        self._rss.append(rss_bytes(self._root))
        self.threads.append(_entries(self._root / "proc/self/task"))
        self.descriptors.append(_entries(self._root / "proc/self/fd"))
        return True

    def summary(self) -> TenthsSummary:
        """The fields of a result, after the last step."""
        tenths = [spread(part.tolist(), (25,)) for part in np.array_split(self._took, TENTHS)]
        return TenthsSummary(
            first_ms=tenths[0],
            last_ms=tenths[-1],
            p50_by_tenth_ms=[tenth.p50 for tenth in tenths],
            rss_first_mb=round(self._rss[0] / 1e6, 2),
            rss_last_mb=round(self._rss[-1] / 1e6, 2),
        )


def _entries(folder: Path) -> int:
    try:
        return sum(1 for _ in folder.iterdir())
    except OSError:
        return 0
