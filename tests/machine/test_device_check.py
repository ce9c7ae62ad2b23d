from __future__ import annotations

import pytest

from eatrack_edge.core.errors import MachineError, UsageError
from eatrack_edge.machine.board import Board, read_board
from eatrack_edge.machine.device_check import (
    check_device,
    machine_name,
    projected_kind,
    require_device,
    runs_engine,
)
from machine import boards

NANO = Board("orin-nano", "p3767-0005", "Orin Nano", "36.4.3", "6.2", "Cortex-A78AE", 8 << 30)
PC = Board("", "", "Some PC", "", "", "Some CPU", 8 << 30)


@pytest.mark.parametrize("asked", ["auto", "orin", "orin-nano"])
def test_on_an_orin_nano_the_engine_is_measured(nano: boards.Tree, asked: str) -> None:
    board = read_board(nano.root)
    check = check_device(asked, board)
    assert check.is_met
    assert runs_engine(check, board)
    assert projected_kind(check, board) == ""
    assert machine_name(board).endswith("(p3767-0005)")


def test_on_an_orin_the_cpu_can_be_measured(nano: boards.Tree) -> None:
    board = read_board(nano.root)
    assert not runs_engine(check_device("cpu", board), board)


def test_another_orin_is_projected(nano: boards.Tree) -> None:
    board = read_board(nano.root)
    check = check_device("agx-orin", board)
    assert not check.is_met
    assert projected_kind(check, board) == "agx-orin"


@pytest.mark.parametrize(("asked", "projected"), [("auto", "orin"), ("orin-nx", "orin-nx"), ("cpu", "")])
def test_a_pc_projects_every_orin_unless_its_cpu_is_asked_for(pc: boards.Tree, asked: str, projected: str) -> None:
    board = read_board(pc.root)
    assert projected_kind(check_device(asked, board), board) == projected


def test_a_pc_does_not_meet_a_request_for_an_orin(pc: boards.Tree) -> None:
    board = read_board(pc.root)
    check = check_device("orin", board)
    assert not check.is_met
    assert check.note == (
        "this machine is ACME Notebook 14, not a Jetson Orin: measured here; for orin there is a projection only"
    )
    assert not runs_engine(check, board)


def test_a_device_tree_from_a_variable_does_not_turn_a_pc_into_an_orin(
    pc: boards.Tree, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    forged = boards.orin_nano(tmp_path_factory.mktemp("forged"))
    monkeypatch.setenv("EATRACK_DEVICE_TREE", str(forged.root / "proc/device-tree"))
    board = read_board(pc.root)
    assert not check_device("orin-nano", board).is_met
    assert machine_name(board) == "ACME Notebook 14, not a Jetson Orin"


def test_an_unknown_device_is_refused_with_the_known_ones(pc: boards.Tree) -> None:
    with pytest.raises(UsageError) as caught:
        check_device("xavier", read_board(pc.root))
    assert str(caught.value) == (
        "no device called `xavier`\nhint: known devices: auto, cpu, orin, orin-nano, orin-nx, agx-orin"
    )


@pytest.mark.parametrize("device", ["auto", "orin", "orin-nano"])
def test_an_engine_is_built_for_the_machine_that_builds_it(device: str) -> None:
    require_device(device, NANO)


@pytest.mark.parametrize(
    ("device", "board", "message"),
    [
        ("agx-orin", NANO, "--device is agx-orin, this machine is Orin Nano (p3767-0005)"),
        ("orin-nx", PC, "--device is orin-nx, this machine is Some PC, not a Jetson Orin"),
    ],
    ids=["another board", "no board"],
)
def test_an_engine_for_another_machine_is_refused(device: str, board: Board, message: str) -> None:
    with pytest.raises(MachineError) as caught:
        require_device(device, board)
    assert str(caught.value) == (
        f"{message}\nhint: an engine is built on the machine that runs it: copy the graphs there and build with "
        "--device auto"
    )


@pytest.mark.parametrize(("device", "hint"), [("orin-nan", "did you mean `orin-nano`"), ("cpu", "known devices: auto")])
def test_an_engine_needs_a_device_with_tensorrt(device: str, hint: str) -> None:
    with pytest.raises(UsageError, match=f"no device called `{device}`\nhint: {hint}"):
        require_device(device, NANO)
