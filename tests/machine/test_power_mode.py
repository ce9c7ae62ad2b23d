from __future__ import annotations

import stat
from pathlib import Path

import pytest

from eatrack_edge.machine.power_mode import PowerMode, fastest_mode, power_modes, read_power_mode
from machine.boards import AGX_MODES, NANO_MODES, Tree


def test_the_same_id_is_another_mode_on_another_board(tmp_path: Path) -> None:
    for name, modes, expected in (("nano", NANO_MODES, "MAXN_SUPER"), ("agx", AGX_MODES, "MODE_30W")):
        tree = Tree(tmp_path / name)
        tree.power_mode(modes, 2)
        assert read_power_mode(tree.root) == PowerMode(2, expected)


def test_every_mode_of_the_board_is_listed(nano: Tree) -> None:
    assert power_modes(nano.root) == (PowerMode(0, "15W"), PowerMode(1, "25W"), PowerMode(2, "MAXN_SUPER"))


def test_a_mode_may_give_its_name_before_its_id(nano: Tree) -> None:
    nano.write("etc/nvpmodel.conf", "< POWER_MODEL NAME=MAXN ID=2 >\n#< POWER_MODEL ID=9 NAME=OLD >")
    assert power_modes(nano.root) == (PowerMode(2, "MAXN"),)


def test_the_fastest_mode_is_known_by_name(nano: Tree, tmp_path: Path) -> None:
    assert fastest_mode(nano.root) == PowerMode(2, "MAXN_SUPER")
    nano.power_mode({0: "MAXN", 1: "10W"}, 1)
    assert fastest_mode(nano.root) == PowerMode(0, "MAXN")
    assert fastest_mode(tmp_path / "nothing") is None


@pytest.mark.parametrize("missing", ["etc/nvpmodel.conf", "var/lib/nvpmodel/status"])
def test_an_id_without_a_name_is_no_mode(nano: Tree, missing: str) -> None:
    (nano.root / missing).unlink()
    assert read_power_mode(nano.root) is None


def test_an_id_that_the_board_does_not_have_is_no_mode(nano: Tree) -> None:
    nano.write("var/lib/nvpmodel/status", "pmode:0007")
    assert read_power_mode(nano.root) is None


def test_a_pc_has_no_power_mode(pc: Tree) -> None:
    assert read_power_mode(pc.root) is None
    assert power_modes(pc.root) == ()


def nvpmodel(folder: Path, answer: str) -> None:
    """A stand-in for nvpmodel, simulated."""
    program = folder / "nvpmodel"
    program.write_text(f"#!/bin/sh\n[ \"$1\" = -q ] && printf '{answer}'\n")
    program.chmod(program.stat().st_mode | stat.S_IEXEC)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (r"NV Fan Mode:quiet\nNV Power Mode: 25W\n1\n", PowerMode(1, "25W")),
        (r"NV Power Mode: MAXN_SUPER\n2\n", PowerMode(2, "MAXN_SUPER")),
        (r"NVPM ERROR: cannot open\n", None),
    ],
)
def test_nvpmodel_is_asked_where_its_files_say_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: str, expected: PowerMode | None
) -> None:
    if Path("/etc/nvpmodel.conf").exists():
        pytest.skip("this machine has modes of its own")
    nvpmodel(tmp_path, answer)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    assert read_power_mode() == expected
    assert read_power_mode(tmp_path) is None, "a fixture tree must not ask this machine"
