"""Energy of a frame, from the power rails that the sampler read.

Power is integrated over the time in which our tracker worked, and over no other tracker's turn. What the machine drew
while it idled, with the tracker loaded, is subtracted: the rest is what tracking costs.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from eatrack_edge.benchmarks.result import Energy
from eatrack_edge.benchmarks.sampler import Sample
from eatrack_edge.machine.power import total_watts

Numbers = NDArray[np.float64]

_METHOD = "INA3221 rails, trapezoids over our turns, mean idle power with the tracker loaded subtracted"


def idle_watts(samples: Sequence[Sample]) -> float | None:
    """Mean power of samples taken at rest; ``None`` where no rail can be read."""
    watts = [value for sample in samples if (value := total_watts(sample.rails)) is not None]
    return float(np.mean(watts)) if watts else None


def energy(samples: Sequence[Sample], spans: Sequence[tuple[float, float, int]], idle_w: float | None) -> Energy | None:
    """Joules per frame above idle.

    Args:
        samples: Taken during the run, in order of time.
        spans: When our tracker worked: beginning and end by ``perf_counter``, and frames done in between.
        idle_w: From ``idle_watts``.

    Returns:
        ``None`` where there are no rails, or too few samples to integrate.
    """
    known = [(sample.t, power) for sample in samples if (power := total_watts(sample.rails)) is not None]
    frames = sum(span[2] for span in spans)
    if idle_w is None or len(known) < 2 or not frames:
        return None
    times, watts = np.array(known).T
    joules = sum(_integral(times, watts, begin, end) for begin, end, _ in spans)
    seconds = sum(end - begin for begin, end, _ in spans)
    labels = sorted({rail.label for sample in samples for rail in sample.rails})
    return Energy(
        rails=labels,
        idle_w=round(idle_w, 3),
        mean_w=round(joules / seconds, 3),
        j_per_frame=round((joules - idle_w * seconds) / frames, 5),
        samples=len(known),
        method=_METHOD,
    )


def _integral(times: Numbers, watts: Numbers, begin: float, end: float) -> float:
    """Joules between two moments; power is taken as linear between samples and constant beyond the outermost."""
    inside = times[(times > begin) & (times < end)]
    at = np.array([begin, *inside, end])
    power = np.interp(at, times, watts)
    return math.fsum((power[1:] + power[:-1]) / 2 * np.diff(at))
