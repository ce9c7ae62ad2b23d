"""Checks whether a run's absolute figures are valid. Ratios of interleaved trackers are more robust: drift cancels."""

from __future__ import annotations

from collections.abc import Sequence

from eatrack_edge.benchmarks.measure.bench_result import Thermal
from eatrack_edge.machine.conditions import BoardFacts
from eatrack_edge.machine.sampler import Sample

CLOCK_WITHIN = 0.02  # share by which a clock may move and still be called locked
OTHERS_SHARE = 0.1  # of all cores, that other processes may use
_LOCK = "sudo jetson_clocks"


def invalid_reasons(
    board: BoardFacts, samples: Sequence[Sample], heat: Thermal, others_cores: float | None, cold: Sequence[str]
) -> list[str]:
    """Why the absolute figures must not be quoted, a sentence each; empty for a valid run.

    Args:
        board: The machine.
        samples: Taken during the run.
        heat: From the same samples.
        others_cores: Cores that others kept busy; ``None`` where it is not known.
        cold: Trackers whose warm-up did not become stable.
    """
    reasons = [f"throttled: {event}" for event in heat.events]
    if board.kind and board.clocks_locked is not True:
        low, high = (f"{limit / 1e6:.0f}" if limit else "?" for limit in board.gpu_hz)
        reasons.append(f"the clocks may float: the GPU's limits are {low} and {high} MHz; lock them: {_LOCK}")
    for name, clock in (
        ("GPU", [sample.gpu_hz for sample in samples]),
        ("CPU", [sample.cpu_hz for sample in samples]),
    ):
        known = [hertz for hertz in clock if hertz]
        if known and max(known) > min(known) * (1 + CLOCK_WITHIN):
            reasons.append(f"the {name}'s clock moved between {min(known) / 1e6:.0f} and {max(known) / 1e6:.0f} MHz")
    if others_cores is not None and others_cores > OTHERS_SHARE * board.cores:
        reasons.append(f"the machine was busy: others used {others_cores:g} of {board.cores} cores")
    reasons += [f"{label} did not become stable during its warm-up" for label in cold]
    return reasons


def unknown_conditions(samples: Sequence[Sample]) -> list[str]:
    """Conditions that this machine does not report: unknown is not valid."""
    last = samples[-1]
    unknown = [
        name
        for name, value in (
            ("the CPU's clock", last.cpu_hz),
            ("temperatures", last.temperatures),
            ("power", last.rails),
        )
        if not value
    ]
    return [f"this machine does not report: {', '.join(unknown)}"] if unknown else []
