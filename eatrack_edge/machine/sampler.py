"""Samples power, temperatures, clocks and memory from a thread while something is measured."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from types import TracebackType

from eatrack_edge.machine.clocks import read_cpu
from eatrack_edge.machine.gpu import read_gpu
from eatrack_edge.machine.memory import rss_bytes
from eatrack_edge.machine.power import Rail, read_rails
from eatrack_edge.machine.thermal import Throttling, read_temperatures, read_throttling

EVERY_S = 0.2  # a rail's average settles in milliseconds; reading all of it takes about one


@dataclass(frozen=True, slots=True)
class Sample:
    """The machine at one moment. ``None`` and empty where it is not known."""

    t: float  # perf_counter, seconds
    rails: tuple[Rail, ...]
    temperatures: dict[str, float]
    throttling: Throttling
    cpu_hz: int | None
    gpu_hz: int | None
    rss: int  # bytes


def take_sample(root: Path = Path("/")) -> Sample:
    """Read everything once."""
    return Sample(
        t=perf_counter(),
        rails=read_rails(root),
        temperatures=read_temperatures(root),
        throttling=read_throttling(root),
        cpu_hz=read_cpu(root).freq_hz,
        gpu_hz=read_gpu(root).freq_hz,
        rss=rss_bytes(root),
    )


class Sampler:
    """While entered, takes a sample every ``EVERY_S``, and one at either end.

    Attributes:
        samples: In order of time.
    """

    def __init__(self, root: Path = Path("/"), every_s: float = EVERY_S) -> None:
        self._root, self._every_s = root, every_s
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="machine-sampler", daemon=True)
        self.samples: list[Sample] = []

    def _run(self) -> None:
        while not self._stop.wait(self._every_s):
            self.samples.append(take_sample(self._root))

    def __enter__(self) -> Sampler:
        self.samples.append(take_sample(self._root))
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()
        self.samples.append(take_sample(self._root))
