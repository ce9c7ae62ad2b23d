"""Identifies the board. A Jetson Orin names its module in the device tree; any other machine has no kind."""

from __future__ import annotations

import os
import platform
import re
from dataclasses import dataclass
from pathlib import Path

from eatrack_edge.machine.gpu import gpu_node
from eatrack_edge.machine.memory import read_memory
from eatrack_edge.machine.sysfs import read_text

DEVICE_TREE = "EATRACK_DEVICE_TREE"
_MODULE = re.compile(r"p3(?:701|767)-\d{4}")
_KINDS = {
    "p3767-0000": "orin-nx",
    "p3767-0001": "orin-nx",
    "p3767-0003": "orin-nano",
    "p3767-0004": "orin-nano",
    "p3767-0005": "orin-nano",
}
# L4T's release to JetPack's, the most exact first. Of a release without a source only the family is known.
_JETPACKS = (
    ("36.4.4.", "6.2.1"),
    ("36.4.3.", "6.2"),
    ("36.4.0.", "6.1"),
    ("36.3.", "6.0"),
    ("35.", "5"),
    ("36.", "6"),
    ("38.", "7"),
    ("39.", "7.2"),
)
_ARM_PARTS = {"0xd42": "Cortex-A78AE"}  # Orin's; ARM kernels give a core's number, not its name


@dataclass(frozen=True, slots=True)
class Board:
    """What this machine is. A field is empty where it is not known."""

    kind: str  # "orin-nano", "orin-nx" or "agx-orin"; "" for any other machine
    module_id: str  # of the Jetson module, e.g. p3767-0005; a board's name does not include its memory
    model: str  # the board's own name
    l4t: str  # Jetson Linux, e.g. 36.4.3
    jetpack: str  # as exact as L4T's release allows, e.g. 6.2
    cpu: str  # its core's name
    ram_bytes: int  # that the kernel manages; 0 where it is not known

    @property
    def name(self) -> str:
        """Name for tables and files: the board's own name, else its CPU and architecture."""
        return self.model or f"{self.cpu or 'unknown CPU'} ({platform.machine()})"


def read_board(root: Path = Path("/")) -> Board:
    """Identify the machine.

    A container cannot see the device tree. There, ``EATRACK_DEVICE_TREE`` names a folder with copies of the host's
    /proc/device-tree/model and compatible; it is used only where sysfs shows Orin's GPU, so that a variable does not
    turn a PC into a Jetson.
    """
    tree = root / "proc/device-tree"
    copied = os.environ.get(DEVICE_TREE)
    if copied and read_text(tree / "compatible") is None and gpu_node(root) is not None:
        tree = Path(copied)
    compatible = (read_text(tree / "compatible") or "").replace("\0", " ")
    model = read_text(tree / "model") or _pc_model(root)
    module = _MODULE.search(compatible)
    module_id = module[0] if module else ""
    l4t = _l4t(root)
    return Board(
        kind=_kind(module_id, model),
        module_id=module_id,
        model=model,
        l4t=l4t,
        jetpack=next((jetpack for start, jetpack in _JETPACKS if f"{l4t}.".startswith(start)), ""),
        cpu=_cpu(root),
        ram_bytes=read_memory(root).total,
    )


def _kind(module_id: str, model: str) -> str:
    if module_id.startswith("p3701"):
        return "agx-orin"
    if module_id:
        # A module of the family that we do not know by number: its name tells NX from Nano.
        return _KINDS.get(module_id) or ("orin-nx" if "Orin NX" in model else "orin-nano")
    return ""


def _l4t(root: Path) -> str:
    # "# R36 (release), REVISION: 4.3, GCID: ..., BOARD: generic, EABI: aarch64, DATE: ..."
    text = read_text(root / "etc/nv_tegra_release") or ""
    found = re.search(r"R(\d+) \(release\), REVISION: ([\d.]+)", text)
    return f"{found[1]}.{found[2]}" if found else ""


def _pc_model(root: Path) -> str:
    folder = root / "sys/class/dmi/id"
    names = (read_text(folder / name) or "" for name in ("sys_vendor", "product_name"))
    return " ".join(name for name in names if name)


def _cpu(root: Path) -> str:
    text = read_text(root / "proc/cpuinfo") or ""
    name = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    part = re.search(r"^CPU part\s*:\s*(\S+)$", text, re.MULTILINE)
    if name:
        return name[1].strip()
    return _ARM_PARTS.get(part[1], f"ARM part {part[1]}") if part else ""
