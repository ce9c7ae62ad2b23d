"""The Orin modules and their power modes, as files a person can check: ``engines/devices/*.toml``.

Each number carries its source. A number without a source that states it has ``is_verified = false``, and
is labelled unverified wherever it is shown. Rates are not typed in: they follow from the numbers by the rules below.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cache

from eatrack_edge.core import config
from eatrack_edge.core.errors import ConfigError, UsageError, did_you_mean
from eatrack_edge.core.resources import resource_folder
from eatrack_edge.machine.board import Board
from eatrack_edge.machine.gpu import active_sms

KINDS = ("orin-nano", "orin-nx", "agx-orin")
_TENSOR_CORES_PER_SM = 4
# Operations of one tensor core in one clock, a multiplication and an addition being two, without sparsity. A test
# checks that the modules' advertised totals follow from them.
_INT8_OPS_PER_CLOCK = 1024
_FP16_OPS_PER_CLOCK = 512
_TRANSFERS_PER_CLOCK = 2  # of LPDDR5, as the memory controller's clock counts


@dataclass(frozen=True, slots=True)
class Fact:
    """A number and where it comes from."""

    value: float
    source: str
    is_verified: bool = True  # False: no source states it; label it wherever it is shown


@dataclass(frozen=True, slots=True)
class PowerModeFacts:
    """Clocks and active cores of a module in one power mode."""

    name: str  # as nvpmodel names it
    gpu_mhz: Fact  # highest GPU clock
    tpc_mask: Fact  # nvpmodel's TPC_PG_MASK: a set bit is two multiprocessors that are off
    memory_mhz: Fact  # highest clock of the memory controller
    is_super: bool = False  # from JetPack 6.2's second set of modes, which raises the clocks

    @property
    def title(self) -> str:
        """The name, with what it takes to tell it from the older mode of the same name."""
        return f"{self.name} (Super)" if self.is_super and "SUPER" not in self.name else self.name

    @property
    def sm_count(self) -> int:
        """Multiprocessors that are on."""
        return active_sms(int(self.tpc_mask.value))

    @property
    def tensor_cores(self) -> int:
        """Tensor cores that are on."""
        return self.sm_count * _TENSOR_CORES_PER_SM

    @property
    def int8_tops(self) -> float:
        """Peak of the GPU's dense INT8 matmuls, 1e12 operations per second, without the DLA."""
        return self.tensor_cores * _INT8_OPS_PER_CLOCK * self.gpu_mhz.value / 1e6

    @property
    def fp16_tflops(self) -> float:
        """Peak of the GPU's dense FP16 matmuls, 1e12 operations per second."""
        return self.tensor_cores * _FP16_OPS_PER_CLOCK * self.gpu_mhz.value / 1e6

    @property
    def unverified(self) -> tuple[str, ...]:
        """Names of the facts that no source confirms."""
        return _unverified(self)


@dataclass(frozen=True, slots=True)
class ModuleFacts:
    """Facts of a module that do not depend on the power mode."""

    ram_gb: Fact  # shared by CPU and GPU
    memory_bits: Fact  # width of the memory bus
    dla_cores: Fact
    dla_int8_tops: Fact  # dense, all DLA cores together, at their highest clock without Super
    advertised_tops: Fact  # INT8 with sparsity, GPU and DLA together; only to check the others
    advertised_super_tops: Fact | None = None  # the same with the Super modes; absent where there are none
    dla_super_int8_tops: Fact | None = None  # absent where the Super modes leave the DLA as it is, or there is none

    @property
    def unverified(self) -> tuple[str, ...]:
        """Names of the facts that no source confirms."""
        return _unverified(self)


@dataclass(frozen=True, slots=True)
class Device:
    """One Orin module: all its facts and power modes."""

    name: str  # of the file, e.g. orin_nano_8gb
    title: str  # e.g. Jetson Orin Nano 8GB
    kind: str  # one of KINDS
    module_ids: tuple[str, ...]  # in the device tree
    facts: ModuleFacts
    modes: tuple[PowerModeFacts, ...]

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            hint = did_you_mean(self.kind, KINDS, "")
            raise ConfigError(f"kind must be one of {', '.join(KINDS)}, got `{self.kind}`", hint=hint)
        if not self.modes:
            raise ConfigError(f"{self.name} needs at least one power mode")

    def memory_gb_s(self, mode: PowerModeFacts) -> float:
        """Peak memory bandwidth in ``mode``, 1e9 bytes per second."""
        return mode.memory_mhz.value * _TRANSFERS_PER_CLOCK * self.facts.memory_bits.value / 8 / 1e3

    def unverified(self, mode: PowerModeFacts) -> tuple[str, ...]:
        """Names of the facts behind this mode's rates that no source confirms; empty where all are confirmed."""
        width = ("memory_bits",) if not self.facts.memory_bits.is_verified else ()
        return mode.unverified + width

    def mode_named(self, name: str, *, is_super: bool = False) -> PowerModeFacts | None:
        """A mode by nvpmodel's name, with or without the ``MODE_`` that AGX Orin puts before it.

        Args:
            name: E.g. ``15W`` or ``MODE_15W``.
            is_super: Which of two modes of that name is meant; where there is one, it is returned in any case.
        """
        found = [mode for mode in self.modes if _plain(mode.name) == _plain(name)]
        return next((mode for mode in found if mode.is_super == is_super), found[0] if found else None)


def devices_of(kind: str) -> tuple[Device, ...]:
    """The modules of a kind, smallest first.

    Args:
        kind: One of ``KINDS``, or ``orin`` for all of them.

    Raises:
        UsageError: There is no such kind.
        ConfigError: A device file is wrong.
    """
    if kind not in ("orin", *KINDS):
        raise _unknown("kind of device", kind, ("orin", *KINDS))
    return tuple(device for device in _devices() if kind in ("orin", device.kind))


def device_named(name: str) -> Device:
    """The module whose file has this name, e.g. ``orin_nano_8gb``.

    Raises:
        UsageError: There is no such device.
        ConfigError: A device file is wrong.
    """
    for device in _devices():
        if device.name == name:
            return device
    raise _unknown("device", name, tuple(device.name for device in _devices()))


def device_for(board: Board) -> Device | None:
    """The module that a board carries; ``None`` where it is none that we know."""
    return next((device for device in _devices() if board.module_id in device.module_ids), None)


@cache
def _devices() -> tuple[Device, ...]:
    found = [config.load(Device, path) for path in sorted(resource_folder("engines/devices").glob("*.toml"))]
    return tuple(sorted(found, key=lambda device: (KINDS.index(device.kind), device.facts.ram_gb.value)))


def _unknown(what: str, name: str, known: tuple[str, ...]) -> UsageError:
    return UsageError(f"no {what} called `{name}`", hint=did_you_mean(name, known))


def _plain(name: str) -> str:
    return name.removeprefix("MODE_")


def _unverified(facts: object) -> tuple[str, ...]:
    values = ((spec.name, getattr(facts, spec.name)) for spec in fields(facts))  # type: ignore[arg-type]
    return tuple(name for name, value in values if isinstance(value, Fact) and not value.is_verified)
