"""Power, from the INA3221 monitors that every Orin module carries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from eatrack_edge.machine.sysfs import matches, read_int, read_text

_TOTAL = "VDD_IN"


@dataclass(frozen=True, slots=True)
class Rail:
    """One supply rail at one moment."""

    label: str  # as the board names it, e.g. VDD_IN
    volts: float
    amps: float
    watts: float


def read_rails(root: Path = Path("/")) -> tuple[Rail, ...]:
    """The rails that can be read now, in the order of the monitors; none on a machine without INA3221.

    Orin Nano and NX: VDD_IN, VDD_CPU_GPU_CV, VDD_SOC. AGX Orin: VDD_GPU_SOC, VDD_CPU_CV, VIN_SYS_5V0 and, on a
    second monitor, VDDQ_VDD2_1V8AO. No module has a rail of the GPU alone.
    """
    rails: list[Rail] = []
    for monitor in matches(root / "sys/bus/i2c/drivers/ina3221", "*/hwmon/hwmon*"):
        # Three channels; in4 to in6 are shunt voltages and in7 is their sum.
        for channel in (1, 2, 3):
            label = read_text(monitor / f"in{channel}_label")
            millivolts, milliamps = (read_int(monitor / f"{what}{channel}_input") for what in ("in", "curr"))
            if label and label != "NC" and millivolts is not None and milliamps is not None:
                volts, amps = millivolts / 1000, milliamps / 1000
                rails.append(Rail(label, volts, amps, volts * amps))
    return tuple(rails)


def total_watts(rails: Sequence[Rail]) -> float | None:
    """What the module draws; ``None`` where no rail could be read.

    Orin Nano and NX measure their input, VDD_IN. AGX Orin does not: there it is the sum of the rails that are
    measured, which is less than a meter at the plug shows. Compare it only with itself.
    """
    for rail in rails:
        if rail.label == _TOTAL:
            return rail.watts
    return sum(rail.watts for rail in rails) if rails else None
