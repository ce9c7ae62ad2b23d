"""The CPU's clock. Its highest frequency, not its name, is what a power mode changes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from eatrack_edge.machine.sysfs import matches, read_int, read_text


@dataclass(frozen=True, slots=True)
class CpuState:
    """The CPU at one moment, by its fastest cluster. A field is ``None`` where it could not be read."""

    online: str | None = None  # as the kernel lists them, e.g. 0-3
    freq_hz: int | None = None
    min_hz: int | None = None
    max_hz: int | None = None
    governor: str | None = None

    @property
    def is_locked(self) -> bool | None:
        """Whether the clock is held at one frequency; ``None`` where it is not known."""
        return None if self.min_hz is None or self.max_hz is None else self.min_hz == self.max_hz


def read_cpu(root: Path = Path("/")) -> CpuState:
    """Clock, limits and governor of the CPU; the clock is absent in most virtual machines."""
    folder = root / "sys/devices/system/cpu"
    online = read_text(folder / "online") or None
    policies = matches(folder / "cpufreq", "policy*")
    if not policies:
        return CpuState(online=online)
    policy = max(policies, key=lambda path: read_int(path / "scaling_max_freq") or 0)
    freq, low, high = (_hertz(policy / f"scaling_{name}_freq") for name in ("cur", "min", "max"))
    return CpuState(online, freq, low, high, read_text(policy / "scaling_governor"))


def _hertz(path: Path) -> int | None:
    kilohertz = read_int(path)
    return None if kilohertz is None else kilohertz * 1000
