"""Under what a benchmark ran: software, machine, and what else the machine was doing."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter

import numpy as np

import eatrack_edge
from eatrack_edge import __version__
from eatrack_edge.benchmarks.measure.result import BoardFacts, Env, Moment, Thermal
from eatrack_edge.machine.board import read_board
from eatrack_edge.machine.clocks import read_cpu
from eatrack_edge.machine.gpu import read_gpu
from eatrack_edge.machine.package_versions import package_versions
from eatrack_edge.machine.power import total_watts
from eatrack_edge.machine.power_mode import read_power_mode
from eatrack_edge.machine.sampler import Sample
from eatrack_edge.machine.sysfs import read_text

_MOMENTS = 120  # most points of a curve over time
_PATIENCE_S = 5.0


@dataclass(frozen=True, slots=True)
class Work:
    """What the processors have done so far, in seconds of one core."""

    t: float
    busy_s: float | None  # all processes, and what a hypervisor took away; ``None`` where the kernel does not say
    own_s: float  # this process
    load: float


def read_work(root: Path = Path("/")) -> Work:
    """Read it now."""
    line = (read_text(root / "proc/stat") or "").partition("\n")[0].split()
    # user nice system idle iowait irq softirq steal
    ticks = [int(word) for word in line[1:9]] if line[:1] == ["cpu"] and len(line) > 8 else []
    busy = (sum(ticks) - ticks[3] - ticks[4]) / os.sysconf("SC_CLK_TCK") if ticks else None
    times = os.times()
    return Work(perf_counter(), busy, times.user + times.system, os.getloadavg()[0])


def others_cores(before: Work, after: Work) -> float | None:
    """Cores that other processes kept busy between two readings, on average; ``None`` where nobody knows."""
    if before.busy_s is None or after.busy_s is None or after.t <= before.t:
        return None
    busy = (after.busy_s - before.busy_s) - (after.own_s - before.own_s)
    return round(max(0.0, busy / (after.t - before.t)), 2)


def environment(before: Work, after: Work) -> Env:
    """Software, and how busy the machine was."""
    commit, is_dirty = _commit()
    return Env(
        tool_version=__version__,
        commit=commit,
        is_dirty=is_dirty,
        python=platform.python_version(),
        system=f"{platform.system()} {platform.release()} {platform.machine()}",
        packages=package_versions(),
        load_average=[round(before.load, 2), round(after.load, 2)],
        others_cores=others_cores(before, after),
    )


def board_facts(root: Path = Path("/")) -> BoardFacts:
    """The machine as it says itself."""
    board, gpu, cpu, mode = read_board(root), read_gpu(root), read_cpu(root), read_power_mode(root)
    locks = [lock for lock in (gpu.is_locked, cpu.is_locked) if lock is not None]
    return BoardFacts(
        kind=board.kind,
        module_id=board.module_id,
        model=board.model,
        l4t=board.l4t,
        jetpack=board.jetpack,
        cpu=board.cpu,
        cores=os.cpu_count() or 0,
        governor=cpu.governor,
        ram_bytes=board.ram_bytes,
        power_mode=mode.name if mode else None,
        tpc_mask=gpu.tpc_mask,
        gpu_hz=[gpu.min_hz, gpu.max_hz],
        clocks_locked=all(locks) if locks else None,
    )


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


def _commit() -> tuple[str, bool | None]:
    """The checkout's commit, and whether it has changes besides; nothing where this is no checkout."""
    root = Path(eatrack_edge.__file__).parents[1]
    if not (root / ".git").exists():
        return "", None
    try:
        commit, changes = (
            subprocess.run(
                ["git", "-C", str(root), *arguments], capture_output=True, text=True, timeout=_PATIENCE_S, check=True
            ).stdout.strip()
            for arguments in (("rev-parse", "HEAD"), ("status", "--porcelain", "--untracked-files=no"))
        )
    except (OSError, subprocess.SubprocessError):
        return "", None
    return commit, bool(changes)
