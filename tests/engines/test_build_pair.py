# ruff: noqa: ARG001, ARG005 - stand-ins keep the signature of what they stand for
from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from eatrack_edge.core.errors import GateFailed, MachineError, OutputError
from eatrack_edge.engines.build_pair import EnginePair, build_pair
from eatrack_edge.inference.backend import Maps
from eatrack_edge.inference.model_files import Graphs
from eatrack_edge.inference.tensorrt.manifest import (
    check_file,
    check_fit,
    engine_paths,
    manifest_path,
    read_manifest,
)
from engines.simulated_machine import HERE, MODEL, SimulatedMachine

COMMAND = "eatrack-edge build eatrack_deit --precision fp32"


def build(graphs: Graphs, folder: Path, builds: int = 1) -> EnginePair:
    return build_pair(graphs, folder, lambda name, step: None, command=COMMAND, builds=builds)


def test_a_pair_is_written_with_manifests_that_fit(graphs: Graphs, machine: SimulatedMachine, tmp_path: Path) -> None:
    made = build(graphs, tmp_path / "engines")
    assert (made.template, made.track) == engine_paths(MODEL, "fp32", tmp_path / "engines")
    for engine, graph in ((made.template, graphs.template), (made.track, graphs.track)):
        manifest = read_manifest(engine)
        check_file(engine, manifest)
        check_fit(engine, manifest, HERE, graph=graph)
        assert manifest.model_spec == graphs.model_spec.to_metadata()
        assert manifest.checkpoint_sha256 == graphs.model_spec.checkpoint_sha256
        assert (manifest.command, manifest.builds, manifest.latencies_ms) == (COMMAND, 1, ())
        assert manifest.parity == dict.fromkeys(Maps._fields, 0.0)
    assert sorted(path.name for path in made.track.parent.iterdir()) == sorted(
        path.name for engine in (made.template, made.track) for path in (engine, manifest_path(engine))
    )


def test_the_fastest_of_several_is_kept(graphs: Graphs, machine: SimulatedMachine, tmp_path: Path) -> None:
    made = build(graphs, tmp_path, builds=3)
    # The second attempt's track engine is the fourth that was built.
    assert made.track.read_bytes() == b"the build of eatrack_deit.track.engine 4"
    assert read_manifest(made.track).latencies_ms == (7.0, 6.0, 8.0)
    assert read_manifest(made.track).builds == 3


def test_engines_that_compute_something_else_are_not_written(
    graphs: Graphs, machine: SimulatedMachine, tmp_path: Path
) -> None:
    machine.error = 0.5
    with pytest.raises(GateFailed) as caught:
        build(graphs, tmp_path)
    assert str(caught.value) == (
        f"{graphs.track}: the engine and ONNX Runtime disagree on `score_map`: max difference 5.0e-01, allowed 1e-03\n"
        "hint: nothing was written; this TensorRT computes the graph wrongly: build --precision fp32, or with a newer "
        "JetPack"
    )
    assert list(tmp_path.iterdir()) == []


def test_an_answer_that_is_no_number_is_no_agreement(graphs: Graphs, machine: SimulatedMachine, tmp_path: Path) -> None:
    machine.error = float("nan")
    with pytest.raises(GateFailed, match="disagree on `score_map`: max difference nan"):
        build(graphs, tmp_path)


def test_a_killed_build_leaves_the_old_engines(graphs: Graphs, machine: SimulatedMachine, tmp_path: Path) -> None:
    build(graphs, tmp_path)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    machine.jobs.clear()
    machine.failure = MachineError("the build of eatrack_deit.track.engine was killed after 9 s")
    with pytest.raises(MachineError, match="was killed"):
        build(graphs, tmp_path)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_a_full_disk_leaves_nothing_half_written(
    graphs: Graphs, machine: SimulatedMachine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(
        OutputError, match=r"eatrack_deit\.template\.engine: cannot be written: no space left on device"
    ):
        build(graphs, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_named(graphs: Graphs, machine: SimulatedMachine, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match=r"file/engines: cannot be written: .*\nhint: name another: -o FOLDER"):
        build(graphs, tmp_path / "file" / "engines")
