from __future__ import annotations

import json
from dataclasses import fields, replace

import numpy as np
import pytest

from eatrack_edge.machine.conditions import (
    BoardFacts,
    Environment,
    Work,
    board_facts,
    others_cores,
    package_versions,
    read_environment,
    read_work,
    run_conditions,
)
from machine import boards


def test_others_cores_leaves_this_process_out() -> None:
    before, after = Work(0.0, 100.0, 10.0, 0.5), Work(10.0, 118.0, 19.0, 0.5)
    assert others_cores(before, after) == pytest.approx(0.9)
    assert others_cores(replace(before, busy_s=None), after) is None


def test_a_board_reports_module_mode_clocks_and_jetpack(agx: boards.Tree) -> None:
    facts = board_facts(agx.root)
    assert (facts.kind, facts.module_id, facts.power_mode, facts.tpc_mask) == (
        "agx-orin",
        "p3701-0005",
        "MODE_30W",
        240,
    )
    assert facts.gpu_hz == [306_000_000, 612_000_000]
    assert facts.clocks_locked is False
    assert facts.jetpack.startswith("7.2")


def test_packages_that_are_not_installed_are_left_out() -> None:
    found = package_versions()
    assert found["numpy"] == np.__version__
    assert all(found.values())
    assert "pycuda" not in found


def test_the_load_is_that_before_and_after_a_run() -> None:
    before = Work(0.0, None, 0.0, 1.0)
    assert len(read_environment(before, read_work()).load_average) == 2
    assert len(read_environment(None, read_work()).load_average) == 1


def test_a_run_records_the_keys_of_a_benchmark_and_leaves_out_what_is_not_known(pc: boards.Tree) -> None:
    found = run_conditions(root=pc.root, workers=2)
    known = {field.name for kind in (Environment, BoardFacts) for field in fields(kind)}
    assert set(found) <= known | {"measured_at", "workers"}
    assert {"measured_at", "tool_version", "python", "packages", "cpu", "cores", "load_average"} <= set(found)
    assert "power_mode" not in found
    assert found["workers"] == 2
    json.dumps(found, allow_nan=False)


def test_a_run_on_a_board_records_its_power_mode(agx: boards.Tree) -> None:
    assert run_conditions(root=agx.root)["power_mode"] == "MODE_30W"
