"""Checks of the machine itself: board, power mode, clocks, temperature, memory."""

from __future__ import annotations

import os
import platform
from dataclasses import asdict
from pathlib import Path

from eatrack_edge.diagnosis.findings import Finding
from eatrack_edge.machine.board import DEVICE_TREE, read_board
from eatrack_edge.machine.clocks import read_cpu
from eatrack_edge.machine.devices import device_for
from eatrack_edge.machine.gpu import gpu_node, read_gpu
from eatrack_edge.machine.memory import read_memory
from eatrack_edge.machine.power import read_rails, total_watts
from eatrack_edge.machine.power_mode import fastest_mode, power_modes, read_power_mode
from eatrack_edge.machine.thermal import read_temperatures, read_throttling

_ADD_SWAP = (
    "sudo fallocate -l 4G /swapfile && sudo chmod 600 /swapfile && sudo mkswap /swapfile && sudo swapon /swapfile"
)
_SHOW_MODE = "in a container: -v /etc/nvpmodel.conf:/etc/nvpmodel.conf:ro -v /var/lib/nvpmodel:/var/lib/nvpmodel:ro"
_SMALL_BYTES = 9e9  # modules up to 8 GB share it with the GPU, and a build can exhaust it
_HOT_C = 85.0  # Orin begins to slow itself down some ten degrees later; not verified on a board


def check_board(root: Path) -> list[Finding]:
    """Which board this is; a Jetson that cannot say so is a problem."""
    board = read_board(root)
    facts = asdict(board) | {"machine": platform.machine(), "cores": os.cpu_count()}
    if board.kind:
        device = device_for(board)
        module = f"{device.title if device else board.kind}, module {board.module_id}"
        jetpack = f"JetPack {board.jetpack or 'unknown'} (L4T {board.l4t or 'unknown'})"
        return [Finding("board", "ok", f"{module}, {jetpack}", facts=facts)]
    if gpu_node(root) is not None:
        copied = os.environ.get(DEVICE_TREE)
        told = f"{DEVICE_TREE} leads to `{copied}`, which does not" if copied else "a container hides it"
        text = f"an Orin GPU is here, but no device tree says which module: {told}"
        fix = f"mount a copy of the host's /proc/device-tree/model and compatible, and name its folder in {DEVICE_TREE}"
        return [Finding("board", "problem", text, fix, facts)]
    return [Finding("board", "ok", f"{board.name}, {os.cpu_count()} cores; not a Jetson Orin", facts=facts)]


def check_power(root: Path) -> list[Finding]:
    """Power mode, clocks and draw of a Jetson; nothing elsewhere."""
    if gpu_node(root) is None:
        return []
    rails = read_rails(root)
    watts = total_watts(rails)
    found = [_mode(root), _clocks(root)]
    if watts is not None:
        summed = "" if any(rail.label == "VDD_IN" for rail in rails) else ", the sum of the measured rails"
        facts: dict[str, object] = {"rails": [asdict(rail) for rail in rails]}
        found.append(Finding("power", "ok", f"{watts:.1f} W{summed}", facts=facts))
    return found


def _mode(root: Path) -> Finding:
    mode, best = read_power_mode(root), fastest_mode(root)
    if mode is None:
        return Finding("power mode", "note", "cannot be told: nvpmodel's files are not here", _SHOW_MODE)
    text = f"{mode.name}, of {', '.join(one.name for one in power_modes(root)) or 'unknown'}"
    facts: dict[str, object] = {"id": mode.id, "name": mode.name, "fastest": best.name if best else None}
    if best is None or mode.id == best.id:
        return Finding("power mode", "ok", text, facts=facts)
    return Finding("power mode", "note", text, f"sudo nvpmodel -m {best.id}  # {best.name}, if it can be cooled", facts)


def _clocks(root: Path) -> Finding:
    gpu, cpu = read_gpu(root), read_cpu(root)
    text = f"GPU {_mhz(gpu.freq_hz)} of {_mhz(gpu.min_hz)} to {_mhz(gpu.max_hz)}"
    if gpu.sm_count is not None:
        text += f", {gpu.sm_count} multiprocessors on"
    text += f"; CPU {_mhz(cpu.freq_hz)}"
    facts: dict[str, object] = {"gpu": asdict(gpu), "cpu": asdict(cpu)}
    if gpu.is_locked and cpu.is_locked is not False:
        return Finding("clocks", "ok", f"{text}; held", facts=facts)
    return Finding("clocks", "note", f"{text}; floating, so latencies vary", "sudo jetson_clocks", facts)


def check_heat(root: Path) -> list[Finding]:
    """Temperatures and throttling, where the machine tells."""
    degrees, throttling = read_temperatures(root), read_throttling(root)
    facts: dict[str, object] = {"degrees_c": degrees, "throttling": asdict(throttling)}
    if throttling.cooling:
        slowed = ", ".join(sorted(throttling.cooling))
        text, fix = f"the machine slows itself down: {slowed}", "sudo jetson_clocks --fan  # or a lower power mode"
        return [Finding("temperature", "problem", text, fix, facts)]
    if not degrees:
        return []
    hottest = max(degrees, key=lambda name: degrees[name])
    text = f"{degrees[hottest]:.0f} degrees C at most ({hottest})"
    rang = [name for name, count in throttling.over_current.items() if count]
    if rang:
        text += f"; over-current alarm {', '.join(rang)} since boot"
    is_hot = degrees[hottest] >= _HOT_C
    return [Finding("temperature", "note" if is_hot or rang else "ok", text, facts=facts)]


def check_memory(root: Path) -> list[Finding]:
    """Memory and swap; a small board without swap may not survive the build of an engine."""
    memory = read_memory(root)
    text = f"{memory.available / 1e9:.1f} of {memory.total / 1e9:.1f} GB available"
    if memory.swap_total:
        text += f", {memory.swap_free / 1e9:.1f} of {memory.swap_total / 1e9:.1f} GB of swap free"
        return [Finding("memory", "ok", text, facts=asdict(memory))]
    if read_board(root).kind and memory.total < _SMALL_BYTES:
        return [Finding("memory", "note", f"{text}, no swap", _ADD_SWAP, asdict(memory))]
    return [Finding("memory", "ok", f"{text}, no swap", facts=asdict(memory))]


def _mhz(hertz: int | None) -> str:
    return "unknown" if hertz is None else f"{hertz / 1e6:.0f} MHz"
