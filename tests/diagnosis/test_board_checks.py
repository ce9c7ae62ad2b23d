from __future__ import annotations

import json
from pathlib import Path

import pytest

from eatrack_edge.diagnosis.board_checks import check_board, check_heat, check_memory, check_power
from eatrack_edge.machine.board import DEVICE_TREE
from machine import boards


@pytest.fixture(autouse=True)
def _no_override(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(DEVICE_TREE, raising=False)


def test_a_board_is_named_by_its_module_and_jetpack(tmp_path: Path) -> None:
    (found,) = check_board(boards.orin_nano(tmp_path).root)
    assert (found.state, found.fix) == ("ok", "")
    assert found.text == "Jetson Orin Nano 8GB, module p3767-0005, JetPack 6.2 (L4T 36.4.3)"
    assert found.facts["kind"] == "orin-nano"


def test_a_pc_is_said_to_be_no_jetson(tmp_path: Path) -> None:
    (found,) = check_board(boards.pc(tmp_path).root)
    assert found.state == "ok"
    assert found.text.startswith("ACME Notebook 14, ")
    assert found.text.endswith(" cores; not a Jetson Orin")


@pytest.mark.parametrize("copied", ["", "/nowhere"])
def test_a_container_that_hides_the_board_is_a_problem(
    tmp_path: Path, copied: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree = boards.orin_nano(tmp_path)
    (tree.root / "proc/device-tree/compatible").unlink()
    if copied:
        monkeypatch.setenv(DEVICE_TREE, copied)
    (found,) = check_board(tree.root)
    why = "EATRACK_DEVICE_TREE leads to `/nowhere`, which does not" if copied else "a container hides it"
    assert found.state == "problem"
    assert found.text == f"an Orin GPU is here, but no device tree says which module: {why}"
    assert found.fix.endswith("name its folder in EATRACK_DEVICE_TREE")


def test_the_fastest_mode_is_fine_and_floating_clocks_are_noted(tmp_path: Path) -> None:
    mode, clocks, power = check_power(boards.orin_nano(tmp_path).root)
    assert (mode.state, mode.text, mode.fix) == ("ok", "MAXN_SUPER, of 15W, 25W, MAXN_SUPER", "")
    assert clocks.state == "note"
    assert clocks.text == (
        "GPU 510 MHz of 306 MHz to 1020 MHz, 8 multiprocessors on; CPU 730 MHz; floating, so latencies vary"
    )
    assert clocks.fix == "sudo jetson_clocks"
    assert (power.state, power.text) == ("ok", "4.5 W")


def test_a_slower_mode_is_noted_with_the_command_for_this_board(tmp_path: Path) -> None:
    mode, clocks, _ = check_power(boards.orin_nx(tmp_path).root)
    assert (mode.state, mode.text) == ("note", "25W, of MAXN, 10W, 15W, 25W")
    assert mode.fix == "sudo nvpmodel -m 0  # MAXN, if it can be cooled"
    assert (clocks.state, clocks.fix) == ("ok", "")
    assert clocks.text.endswith("CPU 1190 MHz; held")


def test_a_sum_of_rails_is_called_one(tmp_path: Path) -> None:
    *_, power = check_power(boards.agx_orin(tmp_path).root)
    assert power.text == "7.2 W, the sum of the measured rails"


def test_a_mode_that_cannot_be_told_is_noted(tmp_path: Path) -> None:
    tree = boards.orin_nano(tmp_path)
    (tree.root / "etc/nvpmodel.conf").unlink()
    mode, *_ = check_power(tree.root)
    assert (mode.state, mode.text) == ("note", "cannot be told: nvpmodel's files are not here")
    assert mode.fix.startswith("in a container: -v /etc/nvpmodel.conf")


def test_a_pc_has_no_power_mode_to_look_at(tmp_path: Path) -> None:
    assert check_power(boards.pc(tmp_path).root) == []


def test_throttling_is_a_problem(tmp_path: Path) -> None:
    (found,) = check_heat(boards.orin_nx(tmp_path).root)
    assert found.state == "problem"
    assert found.text == "the machine slows itself down: cpu-throttle-alert, gpu-throttle-alert"
    assert found.fix.startswith("sudo jetson_clocks --fan")


def test_the_hottest_zone_is_told(tmp_path: Path) -> None:
    tree = boards.orin_nano(tmp_path)
    (found,) = check_heat(tree.root)
    assert (found.state, found.text) == ("ok", "49 degrees C at most (tj-thermal)")
    tree.zones({"cpu-thermal": 91_000})
    (hot,) = check_heat(tree.root)
    assert (hot.state, hot.text) == ("note", "91 degrees C at most (cpu-thermal)")


def test_past_over_current_is_noted(tmp_path: Path) -> None:
    tree = boards.orin_nx(tmp_path)
    tree.cooling({"gpu-throttle-alert": 0, "cpu-throttle-alert": 0})
    (found,) = check_heat(tree.root)
    assert found.state == "note"
    assert found.text.endswith("; over-current alarm oc3 since boot")


def test_a_machine_without_sensors_is_not_looked_at(tmp_path: Path) -> None:
    assert check_heat(tmp_path) == []


def test_a_small_board_without_swap_is_told_how_to_get_some(tmp_path: Path) -> None:
    tree = boards.orin_nano(tmp_path)
    (found,) = check_memory(tree.root)
    assert (found.state, found.text) == ("ok", "5.2 of 8.0 GB available, 3.9 of 4.0 GB of swap free")
    tree.memory(7_801_712, 5_123_456, 0, 0)
    (found,) = check_memory(tree.root)
    assert (found.state, found.text) == ("note", "5.2 of 8.0 GB available, no swap")
    assert found.fix.endswith("sudo swapon /swapfile")


def test_a_large_board_needs_no_swap(tmp_path: Path) -> None:
    (found,) = check_memory(boards.agx_orin(tmp_path).root)
    assert (found.state, found.fix) == ("ok", "")


@pytest.mark.parametrize("board", [boards.orin_nano, boards.orin_nx, boards.agx_orin, boards.pc])
def test_every_fact_is_plain_json(tmp_path: Path, board: object) -> None:
    root = board(tmp_path).root  # type: ignore[operator]
    for check in (check_board, check_power, check_heat, check_memory):
        for found in check(root):
            assert json.loads(json.dumps(found.facts)) is not None
