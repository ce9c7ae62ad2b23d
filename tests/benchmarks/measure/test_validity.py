from __future__ import annotations

from dataclasses import replace

from eatrack_edge.benchmarks.measure.timeline import thermal
from eatrack_edge.benchmarks.measure.validity import invalid_reasons, unknown_conditions
from eatrack_edge.machine.conditions import board_facts
from eatrack_edge.machine.sampler import Sample, take_sample
from machine import boards

pytest_plugins = ["machine.conftest"]


def reasons(
    tree: boards.Tree, samples: list[Sample], busy: float | None = 0.0, cold: tuple[str, ...] = ()
) -> list[str]:
    facts = replace(board_facts(tree.root), cores=6)
    return invalid_reasons(facts, samples, thermal(samples), busy, cold)


def locked(tree: boards.Tree) -> boards.Tree:
    for path in tree.root.glob("sys/devices/platform/*/devfreq/*/min_freq"):
        path.write_text("1020000000")
    for path in tree.root.glob("sys/devices/platform/*/devfreq/*/cur_freq"):
        path.write_text("1020000000")
    tree.cpu({0: (1_728_000, 1_728_000, 1_728_000), 4: (1_728_000, 1_728_000, 1_728_000)})
    return tree


def test_a_board_with_locked_clocks_that_stays_cool_is_valid(nano: boards.Tree) -> None:
    locked(nano)
    assert reasons(nano, [take_sample(nano.root)] * 2) == []


def test_floating_clocks_make_a_boards_run_invalid_and_say_how_to_lock_them(nano: boards.Tree) -> None:
    assert reasons(nano, [take_sample(nano.root)] * 2) == [
        "the clocks may float: the GPU's limits are 306 and 1020 MHz; lock them: sudo jetson_clocks"
    ]


def test_a_clock_that_moved_during_the_run_makes_it_invalid(nano: boards.Tree) -> None:
    sample = take_sample(locked(nano).root)
    moved = replace(sample, gpu_hz=612_000_000)
    assert reasons(nano, [sample, moved]) == ["the GPU's clock moved between 612 and 1020 MHz"]


def test_a_throttled_board_says_what_throttled_it(nx: boards.Tree) -> None:
    first = take_sample(nx.root)
    rang = replace(first, throttling=replace(first.throttling, over_current={"oc1": 0, "oc3": 19}))
    assert reasons(nx, [first, rang]) == [
        "throttled: cpu-throttle-alert was active, up to step 1",
        "throttled: gpu-throttle-alert was active, up to step 2",
        "throttled: over-current alarm oc3 rang 2 times",
    ]


def test_a_pc_is_not_asked_for_jetsons_clocks(pc: boards.Tree) -> None:
    assert reasons(pc, [take_sample(pc.root)]) == []


def test_a_busy_machine_and_a_cold_tracker_are_reasons(pc: boards.Tree) -> None:
    assert reasons(pc, [take_sample(pc.root)], busy=1.2, cold=("csrt",)) == [
        "the machine was busy: others used 1.2 of 6 cores",
        "csrt did not become stable during its warm-up",
    ]
    assert reasons(pc, [take_sample(pc.root)], busy=None) == []


def test_a_board_reports_every_condition(nano: boards.Tree) -> None:
    assert unknown_conditions([take_sample(nano.root)]) == []


def test_conditions_that_a_machine_does_not_report_are_listed(pc: boards.Tree) -> None:
    for zone in pc.root.glob("sys/class/thermal/*/temp"):
        zone.unlink()
    assert unknown_conditions([take_sample(pc.root)]) == [
        "this machine does not report: the CPU's clock, temperatures, power"
    ]
