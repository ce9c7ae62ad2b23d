"""Energy of work that was done in stretches, from the power rails that a sampler read."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from eatrack_edge.machine.power import total_watts
from eatrack_edge.machine.sampler import Sample

Numbers = NDArray[np.float64]


def mean_watts(samples: Sequence[Sample]) -> float | None:
    """Mean power of samples, at rest for example; ``None`` where no rail can be read."""
    watts = [power for _, power in _powers(samples)]
    return float(np.mean(watts)) if watts else None


def joules(samples: Sequence[Sample], stretches: Iterable[tuple[float, float]]) -> float | None:
    """What the machine drew in stretches of time, all of it: what it draws at rest is not subtracted.

    Args:
        samples: Taken meanwhile, in order of time.
        stretches: Beginning and end of each, by ``perf_counter``.

    Returns:
        ``None`` where fewer than two samples know the power.
    """
    known = _powers(samples)
    if len(known) < 2:
        return None
    times, watts = np.array(known).T
    return math.fsum(_integral(times, watts, begin, end) for begin, end in stretches)


def _powers(samples: Sequence[Sample]) -> list[tuple[float, float]]:
    """Time and power of those samples in which every rail answered: without one, the total would be another total."""
    rails = max((len(sample.rails) for sample in samples), default=0)
    known = ((sample.t, total_watts(sample.rails)) for sample in samples if len(sample.rails) == rails)
    return [(t, power) for t, power in known if power is not None]


def _integral(times: Numbers, watts: Numbers, begin: float, end: float) -> float:
    """Joules between two moments; power is taken as linear between samples and constant beyond the outermost."""
    first, last = np.searchsorted(times, (begin, end), side="right")
    at = np.array([begin, *times[first:last], end])
    power = np.interp(at, times, watts)
    return float(((power[1:] + power[:-1]) / 2 * np.diff(at)).sum())
