from __future__ import annotations

import pytest

from eatrack_edge.machine.power import Rail, read_rails, total_watts
from machine.boards import Tree


def test_orin_nano_measures_its_input(nano: Tree) -> None:
    rails = read_rails(nano.root)
    assert [rail.label for rail in rails] == ["VDD_IN", "VDD_CPU_GPU_CV", "VDD_SOC"]
    assert rails[0] == Rail("VDD_IN", 5.001, 0.9, pytest.approx(4.5009))
    assert rails[1] == Rail("VDD_CPU_GPU_CV", 5.002, 1.8, pytest.approx(9.0036))
    assert rails[2] == Rail("VDD_SOC", 5.003, 2.7, pytest.approx(13.5081))
    assert total_watts(rails) == pytest.approx(4.5009)


def test_agx_orin_has_two_monitors_and_its_total_is_their_sum(agx: Tree) -> None:
    rails = read_rails(agx.root)
    assert [rail.label for rail in rails] == ["VDD_GPU_SOC", "VDD_CPU_CV", "VIN_SYS_5V0", "VDDQ_VDD2_1V8AO"]
    assert rails[3] == Rail("VDDQ_VDD2_1V8AO", 1.802, 0.682, pytest.approx(1.802 * 0.682))
    assert total_watts(rails) == pytest.approx(4.969 * 0.2 + 4.970 * 0.4 + 4.971 * 0.6 + 1.802 * 0.682)


def test_the_sum_of_the_shunts_is_no_rail(nx: Tree) -> None:
    assert len(read_rails(nx.root)) == 3


def test_a_rail_that_cannot_be_read_is_left_out(nano: Tree, refusing: dict[str, OSError]) -> None:
    refusing["curr1_input"] = BlockingIOError(11, "asleep")
    refusing["in2_label"] = PermissionError(13, "denied")
    rails = read_rails(nano.root)
    assert [rail.label for rail in rails] == ["VDD_SOC"]
    assert total_watts(rails) == rails[0].watts


def test_a_channel_that_leads_nowhere_is_no_rail(agx: Tree) -> None:
    folder = "sys/bus/i2c/drivers/ina3221/1-0041/hwmon/hwmon4"
    for name, value in (("in1_label", "NC"), ("in1_input", 0), ("curr1_input", 0)):
        agx.write(f"{folder}/{name}", value)
    assert len(read_rails(agx.root)) == 4


def test_a_pc_has_no_rails_and_no_total(pc: Tree) -> None:
    assert read_rails(pc.root) == ()
    assert total_watts(()) is None
