"""Fixture trees that stand for boards: simulated, laid out as JetPack's kernels lay out /proc, /sys and /etc.

Nothing here was recorded on a board. Paths and formats follow the kernel's sources and what users have posted; the
values are made up, and neighbours differ, so that no reader can pass by reading the wrong file.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

NANO_MODES = {0: "15W", 1: "25W", 2: "MAXN_SUPER"}
NX_MODES = {0: "MAXN", 1: "10W", 2: "15W", 3: "25W"}
AGX_MODES = {0: "MAXN", 1: "MODE_15W", 2: "MODE_30W", 3: "MODE_50W"}


@dataclass
class Tree:
    """A folder that stands for ``/``."""

    root: Path

    def write(self, path: str, text: object) -> None:
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).write_text(f"{text}\n")

    def link(self, path: str, target: str) -> None:
        (self.root / path).parent.mkdir(parents=True, exist_ok=True)
        (self.root / path).symlink_to(self.root / target)

    def identity(self, model: str, compatible: str, release: str) -> None:
        """The device tree and the release file; the device tree's texts end in NUL and hold NULs."""
        self.write("proc/device-tree/model", "")
        (self.root / "proc/device-tree/model").write_bytes(model.encode() + b"\0")
        (self.root / "proc/device-tree/compatible").write_bytes(compatible.replace(" ", "\0").encode() + b"\0")
        major, revision = release.split(".", 1)
        self.write("etc/nv_tegra_release", f"# R{major} (release), REVISION: {revision}, GCID: 1, BOARD: generic")
        self.write("proc/cpuinfo", "processor\t: 0\nCPU implementer\t: 0x41\nCPU part\t: 0xd42\n")

    def memory(self, total: int, available: int, swap: int, free: int) -> None:
        """In kB, as the kernel counts."""
        self.write(
            "proc/meminfo",
            f"MemTotal: {total:>14} kB\nMemFree: 1 kB\nMemAvailable: {available:>10} kB\n"
            f"SwapCached: 2 kB\nSwapTotal: {swap:>13} kB\nSwapFree: {free:>14} kB\nHugePages_Total: 0",
        )
        self.write("proc/self/statm", "5000 1234 900 10 0 800 0")

    def gpu(self, node: str, cur: int, low: int, high: int, load: int, mask: int, alias: str) -> None:
        """The GPU's devfreq node under the device, and the alias that nvpmodel uses."""
        device = f"sys/devices/platform/{node}"
        folder = f"{device}/devfreq/{node}"
        for name, value in (("cur_freq", cur), ("min_freq", low), ("max_freq", high)):
            self.write(f"{folder}/{name}", value)
        self.write(f"{folder}/available_frequencies", f"306000000 408000000 {high}")
        self.write(f"{folder}/governor", "nvhost_podgov")
        self.write(f"{device}/load", load)
        self.write(f"{device}/tpc_pg_mask", mask)
        self.link(f"sys/class/devfreq/{node}", folder)
        self.link(f"{folder}/device", device)
        self.link(alias, device)

    def rails(self, address: str, hwmon: int, labels: list[str], millivolts: int, milliamps: int) -> None:
        """One INA3221. A channel that leads nowhere has no label; in7 is the sum of the shunts."""
        folder = f"sys/bus/i2c/drivers/ina3221/1-{address}/hwmon/hwmon{hwmon}"
        for channel, label in enumerate(labels, start=1):
            if label:
                self.write(f"{folder}/in{channel}_label", label)
                self.write(f"{folder}/in{channel}_input", millivolts + channel)
                self.write(f"{folder}/curr{channel}_input", milliamps * channel)
        self.write(f"{folder}/in7_label", "sum of shunt voltages")
        self.write(f"{folder}/in7_input", 4)
        self.write(f"{folder}/curr7_input", 9)

    def zones(self, degrees: dict[str, int]) -> None:
        """Thermal zones in millidegrees."""
        for number, (name, value) in enumerate(degrees.items()):
            self.write(f"sys/class/thermal/thermal_zone{number}/type", name)
            self.write(f"sys/class/thermal/thermal_zone{number}/temp", value)

    def cooling(self, states: dict[str, int]) -> None:
        for number, (name, state) in enumerate(states.items()):
            self.write(f"sys/class/thermal/cooling_device{number}/type", name)
            self.write(f"sys/class/thermal/cooling_device{number}/cur_state", state)

    def power_mode(self, modes: dict[int, str], current: int) -> None:
        blocks = "".join(f"< POWER_MODEL ID={i} NAME={name} >\nGPU MAX_FREQ -1\n\n" for i, name in modes.items())
        self.write(
            "etc/nvpmodel.conf", f"< PARAM TYPE=CLOCK NAME=GPU >\nMAX_FREQ /x\n\n{blocks}< PM_CONFIG DEFAULT=1 >"
        )
        self.write("var/lib/nvpmodel/status", f"pmode:{current:04d} fmode:quiet")

    def cpu(self, clusters: dict[int, tuple[int, int, int]]) -> None:
        """Policies by their first core: current, lowest and highest frequency in kHz."""
        self.write("sys/devices/system/cpu/online", "0-5")
        for core, values in clusters.items():
            folder = f"sys/devices/system/cpu/cpufreq/policy{core}"
            for name, value in zip(("cur", "min", "max"), values, strict=True):
                self.write(f"{folder}/scaling_{name}_freq", value)
            self.write(f"{folder}/scaling_governor", "schedutil")


def orin_nano(root: Path) -> Tree:
    """The Orin Nano developer kit on JetPack 6.2, in MAXN_SUPER."""
    tree = Tree(root)
    tree.identity(
        "NVIDIA Jetson Orin Nano Engineering Reference Developer Kit Super",
        "nvidia,p3768-0000+p3767-0005-super nvidia,p3767-0005 nvidia,tegra234",
        "36.4.3",
    )
    tree.memory(7_801_712, 5_123_456, 3_900_848, 3_800_000)
    tree.gpu("17000000.gpu", 510_000_000, 306_000_000, 1_020_000_000, 763, 240, "sys/devices/platform/gpu.0")
    tree.rails("0040", 1, ["VDD_IN", "VDD_CPU_GPU_CV", "VDD_SOC"], 5000, 900)
    tree.zones(
        {
            "cpu-thermal": 49_312,
            "gpu-thermal": 47_843,
            "cv0-thermal": -256_000,
            "soc0-thermal": 46_500,
            "tj-thermal": 49_400,
        }
    )
    tree.cooling({"pwm-fan": 2, "cpu-throttle-alert": 0, "gpu-throttle-alert": 0})
    tree.power_mode(NANO_MODES, 2)
    tree.cpu({0: (729_600, 729_600, 1_728_000), 4: (1_344_000, 729_600, 1_728_000)})
    return tree


def orin_nx(root: Path) -> Tree:
    """An Orin NX 16GB on JetPack 5.1, at 25 W, throttled by its temperature."""
    tree = Tree(root)
    tree.identity(
        "NVIDIA Orin NX Developer Kit", "nvidia,p3768-0000+p3767-0000 nvidia,p3767-0000 nvidia,tegra234", "35.4.1"
    )
    tree.memory(15_954_600, 11_000_000, 7_977_300, 7_977_300)
    tree.gpu("17000000.ga10b", 408_000_000, 408_000_000, 408_000_000, 1000, 240, "sys/devices/gpu.0")
    tree.rails("0040", 3, ["VDD_IN", "VDD_CPU_GPU_CV", "VDD_SOC"], 4900, 1500)
    tree.zones({"CPU-therm": 98_500, "GPU-therm": 97_250})
    tree.cooling({"gpu-throttle-alert": 2, "cpu-throttle-alert": 1, "pwm-fan": 3})
    tree.power_mode(NX_MODES, 3)
    for name, count in (("oc1_event_cnt", 0), ("oc3_event_cnt", 17)):
        tree.write(f"sys/class/hwmon/hwmon4/{name}", count)
    tree.write("sys/class/hwmon/hwmon4/name", "soctherm_oc")
    tree.write("sys/class/hwmon/hwmon5/name", "pwmfan")
    tree.write("sys/class/hwmon/hwmon5/oc9_event_cnt", 99)
    tree.cpu({0: (1_190_400, 1_190_400, 1_190_400)})
    return tree


def agx_orin(root: Path) -> Tree:
    """An AGX Orin 64GB on JetPack 7.2, at 30 W. It has two power monitors and no rail for the total."""
    tree = Tree(root)
    tree.identity(
        "NVIDIA Jetson AGX Orin Developer Kit",
        "nvidia,p3737-0000+p3701-0005 nvidia,p3701-0005 nvidia,tegra234",
        "39.2.0",
    )
    tree.memory(64_349_108, 60_000_000, 0, 0)
    tree.gpu("17000000.gpu", 305_000_000, 306_000_000, 612_000_000, 0, 240, "sys/devices/platform/gpu.0")
    tree.rails("0040", 3, ["VDD_GPU_SOC", "VDD_CPU_CV", "VIN_SYS_5V0"], 4968, 200)
    tree.rails("0041", 4, ["", "VDDQ_VDD2_1V8AO", ""], 1800, 341)
    tree.zones({"cpu-thermal": 41_000, "gpu-thermal": 38_031, "tj-thermal": 41_062})
    tree.power_mode(AGX_MODES, 2)
    tree.cpu({0: (729_600, 729_600, 1_728_000)})
    return tree


def pc(root: Path) -> Tree:
    """A laptop: none of Jetson's files, and cooling devices that mean nothing."""
    tree = Tree(root)
    tree.write(
        "proc/cpuinfo",
        "processor\t: 0\nmodel name\t: Some CPU @ 2.80GHz\nprocessor\t: 1\nmodel name\t: Some CPU @ 2.80GHz",
    )
    tree.memory(16_000_000, 9_000_000, 2_000_000, 1_500_000)
    tree.write("sys/class/dmi/id/sys_vendor", "ACME")
    tree.write("sys/class/dmi/id/product_name", "Notebook 14")
    tree.zones({"acpitz": 40_000, "x86_pkg_temp": 55_000})
    tree.cooling({"Processor": 1, "TCC Offset": 3, "intel_powerclamp": -1})
    tree.write("sys/class/devfreq/some.dsi/cur_freq", 1)
    return tree
