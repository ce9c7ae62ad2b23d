"""Energy of a frame, from the power rails that the sampler read.

Power is integrated over the time in which our tracker worked, and over no other tracker's turn. What the machine drew
while it idled, with the tracker loaded, is subtracted: the rest is what tracking costs.
"""

from __future__ import annotations

from collections.abc import Sequence

from eatrack_edge.benchmarks.measure.result import Energy
from eatrack_edge.machine.energy import joules
from eatrack_edge.machine.power import total_watts
from eatrack_edge.machine.sampler import Sample

_METHOD = "INA3221 rails, trapezoids over our turns, mean idle power with the tracker loaded subtracted"


def energy(samples: Sequence[Sample], spans: Sequence[tuple[float, float, int]], idle_w: float | None) -> Energy | None:
    """Joules per frame above idle.

    Args:
        samples: Taken during the run, in order of time.
        spans: When our tracker worked: beginning and end by ``perf_counter``, and frames done in between.
        idle_w: From ``mean_watts``.

    Returns:
        ``None`` where there are no rails, or too few samples to integrate.
    """
    drawn = joules(samples, [(begin, end) for begin, end, _ in spans])
    frames = sum(span[2] for span in spans)
    if idle_w is None or drawn is None or not frames:
        return None
    seconds = sum(end - begin for begin, end, _ in spans)
    return Energy(
        rails=sorted({rail.label for sample in samples for rail in sample.rails}),
        idle_w=round(idle_w, 3),
        mean_w=round(drawn / seconds, 3),
        j_per_frame=round((drawn - idle_w * seconds) / frames, 5),
        samples=sum(total_watts(sample.rails) is not None for sample in samples),
        method=_METHOD,
    )
