from __future__ import annotations

import pytest

from eatrack_edge.machine.gpu import GpuState, active_sms, gpu_node, read_gpu
from machine.boards import Tree


def test_jetpack_6_names_the_node_gpu(nano: Tree) -> None:
    state = read_gpu(nano.root)
    steps = (306_000_000, 408_000_000, 1_020_000_000)
    assert state == GpuState(510_000_000, 306_000_000, 1_020_000_000, steps, "nvhost_podgov", 0.763, 240)
    assert (state.is_locked, state.sm_count) == (False, 8)


def test_jetpack_5_names_the_node_ga10b(nx: Tree) -> None:
    state = read_gpu(nx.root)
    steps = (306_000_000, 408_000_000, 408_000_000)
    assert state == GpuState(408_000_000, 408_000_000, 408_000_000, steps, "nvhost_podgov", 1.0, 240)
    assert state.is_locked is True


def test_an_idle_gpu_has_a_load_of_zero_not_none(agx: Tree) -> None:
    assert read_gpu(agx.root).load == 0.0


def test_a_node_of_another_name_is_found_by_the_device_tree(nano: Tree) -> None:
    folder = nano.root / "sys/class/devfreq"
    (folder / "17000000.gpu").rename(folder / "17000000.something")
    assert gpu_node(nano.root) is None
    nano.write("sys/class/devfreq/17000000.something/device/of_node/name", "ga10b\0")
    assert read_gpu(nano.root).freq_hz == 510_000_000


@pytest.mark.parametrize("alias", ["sys/devices/platform/gpu.0", "sys/devices/gpu.0"])
def test_the_mask_and_the_load_are_found_where_nvpmodel_finds_them(nano: Tree, alias: str) -> None:
    (nano.root / "sys/devices/platform/gpu.0").unlink()
    for name in ("load", "tpc_pg_mask"):
        (nano.root / "sys/devices/platform/17000000.gpu" / name).unlink()
    assert (read_gpu(nano.root).load, read_gpu(nano.root).tpc_mask) == (None, None)
    nano.write(f"{alias}/load", 500)
    nano.write(f"{alias}/tpc_pg_mask", "0xfc")
    state = read_gpu(nano.root)
    assert (state.load, state.tpc_mask, state.sm_count) == (0.5, 252, 4)


def test_a_gpu_that_is_asleep_keeps_what_can_be_read(nano: Tree, refusing: dict[str, OSError]) -> None:
    refusing["cur_freq"] = BlockingIOError(11, "asleep")
    refusing["load"] = BlockingIOError(11, "asleep")
    refusing["min_freq"] = PermissionError(13, "denied")
    state = read_gpu(nano.root)
    assert (state.freq_hz, state.load, state.min_hz, state.is_locked) == (None, None, None, None)
    assert state.max_hz == 1_020_000_000


def test_what_is_no_number_is_absent(nano: Tree) -> None:
    nano.write("sys/class/devfreq/17000000.gpu/cur_freq", "<unsupported>")
    nano.write("sys/class/devfreq/17000000.gpu/available_frequencies", "")
    state = read_gpu(nano.root)
    assert (state.freq_hz, state.available_hz) == (None, None)


def test_a_pc_has_no_gpu_of_orin(pc: Tree) -> None:
    assert read_gpu(pc.root) == GpuState()
    assert (GpuState().is_locked, GpuState().sm_count) == (None, None)


@pytest.mark.parametrize(("mask", "count"), [(0, 16), (128, 14), (240, 8), (248, 6), (252, 4), (255, 0)])
def test_each_bit_of_the_mask_is_two_multiprocessors(mask: int, count: int) -> None:
    assert active_sms(mask) == count
