"""Energy above idle: what a tracker's updates cost, from the power rails that the board measures.

Power is the whole machine's, so nothing else may run meanwhile. It is integrated over the updates, and what the machine
draws while it idles with the tracker loaded is subtracted. Rails are read some times a second: an update is told apart
from the reading of the next frame only where both last longer than that.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter, sleep
from types import TracebackType

import numpy as np
from numpy.typing import NDArray

from eatrack_edge.machine.power import read_rails, total_watts
from eatrack_edge.machine.sampler import Sample, Sampler

METHOD = (
    "INA3221 rails (VDD_IN; on AGX Orin the sum of the measured rails), trapezoids over the updates, mean idle power "
    "with the tracker loaded subtracted"
)
IDLE_S = 3.0  # how long the machine is watched to learn its idle power
Interval = tuple[float, float]  # begin and end of work, seconds by ``perf_counter``


@dataclass(frozen=True, slots=True)
class Energy:
    """What work cost above idle."""

    idle_w: float  # mean power at idle, with the tracker loaded
    mean_w: float  # mean power during the work, idle included
    joules: float  # above idle, of all the work
    rails: tuple[str, ...]  # names of the rails that were read
    samples: int  # readings of the power


def idle_watts(root: Path = Path("/")) -> float | None:
    """Mean power over the next ``IDLE_S`` seconds, in which the caller does nothing; ``None`` where no rail is read."""
    if not read_rails(root):
        return None
    with Sampler(root) as sampler:
        sleep(IDLE_S)
    return mean_watts(sampler.samples)


def mean_watts(samples: Sequence[Sample]) -> float | None:
    """Mean power of samples; ``None`` where no rail can be read."""
    watts = [power for _, power in _powers(samples)]
    return float(np.mean(watts)) if watts else None


def energy_above_idle(samples: Sequence[Sample], intervals: Sequence[Interval], idle_w: float | None) -> Energy | None:
    """Integrate power over intervals of work and subtract what the machine draws at idle.

    Args:
        samples: Taken meanwhile, in order of time.
        intervals: When the work was done.
        idle_w: From ``idle_watts``; ``None`` where it is not known.

    Returns:
        ``None`` where idle power is not known, no work was done, or fewer than two samples know the power.
    """
    known = _powers(samples)
    seconds = math.fsum(end - begin for begin, end in intervals)
    if idle_w is None or len(known) < 2 or not seconds:
        return None
    times, watts = np.array(known).T
    drawn = math.fsum(_integral(times, watts, begin, end) for begin, end in intervals)
    rails = sorted({rail.label for sample in samples for rail in sample.rails})
    return Energy(idle_w, drawn / seconds, drawn - idle_w * seconds, tuple(rails), len(known))


class EnergyMeter:
    """While entered, reads the machine's power; each ``with meter.work():`` inside is an interval of work.

    Args:
        idle_w: From ``idle_watts``, with the tracker loaded.
        root: Stands for ``/``.
    """

    def __init__(self, idle_w: float, root: Path = Path("/")) -> None:
        self._idle_w, self._sampler = idle_w, Sampler(root)
        self._intervals: list[Interval] = []

    @contextmanager
    def work(self) -> Iterator[None]:
        """Count what the machine draws inside the ``with``."""
        begin = perf_counter()
        yield
        self._intervals.append((begin, perf_counter()))

    @property
    def energy(self) -> Energy | None:
        """Of all the work, once the meter is left; see ``energy_above_idle``."""
        return energy_above_idle(self._sampler.samples, self._intervals, self._idle_w)

    def __enter__(self) -> EnergyMeter:
        self._sampler.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._sampler.__exit__(kind, error, trace)


def _powers(samples: Sequence[Sample]) -> list[tuple[float, float]]:
    """Time and power of the samples in which every rail answered: without one, the sum would be another quantity."""
    rails = max((len(sample.rails) for sample in samples), default=0)
    known = ((sample.t, total_watts(sample.rails)) for sample in samples if len(sample.rails) == rails)
    return [(t, power) for t, power in known if power is not None]


def _integral(times: NDArray[np.float64], watts: NDArray[np.float64], begin: float, end: float) -> float:
    """Joules between two moments; power is taken as linear between samples and constant beyond the outermost."""
    first, last = np.searchsorted(times, (begin, end), side="right")
    at = np.array([begin, *times[first:last], end])
    power = np.interp(at, times, watts)
    return float(((power[1:] + power[:-1]) / 2 * np.diff(at)).sum())
