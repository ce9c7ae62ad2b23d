from __future__ import annotations

from eatrack_edge.machine.thermal import Throttling, read_temperatures, read_throttling
from machine.boards import Tree


def test_temperatures_are_read_by_the_zones_type(nano: Tree) -> None:
    assert read_temperatures(nano.root) == {
        "cpu-thermal": 49.312, "gpu-thermal": 47.843, "soc0-thermal": 46.5, "tj-thermal": 49.4
    }  # fmt: skip


def test_a_zone_that_is_off_is_left_out(nano: Tree, refusing: dict[str, OSError]) -> None:
    refusing["thermal_zone1/temp"] = BlockingIOError(11, "Resource temporarily unavailable")
    assert set(read_temperatures(nano.root)) == {"cpu-thermal", "soc0-thermal", "tj-thermal"}


def test_frost_is_a_temperature(nx: Tree) -> None:
    nx.zones({"CPU-therm": -12_500})
    assert read_temperatures(nx.root)["CPU-therm"] == -12.5


def test_zones_of_one_type_give_the_hottest(nx: Tree) -> None:
    nx.zones({"CPU-therm": 50_000, "GPU-therm": 61_000})
    nx.write("sys/class/thermal/thermal_zone2/type", "CPU-therm")
    nx.write("sys/class/thermal/thermal_zone2/temp", 55_000)
    assert read_temperatures(nx.root) == {"CPU-therm": 55.0, "GPU-therm": 61.0}


def test_throttling_names_what_slows_down_and_no_fan(nx: Tree) -> None:
    assert read_throttling(nx.root) == Throttling(
        cooling={"gpu-throttle-alert": 2, "cpu-throttle-alert": 1}, over_current={"oc1": 0, "oc3": 17}
    )


def test_older_kernels_count_over_current_under_another_name(nx: Tree) -> None:
    (nx.root / "sys/class/hwmon/hwmon4/oc3_event_cnt").unlink()
    nx.write("sys/class/hwmon/hwmon4/oc3_irq_cnt", 5)
    assert read_throttling(nx.root).over_current == {"oc1": 0, "oc3": 5}


def test_a_board_at_ease_does_not_throttle(nano: Tree) -> None:
    assert read_throttling(nano.root) == Throttling()


def test_what_a_pc_calls_cooling_is_no_throttling(pc: Tree) -> None:
    assert read_throttling(pc.root) == Throttling()
    assert read_temperatures(pc.root) == {"acpitz": 40.0, "x86_pkg_temp": 55.0}
