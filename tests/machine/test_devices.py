from __future__ import annotations

import re
from pathlib import Path

import pytest

from eatrack_edge.core import config
from eatrack_edge.core.errors import ConfigError, UsageError
from eatrack_edge.core.resources import resource_folder
from eatrack_edge.machine.board import read_board
from eatrack_edge.machine.devices import KINDS, Device, device_for, device_named, devices_of
from machine.boards import Tree

FILES = sorted(resource_folder("engines/devices").glob("*.toml"))
ALL = devices_of("orin")


def test_every_orin_module_is_there_smallest_first() -> None:
    assert [device.name for device in ALL] == [
        "orin_nano_4gb", "orin_nano_8gb", "orin_nx_8gb", "orin_nx_16gb", "agx_orin_32gb", "agx_orin_64gb",
    ]  # fmt: skip
    assert sorted(path.stem for path in FILES) == sorted(device.name for device in ALL)


def test_a_kind_has_two_modules_and_orin_has_all() -> None:
    assert [device.kind for kind in KINDS for device in devices_of(kind)] == [device.kind for device in ALL]
    assert [device.name for device in devices_of("orin-nx")] == ["orin_nx_8gb", "orin_nx_16gb"]


@pytest.mark.parametrize("device", ALL, ids=lambda device: device.name)
def test_the_rates_add_up_to_what_nvidia_advertises(device: Device) -> None:
    facts = device.facts
    stock = max(mode.int8_tops for mode in device.modes if not mode.is_super)
    # Sparsity doubles what both can do; the advertised numbers are rounded.
    assert 2 * (stock + facts.dla_int8_tops.value) == pytest.approx(facts.advertised_tops.value, rel=0.03)
    if facts.advertised_super_tops is not None:
        fastest = max(mode.int8_tops for mode in device.modes if mode.is_super)
        dla = facts.dla_super_int8_tops or facts.dla_int8_tops
        assert 2 * (fastest + dla.value) == pytest.approx(facts.advertised_super_tops.value, rel=0.03)


@pytest.mark.parametrize(
    ("name", "mode", "is_super", "sms", "int8", "fp16", "bandwidth"),
    [
        ("orin_nano_4gb", "10W", False, 4, 10.2, 5.1, 34.1),
        ("orin_nano_8gb", "15W", False, 8, 20.5, 10.2, 68.3),
        ("orin_nano_8gb", "7W", False, 4, 6.7, 3.3, 68.3),
        ("orin_nano_8gb", "MAXN_SUPER", True, 8, 33.4, 16.7, 102.4),
        ("orin_nx_16gb", "25W", False, 8, 13.4, 6.7, 102.4),
        ("agx_orin_64gb", "MAXN", False, 16, 85.2, 42.6, 204.8),
    ],
)  # fmt: skip
def test_a_mode_has_its_rates(
    name: str, mode: str, is_super: bool, sms: int, int8: float, fp16: float, bandwidth: float
) -> None:
    device = device_named(name)
    facts = device.mode_named(mode, is_super=is_super)
    assert facts is not None
    assert (facts.sm_count, facts.tensor_cores) == (sms, 4 * sms)
    assert facts.int8_tops == pytest.approx(int8, abs=0.06)
    assert facts.fp16_tflops == pytest.approx(fp16, abs=0.06)
    assert device.memory_gb_s(facts) == pytest.approx(bandwidth, abs=0.06)


def test_a_lower_wattage_may_have_more_cores() -> None:
    modes = {mode.title: mode.sm_count for mode in device_named("orin_nx_16gb").modes}
    assert (modes["15W"], modes["25W"]) == (4, 8)


def test_two_modes_of_one_name_are_told_apart() -> None:
    device = device_named("orin_nano_8gb")
    assert [mode.title for mode in device.modes] == ["15W", "7W", "15W (Super)", "25W (Super)", "MAXN_SUPER"]
    old, new = (device.mode_named("15W", is_super=wanted) for wanted in (False, True))
    assert old is not None
    assert new is not None
    assert (old.gpu_mhz.value, new.gpu_mhz.value) == (625, 612)
    assert device.mode_named("25W") is device.modes[3]
    assert device.mode_named("40W") is None


def test_agx_modes_answer_to_the_short_name_too() -> None:
    device = device_named("agx_orin_64gb")
    assert device.mode_named("30W") is device.mode_named("MODE_30W") is not None


def test_what_no_source_confirms_stays_marked() -> None:
    nano, agx = device_named("orin_nano_8gb"), device_named("agx_orin_64gb")
    assert all(nano.unverified(mode) == () for mode in nano.modes)
    assert nano.facts.unverified == ()
    unsure = agx.mode_named("15W")
    assert unsure is not None
    assert unsure.unverified == ("tpc_mask",)
    assert agx.unverified(unsure) == ("tpc_mask", "memory_bits")
    assert device_named("orin_nx_8gb").facts.unverified == (
        "memory_bits", "dla_cores", "dla_int8_tops", "advertised_super_tops", "dla_super_int8_tops",
    )  # fmt: skip


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_number_has_a_source_that_the_file_explains(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    legend = [line.split("  ")[1].strip() for line in text.splitlines() if line.startswith("#   ") and "  " in line[4:]]
    for line in text.splitlines():
        if "value =" not in line:
            continue
        source = re.search(r'source = "([^"]+)"', line)
        assert source, line
        assert ("is_verified = false" in line) == (source[1] == "unverified" or "against" in source[1]), line
        known = source[1].startswith("nvpmodel_") or any(source[1].startswith(name) for name in legend if name)
        assert known, line


def test_a_board_finds_its_device(nano: Tree) -> None:
    board = read_board(nano.root)
    device = device_for(board)
    assert device is not None
    assert device.name == "orin_nano_8gb"


def test_a_pc_is_no_device(pc: Tree) -> None:
    assert device_for(read_board(pc.root)) is None


def test_each_module_belongs_to_one_device() -> None:
    modules = [module for device in ALL for module in device.module_ids]
    assert len(set(modules)) == len(modules)


def test_an_unknown_device_is_refused_with_the_nearest() -> None:
    with pytest.raises(UsageError) as caught:
        device_named("orin_nano_8g")
    assert str(caught.value) == "no device called `orin_nano_8g`\nhint: did you mean `orin_nano_8gb`?"


def test_an_unknown_kind_is_refused_with_those_there_are() -> None:
    with pytest.raises(UsageError) as caught:
        devices_of("thor")
    assert str(caught.value) == "no kind of device called `thor`\nhint: known: orin, orin-nano, orin-nx, agx-orin"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("orin-nano", "xavier"), "kind must be one of orin-nano, orin-nx, agx-orin, got `xavier`"),
        (
            ("orin-nano", "orin_nano"),
            "kind must be one of orin-nano, orin-nx, agx-orin, got `orin_nano`\nhint: did you mean `orin-nano`?",
        ),
        (("gpu_mhz", "gpu_mzh"), "unknown key `modes[0].gpu_mzh`\nhint: did you mean `modes[0].gpu_mhz`?"),
        (("[[modes]]", "[[modes.none]]"), "`modes` must be "),
    ],
)
def test_a_wrong_device_file_is_refused_by_name(tmp_path: Path, change: tuple[str, str], message: str) -> None:
    text = (resource_folder("engines/devices") / "orin_nano_8gb.toml").read_text(encoding="utf-8")
    path = tmp_path / "mine.toml"
    path.write_text(
        text.replace(f'kind = "{change[0]}"', f'kind = "{change[1]}"') if change[0] in KINDS else text.replace(*change)
    )
    with pytest.raises(ConfigError) as caught:
        config.load(Device, path)
    assert str(caught.value).startswith(f"{path}: {message}")


def test_a_device_without_modes_is_refused(tmp_path: Path) -> None:
    text = (resource_folder("engines/devices") / "orin_nano_8gb.toml").read_text(encoding="utf-8")
    path = tmp_path / "mine.toml"
    path.write_text(text.partition("[[modes]]")[0].replace("[facts]", "modes = []\n[facts]"))
    with pytest.raises(ConfigError, match="orin_nano_8gb needs at least one power mode"):
        config.load(Device, path)
