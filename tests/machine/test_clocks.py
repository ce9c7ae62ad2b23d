from __future__ import annotations

from eatrack_edge.machine.clocks import CpuState, read_cpu
from machine.boards import Tree


def test_the_fastest_cluster_stands_for_the_cpu(nano: Tree) -> None:
    nano.cpu({0: (700_000, 600_000, 900_000), 4: (1_344_000, 729_600, 1_728_000)})
    state = read_cpu(nano.root)
    assert state == CpuState("0-5", 1_344_000_000, 729_600_000, 1_728_000_000, "schedutil")
    assert state.is_locked is False


def test_jetson_clocks_leaves_one_frequency(nx: Tree) -> None:
    assert read_cpu(nx.root).is_locked is True


def test_a_virtual_machine_has_no_clock(pc: Tree) -> None:
    assert read_cpu(pc.root) == CpuState()
    assert CpuState().is_locked is None
