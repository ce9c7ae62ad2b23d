"""How the machine fared during a benchmark: temperatures, throttling, and curves over time."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from eatrack_edge.benchmarks.measure.bench_result import Moment, Thermal
from eatrack_edge.machine.power import total_watts
from eatrack_edge.machine.sampler import Sample

_MOMENTS = 120  # most points of a curve over time


def thermal(samples: Sequence[Sample]) -> Thermal:
    """Temperatures over the run, and what slowed the machine down in it."""
    highest: dict[str, float] = {}
    cooling: dict[str, int] = {}
    for sample in samples:
        for zone, degrees in sample.temperatures.items():
            highest[zone] = max(degrees, highest.get(zone, degrees))
        for name, state in sample.throttling.cooling.items():
            cooling[name] = max(state, cooling.get(name, 0))
    first, last = samples[0], samples[-1]
    events = [f"{name} was active, up to step {state}" for name, state in sorted(cooling.items())]
    for name, rung in sorted(last.throttling.over_current.items()):
        rise = rung - first.throttling.over_current.get(name, 0)
        if rise > 0:
            events.append(f"over-current alarm {name} rang {rise} times")
    return Thermal(first.temperatures, last.temperatures, highest, bool(events), events)


def timeline(
    samples: Sequence[Sample], spans: Sequence[tuple[float, float, int]], totals: Sequence[float]
) -> list[Moment]:
    """The run in up to ``_MOMENTS`` stretches, each with our latencies and the machine's state in it.

    Args:
        samples: Of the machine, in order of time.
        spans: Our measured blocks.
        totals: Latency of every update in those blocks, in order, ms.
    """
    start = spans[0][0]
    count = min(_MOMENTS, len(spans))
    edges = np.linspace(start, spans[-1][1], count + 1)
    stretch = np.clip(np.searchsorted(edges, [begin for begin, _, _ in spans], side="right") - 1, 0, count - 1)
    of_update = np.repeat(stretch, [frames for _, _, frames in spans])
    table = np.asarray(totals)
    moments: list[Moment] = []
    for place in range(count):
        inside = table[of_update == place]
        sample = min(samples, key=lambda one: abs(one.t - (edges[place] + edges[place + 1]) / 2))
        watts = total_watts(sample.rails)
        moments.append(
            Moment(
                t_s=round(float(edges[place] - start), 2),
                p50=round(float(np.median(inside)), 3) if len(inside) else None,
                max=round(float(inside.max()), 3) if len(inside) else None,
                temperature_c=max(sample.temperatures.values(), default=None),
                power_w=None if watts is None else round(watts, 3),
                cpu_hz=sample.cpu_hz,
                gpu_hz=sample.gpu_hz,
            )
        )
    return moments
