"""Under what conditions a run was made: software, machine, and what else the machine was doing.

Benchmarks, evaluations and exports record the same keys, so that their results can be compared.
"""

from __future__ import annotations

import os
import platform
import subprocess
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path
from time import perf_counter
from typing import Any

import eatrack_edge
from eatrack_edge import __version__
from eatrack_edge.machine.board import read_board
from eatrack_edge.machine.clocks import read_cpu
from eatrack_edge.machine.gpu import read_gpu
from eatrack_edge.machine.power_mode import read_power_mode
from eatrack_edge.machine.sysfs import read_text

_TIMEOUT_S = 5.0
# Speed and accuracy depend on these.
_PACKAGES = (
    *("numpy", "opencv-python-headless", "opencv-python", "opencv-contrib-python-headless", "opencv-contrib-python"),
    *("av", "onnxruntime", "onnxruntime-gpu", "openvino", "tensorrt", "cuda-python", "cuda-bindings"),
)


@dataclass(frozen=True, slots=True)
class Environment:
    """Software, and how busy the machine was."""

    tool_version: str
    commit: str  # of the checkout; empty where the package was installed
    is_dirty: bool | None  # the checkout had uncommitted changes; absent where the package was installed
    python: str
    system: str
    packages: dict[str, str]
    load_average: list[float]  # of one minute; before, where it was read, and after
    others_cores: float | None  # cores that other processes kept busy during the run, on average


@dataclass(frozen=True, slots=True)
class BoardFacts:
    """The machine, as it reports itself; no option changes it."""

    kind: str  # orin-nano, orin-nx, agx-orin; empty for any other machine
    module_id: str
    model: str
    l4t: str
    jetpack: str
    cpu: str
    cores: int
    governor: str | None
    ram_bytes: int
    power_mode: str | None
    tpc_mask: int | None  # a set bit is a pair of multiprocessors that is off
    gpu_hz: list[int | None]  # governor's lower and upper limit
    clocks_locked: bool | None  # absent where it cannot be told


@dataclass(frozen=True, slots=True)
class Work:
    """CPU time used so far, in seconds of one core."""

    t: float
    busy_s: float | None  # all processes and a hypervisor's steal time; ``None`` where the kernel does not report it
    own_s: float  # this process
    load: float  # load average of one minute


def read_work(root: Path = Path("/")) -> Work:
    """CPU time up to now."""
    line = (read_text(root / "proc/stat") or "").partition("\n")[0].split()
    # user nice system idle iowait irq softirq steal
    ticks = [int(word) for word in line[1:9]] if line[:1] == ["cpu"] and len(line) > 8 else []
    busy = (sum(ticks) - ticks[3] - ticks[4]) / os.sysconf("SC_CLK_TCK") if ticks else None
    times = os.times()
    return Work(perf_counter(), busy, times.user + times.system, os.getloadavg()[0])


def others_cores(before: Work, after: Work) -> float | None:
    """Cores that other processes kept busy between two readings, on average; ``None`` where it is not known."""
    if before.busy_s is None or after.busy_s is None or after.t <= before.t:
        return None
    busy = (after.busy_s - before.busy_s) - (after.own_s - before.own_s)
    return round(max(0.0, busy / (after.t - before.t)), 2)


def read_environment(before: Work | None, after: Work) -> Environment:
    """Software, and how busy the machine was from ``before``, where the caller read it, to ``after``."""
    commit, is_dirty = _commit()
    return Environment(
        tool_version=__version__,
        commit=commit,
        is_dirty=is_dirty,
        python=platform.python_version(),
        system=f"{platform.system()} {platform.release()} {platform.machine()}",
        packages=package_versions(),
        load_average=[round(work.load, 2) for work in (before, after) if work],
        others_cores=others_cores(before, after) if before else None,
    )


def board_facts(root: Path = Path("/")) -> BoardFacts:
    """The machine as it reports itself."""
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


def run_conditions(before: Work | None = None, root: Path = Path("/"), **more: Any) -> dict[str, Any]:
    """All conditions of the run that ends now in one table, ready for JSON; what is not known is left out.

    Args:
        before: CPU time as the run began.
        root: Stands for ``/`` where the machine is read.
        more: Conditions that only the caller knows.
    """
    found = asdict(read_environment(before, read_work(root))) | asdict(board_facts(root))
    known = {key: value for key, value in found.items() if value not in (None, "", [None, None])}
    return {"measured_at": now(), **known, **more}


def now() -> str:
    """The time in UTC, ISO 8601, to the second."""
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


def package_versions() -> dict[str, str]:
    """Name and version of the installed packages that speed and accuracy depend on."""
    return {name: version for name in _PACKAGES if (version := _version(name))}


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""


def _commit() -> tuple[str, bool | None]:
    """The checkout's commit, and whether it has uncommitted changes; empty where the package was installed."""
    root = Path(eatrack_edge.__file__).parents[1]
    if not (root / ".git").exists():
        return "", None
    try:
        commit, changes = (
            subprocess.run(
                ["git", "-C", str(root), *arguments], capture_output=True, text=True, timeout=_TIMEOUT_S, check=True
            ).stdout.strip()
            for arguments in (("rev-parse", "HEAD"), ("status", "--porcelain", "--untracked-files=no"))
        )
    except (OSError, subprocess.SubprocessError):
        return "", None
    return commit, bool(changes)
