# ruff: noqa: ARG001 - fixtures that only prepare
from __future__ import annotations

import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from eatrack_edge.core.errors import EngineMismatch, InputError, OutputError
from eatrack_edge.engines.build_pair import EnginePair, build_pair
from eatrack_edge.engines.build_progress import Step
from eatrack_edge.engines.ensure_engines import build_engines, check_engines, ensure_engines
from eatrack_edge.inference.model_files import Graphs
from eatrack_edge.inference.tensorrt.manifest import Fingerprint, manifest_path, read_manifest
from engines.simulated_machine import MODEL, SimulatedMachine


def ignore(name: str, step: Step) -> None:
    """Drop the progress."""


def build(graphs: Graphs, folder: Path, **options: Any) -> EnginePair | None:
    return build_engines(graphs, folder, options.pop("report", ignore), command="eatrack-edge build", **options)


def test_engines_that_fit_are_not_built_again(graphs: Graphs, machine: SimulatedMachine, tmp_path: Path) -> None:
    build_pair(graphs, tmp_path, ignore, command="eatrack-edge build")
    assert check_engines(graphs, tmp_path) is None
    machine.jobs.clear()
    assert ensure_engines(MODEL, "fp32", ignore, folder=tmp_path) is None
    assert machine.jobs == []


def test_engines_that_fit_are_built_again_by_force(graphs: Graphs, machine: SimulatedMachine, tmp_path: Path) -> None:
    assert build(graphs, tmp_path) is not None
    assert build(graphs, tmp_path, force=True) is not None


def test_engines_are_built_again_after_an_update_of_tensorrt(
    graphs: Graphs, machine: SimulatedMachine, tmp_path: Path
) -> None:
    build(graphs, tmp_path)
    machine.here = Fingerprint("10.16.1", "13.2", "8.7", "Orin", "p3767-0005", "7.2")
    assert isinstance(check_engines(graphs, tmp_path), EngineMismatch)
    pair = ensure_engines(MODEL, None, ignore, folder=tmp_path, builds_missing=False)
    assert pair is not None
    assert read_manifest(pair.track).fingerprint == machine.here
    assert read_manifest(pair.track).command == f"eatrack-edge build eatrack_deit --precision fp32 -o {tmp_path}"


@pytest.mark.parametrize("damage", [lambda path: path.write_bytes(b""), lambda path: manifest_path(path).unlink()])
def test_damaged_engines_are_built_again(
    graphs: Graphs, machine: SimulatedMachine, tmp_path: Path, damage: Any
) -> None:
    pair = build(graphs, tmp_path)
    assert pair is not None
    damage(pair.template)
    assert isinstance(check_engines(graphs, tmp_path), InputError)
    assert ensure_engines(MODEL, "fp32", ignore, folder=tmp_path) is not None
    assert check_engines(graphs, tmp_path) is None


def test_missing_engines_are_built_only_if_the_caller_wants_them(machine: SimulatedMachine, tmp_path: Path) -> None:
    assert ensure_engines(MODEL, "fp32", ignore, folder=tmp_path, builds_missing=False) is None
    assert machine.jobs == []
    assert ensure_engines(MODEL, "fp32", ignore, folder=tmp_path) is not None


def test_of_two_builds_at_a_time_the_second_waits_and_takes_the_engines_of_the_first(
    graphs: Graphs, machine: SimulatedMachine, tmp_path: Path
) -> None:
    is_waiting = threading.Event()
    # The first build goes on only once the second one has found the folder locked.
    machine.on_build = lambda: is_waiting.wait(20)

    def report(name: str, step: Step) -> None:
        if step.phase == "waiting for another build":
            is_waiting.set()

    with ThreadPoolExecutor(2) as pool:
        pairs = list(pool.map(lambda _: build(graphs, tmp_path, report=report), range(2)))
    assert is_waiting.is_set()
    assert sorted(pair is None for pair in pairs) == [False, True]
    assert len(machine.jobs) == 2  # a template and a track engine, once
    assert check_engines(graphs, tmp_path) is None


def test_a_build_waits_for_one_in_another_process(graphs: Graphs, machine: SimulatedMachine, tmp_path: Path) -> None:
    hold = "import sys, filelock\nwith filelock.FileLock(sys.argv[1]):\n    print('locked', flush=True)\n    sys.stdin.read()"
    command = [sys.executable, "-c", hold, str(tmp_path / ".build.lock")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as other:
        assert other.stdin is not None
        assert other.stdout is not None
        assert other.stdout.readline() == "locked\n"
        with ThreadPoolExecutor(1) as pool:
            future = pool.submit(build, graphs, tmp_path)
            time.sleep(0.3)
            assert not future.done()
            assert machine.jobs == []
            other.stdin.close()
            assert future.result(timeout=20) is not None


def test_a_lock_of_a_process_that_died_does_not_block(
    graphs: Graphs, machine: SimulatedMachine, tmp_path: Path
) -> None:
    (tmp_path / ".build.lock").touch()
    assert build(graphs, tmp_path) is not None


def test_a_build_that_fails_unlocks_the_folder(graphs: Graphs, machine: SimulatedMachine, tmp_path: Path) -> None:
    machine.failure = InputError("no kernel")
    with pytest.raises(InputError, match="no kernel"):
        build(graphs, tmp_path)
    machine.failure = None
    assert build(graphs, tmp_path) is not None


def test_a_folder_that_cannot_be_made_is_named(graphs: Graphs, machine: SimulatedMachine, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match=r"file/engines: cannot be written: .*\nhint: name another: -o FOLDER"):
        build(graphs, tmp_path / "file" / "engines")
