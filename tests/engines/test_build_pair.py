# ruff: noqa: ARG001, ARG002, ARG005 - stand-ins keep the signature of what they stand for
from __future__ import annotations

import errno
import os
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from eatrack_edge.core.errors import EATrackError, EngineMismatch, GateFailed, InputError, MachineError, OutputError
from eatrack_edge.engines import build_pair as module
from eatrack_edge.engines import ensure_engines as upkeep
from eatrack_edge.engines.build import Built, Job
from eatrack_edge.engines.build_pair import Made, make
from eatrack_edge.engines.build_progress import Step
from eatrack_edge.engines.parity import Latency
from eatrack_edge.engines.precision_audit import Audit
from eatrack_edge.inference.backend import Maps
from eatrack_edge.inference.model_files import Graphs, find
from eatrack_edge.inference.onnxruntime import OnnxRuntimeBackend
from eatrack_edge.inference.parity import scene_crops
from eatrack_edge.inference.tensorrt.manifest import (
    Fingerprint,
    check_file,
    check_fit,
    engine_paths,
    manifest_path,
    read_manifest,
)

HERE = Fingerprint("10.3.0", "12.6", "8.7", "Orin", "p3767-0005", "6.2")
MODEL = "eatrack_deit"  # the faster one that ships
COMMAND = "eatrack-edge build eatrack_deit --precision fp32"


class SimulatedMachine:
    """Stands for a Jetson: builds nothing but bytes, and runs the graphs on ONNX Runtime as if they were engines."""

    def __init__(self, backend: OnnxRuntimeBackend) -> None:
        self.here = HERE
        self.error = 0.0  # added to every score
        self.track_ms = [7.0, 6.0, 8.0]  # of the first build, the second, ...
        self.fault: EATrackError | None = None
        self.jobs: list[Job] = []
        self._backend = backend
        self.model_spec = self._backend.model_spec
        self.encode_template = self._backend.encode_template

    def build(self, work: Any, job: Job, report: Any, *, what: str) -> Built:
        self.jobs.append(job)
        report(Step("building", 1, 1))
        if self.fault and len(self.jobs) == 2:
            raise self.fault
        return Built(f"{what} {len(self.jobs)}".encode(), Audit(3, 0, 0), 1.5)

    def infer(self, search: Any) -> Maps:
        maps = self._backend.infer(search)
        return maps._replace(score_map=maps.score_map + np.float32(self.error))


@pytest.fixture(scope="module")
def graphs() -> Graphs:
    return find(MODEL, "fp32")


@pytest.fixture(scope="module")
def opened(graphs: Graphs) -> tuple[OnnxRuntimeBackend, OnnxRuntimeBackend]:
    """What stands for the engines, and what they are compared with; to open them takes longer than a test."""
    return OnnxRuntimeBackend(graphs.template, graphs.track), OnnxRuntimeBackend(graphs.template, graphs.track)


@pytest.fixture
def machine(
    graphs: Graphs, opened: tuple[OnnxRuntimeBackend, OnnxRuntimeBackend], monkeypatch: pytest.MonkeyPatch
) -> SimulatedMachine:
    machine, reference = SimulatedMachine(opened[0]), opened[1]
    monkeypatch.setattr("eatrack_edge.inference.onnxruntime.OnnxRuntimeBackend", lambda *_, **__: reference)
    monkeypatch.setattr("eatrack_edge.inference.parity._SIZE", (320, 240))
    monkeypatch.setattr(module.parity, "scene_crops", lambda model_spec: islice(scene_crops(model_spec), 1))
    monkeypatch.setattr(module, "read_fingerprint", lambda: machine.here)
    monkeypatch.setattr(upkeep, "read_fingerprint", lambda: machine.here)
    monkeypatch.setattr(module, "run_in_child", machine.build)
    monkeypatch.setattr(module, "open_memory", lambda: None)
    monkeypatch.setattr(module, "_open", lambda _: machine)
    monkeypatch.setattr(module.parity, "time_calls", lambda _: Latency(2.0, machine.track_ms.pop(0)))
    return machine


def build(graphs: Graphs, folder: Path, builds: int = 1) -> Made:
    return make(graphs, folder, lambda name, step: None, command=COMMAND, builds=builds)


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
    machine.fault = MachineError("the build of eatrack_deit.track.engine was killed after 9 s")
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
        OutputError, match=r"eatrack_deit\.template\.engine: cannot be written: No space left on device"
    ):
        build(graphs, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_made_is_named(graphs: Graphs, machine: SimulatedMachine, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match=r"file/engines: cannot be written: .*\nhint: name another: -o FOLDER"):
        build(graphs, tmp_path / "file" / "engines")


def test_engines_that_fit_are_not_built_again(graphs: Graphs, machine: SimulatedMachine, tmp_path: Path) -> None:
    build(graphs, tmp_path)
    assert upkeep.fault(graphs, tmp_path) is None
    machine.jobs.clear()
    assert upkeep.ensure(MODEL, "fp32", lambda name, step: None, folder=tmp_path) is None
    assert machine.jobs == []


def test_after_an_update_of_tensorrt_they_are(graphs: Graphs, machine: SimulatedMachine, tmp_path: Path) -> None:
    build(graphs, tmp_path)
    machine.here = Fingerprint("10.16.1", "13.2", "8.7", "Orin", "p3767-0005", "7.2")
    assert isinstance(upkeep.fault(graphs, tmp_path), EngineMismatch)
    made = upkeep.ensure(MODEL, None, lambda name, step: None, folder=tmp_path, builds_missing=False)
    assert made is not None
    assert read_manifest(made.track).fingerprint == machine.here
    assert read_manifest(made.track).command == f"eatrack-edge build eatrack_deit --precision fp32 -o {tmp_path}"


@pytest.mark.parametrize("damage", [lambda path: path.write_bytes(b""), lambda path: manifest_path(path).unlink()])
def test_damaged_engines_are_built_again(
    graphs: Graphs, machine: SimulatedMachine, tmp_path: Path, damage: Any
) -> None:
    damage(build(graphs, tmp_path).template)
    assert isinstance(upkeep.fault(graphs, tmp_path), InputError)
    assert upkeep.ensure(MODEL, "fp32", lambda name, step: None, folder=tmp_path) is not None
    assert upkeep.fault(graphs, tmp_path) is None


def test_missing_engines_are_built_only_where_asked_for(
    graphs: Graphs, machine: SimulatedMachine, tmp_path: Path
) -> None:
    def ensure(builds_missing: bool) -> Made | None:
        return upkeep.ensure(MODEL, "fp32", lambda name, step: None, folder=tmp_path, builds_missing=builds_missing)

    assert ensure(builds_missing=False) is None
    assert machine.jobs == []
    assert ensure(builds_missing=True) is not None
