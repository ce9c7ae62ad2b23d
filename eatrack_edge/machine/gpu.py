"""Orin's integrated GPU: its clock, its load and how many of its cores the power mode left on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from eatrack_edge.machine.sysfs import as_int, matches, read_int, read_text

_TPCS = 8  # of GA10B, two multiprocessors each; the mask has one bit for each
# JetPack 5 calls the node 17000000.ga10b, JetPack 6 and 7 call it 17000000.gpu.
_NODES = ("17000000.ga10b", "17000000.gpu")
_NAMES = ("gpu", "ga10b")  # what of_node/name says, where the node itself is called otherwise
_ALIASES = ("sys/devices/platform/gpu.0", "sys/devices/gpu.0")  # of the device, where nvpmodel finds it


@dataclass(frozen=True, slots=True)
class GpuState:
    """The GPU at one moment. A field is ``None`` where it could not be read; on other machines, all are."""

    freq_hz: int | None = None
    min_hz: int | None = None  # the governor's lower limit; equal to max_hz once jetson_clocks has run
    max_hz: int | None = None  # the governor's upper limit, set by the power mode
    available_hz: tuple[int, ...] | None = None
    governor: str | None = None
    load: float | None = None  # [0, 1]
    tpc_mask: int | None = None  # a set bit is a TPC that is switched off

    @property
    def is_locked(self) -> bool | None:
        """Whether the clock is held at one frequency; ``None`` where it is not known."""
        return None if self.min_hz is None or self.max_hz is None else self.min_hz == self.max_hz

    @property
    def sm_count(self) -> int | None:
        """Multiprocessors that are on; ``None`` where the mask cannot be read."""
        return None if self.tpc_mask is None else active_sms(self.tpc_mask)


def active_sms(tpc_mask: int) -> int:
    """Multiprocessors that a TPC power-gating mask leaves on: two for each of GA10B's eight bits that is clear.

    >>> active_sms(0), active_sms(240), active_sms(252)  # AGX Orin 64GB, Orin NX, Orin NX at 10 W
    (16, 8, 4)
    """
    return 2 * (_TPCS - (tpc_mask & (1 << _TPCS) - 1).bit_count())


def gpu_node(root: Path = Path("/")) -> Path | None:
    """The devfreq folder of Orin's GPU; ``None`` where there is none.

    Found by the node's name first: inside a container the device tree, where ``of_node`` leads, is masked.
    """
    folder = root / "sys/class/devfreq"
    for name in _NODES:
        if (folder / name).is_dir():
            return folder / name
    for node in matches(folder, "*"):
        if (read_text(node / "device/of_node/name") or "") in _NAMES:
            return node
    return None


def read_gpu(root: Path = Path("/")) -> GpuState:
    """The GPU's clock, limits, load and power gating."""
    node = gpu_node(root)
    if node is None:
        return GpuState()
    devices = (node / "device", *(root / alias for alias in _ALIASES))
    permille = _first(devices, "load")
    steps = [as_int(word) for word in (read_text(node / "available_frequencies") or "").split()]
    return GpuState(
        freq_hz=read_int(node / "cur_freq"),
        min_hz=read_int(node / "min_freq"),
        max_hz=read_int(node / "max_freq"),
        available_hz=tuple(step for step in steps if step is not None) or None,
        governor=read_text(node / "governor"),
        load=None if permille is None else permille / 1000,
        tpc_mask=_first(devices, "tpc_pg_mask"),
    )


def _first(folders: tuple[Path, ...], name: str) -> int | None:
    for folder in folders:
        value = read_int(folder / name)
        if value is not None:
            return value
    return None
