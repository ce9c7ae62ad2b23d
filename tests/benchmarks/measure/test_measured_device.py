from __future__ import annotations

import pytest

from eatrack_edge.benchmarks.measure.measured_device import check_device, measured_on, projected_kind, runs_engine
from eatrack_edge.core.errors import UsageError
from eatrack_edge.machine.board import read_board
from machine import boards

pytest_plugins = ["machine.conftest"]


@pytest.mark.parametrize("asked", ["auto", "orin", "orin-nano"])
def test_on_an_orin_nano_the_claim_is_met_and_the_engine_is_measured(nano: boards.Tree, asked: str) -> None:
    board = read_board(nano.root)
    claim = check_device(asked, board)
    assert claim.is_met
    assert runs_engine(claim, board)
    assert projected_kind(claim, board) == ""
    assert measured_on(board).endswith("(p3767-0005)")


def test_its_cpu_can_be_asked_for(nano: boards.Tree) -> None:
    board = read_board(nano.root)
    assert not runs_engine(check_device("cpu", board), board)


def test_another_orin_is_not_the_one_that_was_asked_for(nano: boards.Tree) -> None:
    board = read_board(nano.root)
    claim = check_device("agx-orin", board)
    assert not claim.is_met
    assert projected_kind(claim, board) == "agx-orin"


@pytest.mark.parametrize(("asked", "projected"), [("auto", "orin"), ("orin-nx", "orin-nx"), ("cpu", "")])
def test_on_a_pc_every_orin_is_projected_unless_only_its_cpu_is_asked_for(
    pc: boards.Tree, asked: str, projected: str
) -> None:
    board = read_board(pc.root)
    assert projected_kind(check_device(asked, board), board) == projected


def test_a_pc_is_no_orin_whatever_is_asked(pc: boards.Tree) -> None:
    board = read_board(pc.root)
    claim = check_device("orin", board)
    assert not claim.is_met
    assert claim.note == (
        "this is no orin but ACME Notebook 14, not a Jetson Orin: measured here; for orin there is a projection only"
    )
    assert not runs_engine(claim, board)


def test_a_device_tree_from_a_variable_makes_no_orin_of_a_pc(
    pc: boards.Tree, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    forged = boards.orin_nano(tmp_path_factory.mktemp("forged"))
    monkeypatch.setenv("EATRACK_DEVICE_TREE", str(forged.root / "proc/device-tree"))
    board = read_board(pc.root)
    assert not check_device("orin-nano", board).is_met
    assert measured_on(board) == "ACME Notebook 14, not a Jetson Orin"


def test_an_unknown_device_is_refused_with_those_there_are(pc: boards.Tree) -> None:
    with pytest.raises(UsageError) as caught:
        check_device("xavier", read_board(pc.root))
    assert str(caught.value) == (
        "no device called `xavier`\nhint: known devices: auto, cpu, orin, orin-nano, orin-nx, agx-orin"
    )
