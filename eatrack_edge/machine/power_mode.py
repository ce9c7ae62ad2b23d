"""The power mode that nvpmodel set. The same id means another mode on another module, so a mode always has a name."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

from eatrack_edge.machine.sysfs import read_text

_FASTEST = ("MAXN_SUPER", "MAXN")
_TIMEOUT_S = 5.0


@dataclass(frozen=True, slots=True)
class PowerMode:
    """A power mode of this board."""

    id: int  # what `nvpmodel -m` takes, on this board only
    name: str  # e.g. 15W, MAXN_SUPER


def read_power_mode(root: Path = Path("/")) -> PowerMode | None:
    """The mode in force; ``None`` where there is no nvpmodel, or nothing gives the mode's name.

    Read from nvpmodel's own files, which are world-readable; where those do not name it, ``nvpmodel -q`` is asked,
    which a fixture tree cannot answer.
    """
    status = re.search(r"pmode:(\d+)", read_text(root / "var/lib/nvpmodel/status") or "")
    if status:
        for mode in power_modes(root):
            if mode.id == int(status[1]):
                return mode
    return _ask_nvpmodel() if root == Path("/") else None


def power_modes(root: Path = Path("/")) -> tuple[PowerMode, ...]:
    """The modes that this board can be set to, in the order of its /etc/nvpmodel.conf; none without one."""
    found: list[PowerMode] = []
    for attributes in re.findall(r"^\s*<\s*POWER_MODEL\s([^>]*)>", read_text(root / "etc/nvpmodel.conf") or "", re.M):
        number, name = re.search(r"\bID=(\d+)", attributes), re.search(r"\bNAME=(\S+)", attributes)
        if number and name:
            found.append(PowerMode(int(number[1]), name[1]))
    return tuple(found)


def fastest_mode(root: Path = Path("/")) -> PowerMode | None:
    """The mode without limits, MAXN_SUPER before MAXN; ``None`` where the board has neither."""
    by_name = {mode.name: mode for mode in power_modes(root)}
    return next((by_name[name] for name in _FASTEST if name in by_name), None)


def _ask_nvpmodel() -> PowerMode | None:
    try:
        done = subprocess.run(
            ["nvpmodel", "-q"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    answer = re.search(r"NV Power Mode:\s*(\S+)\s+(\d+)", done.stdout)
    return PowerMode(int(answer[2]), answer[1]) if answer else None
