"""Memory of the machine and of this process. On a Jetson the GPU shares it."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from eatrack_edge.machine.sysfs import read_text


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes; 0 where the kernel does not report them."""

    total: int
    available: int  # without swapping, as the kernel estimates it
    swap_total: int
    swap_free: int


def read_memory(root: Path = Path("/")) -> Memory:
    """Memory and swap of the whole machine. Swap counts zram, which is what JetPack sets up."""
    found = re.findall(r"^(\w+):\s+(\d+) kB", read_text(root / "proc/meminfo") or "", re.MULTILINE)
    kib = {name: int(value) for name, value in found}
    return Memory(*(kib.get(name, 0) * 1024 for name in ("MemTotal", "MemAvailable", "SwapTotal", "SwapFree")))


def rss_bytes(root: Path = Path("/")) -> int:
    """Resident memory of this process, bytes; 0 where the kernel does not report it."""
    fields = (read_text(root / "proc/self/statm") or "").split()
    return int(fields[1]) * os.sysconf("SC_PAGE_SIZE") if len(fields) > 1 else 0
