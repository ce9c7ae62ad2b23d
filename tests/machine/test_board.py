from __future__ import annotations

import platform
import shutil
from pathlib import Path

import pytest

from eatrack_edge.machine.board import DEVICE_TREE, Board, read_board
from machine.boards import Tree


@pytest.fixture(autouse=True)
def _no_override(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(DEVICE_TREE, raising=False)


def test_an_orin_nano_is_told_by_its_module_not_by_its_name(nano: Tree) -> None:
    name = "NVIDIA Jetson Orin Nano Engineering Reference Developer Kit Super"
    expected = Board("orin-nano", "p3767-0005", name, "36.4.3", "6.2", "Cortex-A78AE", 7_801_712 * 1024)
    assert read_board(nano.root) == expected
    assert expected.name == name


def test_an_orin_nx_on_jetpack_5_is_read(nx: Tree) -> None:
    expected = Board(
        "orin-nx", "p3767-0000", "NVIDIA Orin NX Developer Kit", "35.4.1", "5", "Cortex-A78AE", 15_954_600 * 1024
    )
    assert read_board(nx.root) == expected


def test_an_agx_orin_on_jetpack_7_is_read(agx: Tree) -> None:
    name = "NVIDIA Jetson AGX Orin Developer Kit"
    assert read_board(agx.root) == Board(
        "agx-orin", "p3701-0005", name, "39.2.0", "7.2", "Cortex-A78AE", 64_349_108 * 1024
    )


def test_a_pc_is_no_board(pc: Tree) -> None:
    board = read_board(pc.root)
    assert board == Board("", "", "ACME Notebook 14", "", "", "Some CPU @ 2.80GHz", 16_000_000 * 1024)


def test_a_machine_that_says_nothing_still_has_a_name(tmp_path: Path) -> None:
    board = read_board(tmp_path)
    assert board == Board("", "", "", "", "", "", 0)
    assert board.name == f"unknown CPU ({platform.machine()})"


def test_another_jetson_is_no_orin(nano: Tree) -> None:
    (nano.root / "proc/device-tree/compatible").write_bytes(b"nvidia,p3509-0000+p3668-0001\0nvidia,tegra194\0")
    assert read_board(nano.root).kind == ""


@pytest.mark.parametrize(
    ("module", "model", "kind"),
    [
        ("p3767-0001", "NVIDIA Jetson Orin NX", "orin-nx"),
        ("p3767-0004", "NVIDIA Jetson Orin Nano", "orin-nano"),
        ("p3767-0009", "NVIDIA Jetson Orin NX (new)", "orin-nx"),
        ("p3767-0009", "NVIDIA Jetson Orin Nano (new)", "orin-nano"),
        ("p3701-0008", "NVIDIA Jetson AGX Orin Industrial", "agx-orin"),
    ],
)
def test_a_module_has_a_kind_even_where_its_number_is_new(nano: Tree, module: str, model: str, kind: str) -> None:
    nano.identity(model, f"nvidia,p3768-0000+{module} nvidia,tegra234", "36.4.0")
    board = read_board(nano.root)
    assert (board.module_id, board.kind, board.jetpack) == (module, kind, "6.1")


@pytest.mark.parametrize(
    ("l4t", "jetpack"),
    [("36.3.0", "6.0"), ("36.4.4", "6.2.1"), ("36.4.40", "6"), ("36.5.0", "6"), ("38.2.1", "7"), ("39.2.0", "7.2"), ("32.7.1", "")],
)  # fmt: skip
def test_jetpack_is_as_exact_as_the_release_tells(nano: Tree, l4t: str, jetpack: str) -> None:
    nano.identity("NVIDIA Jetson Orin Nano", "nvidia,p3767-0005", l4t)
    board = read_board(nano.root)
    assert (board.l4t, board.jetpack) == (l4t, jetpack)


def test_a_container_reads_the_copied_device_tree(nano: Tree, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.move(nano.root / "proc/device-tree", tmp_path / "copied")
    assert read_board(nano.root).kind == ""
    monkeypatch.setenv(DEVICE_TREE, str(tmp_path / "copied"))
    board = read_board(nano.root)
    assert (board.kind, board.module_id) == ("orin-nano", "p3767-0005")


def test_no_variable_turns_a_pc_into_a_jetson(
    pc: Tree, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    from machine.boards import orin_nano

    jetson = orin_nano(tmp_path_factory.mktemp("jetson"))
    monkeypatch.setenv(DEVICE_TREE, str(jetson.root / "proc/device-tree"))
    assert read_board(pc.root).kind == ""


def test_a_boards_own_device_tree_goes_before_a_copy(
    nano: Tree, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    from machine.boards import agx_orin

    other = agx_orin(tmp_path_factory.mktemp("other"))
    monkeypatch.setenv(DEVICE_TREE, str(other.root / "proc/device-tree"))
    assert read_board(nano.root).kind == "orin-nano"


def test_unreadable_files_leave_the_board_unknown(nano: Tree, refusing: dict[str, OSError]) -> None:
    for path in ("compatible", "model", "nv_tegra_release", "cpuinfo", "meminfo"):
        refusing[path] = PermissionError(13, "denied")
    assert read_board(nano.root) == Board("", "", "", "", "", "", 0)


def test_this_machine_can_be_read() -> None:
    assert read_board().ram_bytes > 1e8
