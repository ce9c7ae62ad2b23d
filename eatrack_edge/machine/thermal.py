"""Temperatures, and signs of throttling."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from eatrack_edge.machine.sysfs import matches, read_int, read_text

_OFF_C = -100.0  # a powered-down zone of Jetson reads -256 degrees where it does not refuse
# A fan is a cooling device too, and so is what a PC sets once at boot; only these slow a processor down.
_SLOWING = re.compile(r"throttle|cpufreq|devfreq|cpu-balanced|gpu-balanced")


@dataclass(frozen=True, slots=True)
class Throttling:
    """What throttled the machine. Empty where nothing did, or where it is not reported.

    Not verified on a board: the names come from the kernel's sources and from fixture trees.
    """

    cooling: dict[str, int] = field(default_factory=dict)  # active now: type of the cooling device to its state, from 1
    # Since boot: over-current alarm to its count. Only a rise between two readings belongs to a run.
    over_current: dict[str, int] = field(default_factory=dict)


def read_temperatures(root: Path = Path("/")) -> dict[str, float]:
    """Degrees C by the zone's type, e.g. ``gpu-thermal``; the hottest where several zones share a type.

    Zones that are off, which Jetson's CV zones are most of the time, are left out.
    """
    found: dict[str, float] = {}
    for zone in matches(root / "sys/class/thermal", "thermal_zone*"):
        name, millidegrees = read_text(zone / "type"), read_int(zone / "temp")
        if name and millidegrees is not None and millidegrees / 1000 > _OFF_C:
            found[name] = max(millidegrees / 1000, found.get(name, _OFF_C))
    return found


def read_throttling(root: Path = Path("/")) -> Throttling:
    """Cooling devices that hold a processor back now, and over-current alarms since boot."""
    cooling: dict[str, int] = {}
    for device in matches(root / "sys/class/thermal", "cooling_device*"):
        name, state = read_text(device / "type") or "", read_int(device / "cur_state") or 0
        if state > 0 and _SLOWING.search(name):
            cooling[name] = max(state, cooling.get(name, 0))
    alarms: dict[str, int] = {}
    for monitor in matches(root / "sys/class/hwmon", "hwmon*"):
        if read_text(monitor / "name") != "soctherm_oc":
            continue
        # oc3_event_cnt on Orin; oc3_irq_cnt in the driver's older releases.
        for path in (*matches(monitor, "oc*_event_cnt"), *matches(monitor, "oc*_irq_cnt")):
            count = read_int(path)
            if count is not None:
                alarms[path.name.partition("_")[0]] = count
    return Throttling(cooling, alarms)
