# ruff: noqa: ARG001, ARG005 - stand-ins keep the signature of what they stand for
from __future__ import annotations

import importlib
import sys
from pathlib import Path

import pytest

from cli.conftest import Run
from eatrack_edge.core.errors import EngineMismatch
from eatrack_edge.engines import ensure_engines
from eatrack_edge.engines.build_pair import EnginePair
from eatrack_edge.engines.build_progress import Step
from eatrack_edge.engines.parity import Latency
from eatrack_edge.engines.precision_audit import Audit
from eatrack_edge.inference.tensorrt import driver, fingerprint
from eatrack_edge.inference.tensorrt.manifest import Fingerprint
from engines.onnx_files import write_pair

module = importlib.import_module("eatrack_edge.cli.build")  # the command of that name hides it
HERE = Fingerprint("10.3.0", "12.6", "8.7", "Orin", "p3767-0005", "6.2")


@pytest.fixture
def jetson(monkeypatch: pytest.MonkeyPatch) -> None:
    """A simulated one: TensorRT is there, and a build writes bytes."""

    def build(graphs: object, folder: Path, report: object, *, command: str, builds: int, uses_dla: bool) -> EnginePair:
        report("a.track.engine", Step("building", 1, 2))  # type: ignore[operator]
        engines = folder / "a.template.engine", folder / "a.track.engine"
        for engine in engines:
            engine.write_bytes(bytes(2_000_000))
        latencies = (Latency(1.0, 6.5), Latency(1.0, 7.25)) if builds > 1 else ()
        return EnginePair(*engines, HERE, (Audit(0, 24, 0), Audit(0, 12, 40)), 61.0, {"score_map": 2.5e-3}, latencies)

    monkeypatch.setitem(sys.modules, "tensorrt", sys)  # anything that imports
    monkeypatch.setattr(driver, "require_gpu", lambda: None)
    monkeypatch.setattr(fingerprint, "read_fingerprint", lambda: HERE)
    monkeypatch.setattr(ensure_engines, "read_fingerprint", lambda: HERE)
    monkeypatch.setattr(ensure_engines, "build_pair", build)


def test_without_tensorrt_it_ends_in_one_readable_error(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(driver, "require_gpu", lambda: None)
    monkeypatch.setitem(sys.modules, "tensorrt", None)
    done = run("build", "eatrack_s")
    assert done.code == 3
    assert done.err.startswith("error: cannot build an engine: tensorrt is not installed\nhint: on a Jetson: sudo apt")
    assert done.err.count("\n") == 2


@pytest.mark.parametrize("tensorrt", [sys, None], ids=["with TensorRT", "before anybody installs it"])
def test_without_a_gpu_it_ends_in_one_readable_error(
    run: Run, monkeypatch: pytest.MonkeyPatch, tensorrt: object
) -> None:
    def missing(_name: str) -> None:
        raise OSError

    monkeypatch.setitem(sys.modules, "tensorrt", tensorrt)
    monkeypatch.setattr(driver.ctypes, "CDLL", missing)
    done = run("build", "eatrack_s")
    assert (done.code, done.err) == (
        3,
        (
            "error: there is no NVIDIA driver here: libcuda.so.1 is not found\n"
            "hint: engines are built and run on a Jetson or a PC with an NVIDIA GPU; elsewhere use another --backend\n"
        ),
    )


def test_another_device_is_refused(run: Run) -> None:
    done = run("build", "--device", "agx-orin")
    assert done.code == 3
    assert done.err.startswith("error: --device is agx-orin, this machine is ")


@pytest.mark.usefixtures("jetson")
def test_the_built_engines_are_listed(run: Run, tmp_path: Path) -> None:
    done = run("build", "eatrack_s", "--precision", "fp32", "--builds", 2, "-o", tmp_path)
    assert done.err == "building a.track.engine: 1/2 steps, building\n"
    assert done.out.splitlines() == [
        "built for compute 8.7 with TensorRT 10.3.0 (Orin, p3767-0005, JetPack 6.2) in 61 s",
        f"  {tmp_path}/a.template.engine  2.00 MB, 24 matmuls and convolutions: 24 in FP16",
        f"  {tmp_path}/a.track.engine  2.00 MB, 52 matmuls and convolutions: 40 in INT8, 12 in FP16",
        "  the fastest of 2: 6.50 ms a frame, the slowest 7.25 ms",
        "  score_map        max difference to ONNX Runtime 2.5e-03",
    ]


@pytest.mark.usefixtures("jetson")
def test_engines_that_fit_are_left_alone_unless_forced(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ensure_engines, "check_engines", lambda graphs, folder: None)
    arguments = ("build", "eatrack_s", "--precision", "fp32", "-o", tmp_path)
    assert run(*arguments).out == f"{tmp_path}: the fp32 engines of eatrack_s fit; --force builds them again\n"
    assert run(*arguments, "--force").out.startswith("built for compute 8.7")


@pytest.mark.usefixtures("jetson")
@pytest.mark.parametrize(("precision", "calib"), [("int8", "test://"), ("int8-fp16", "test://")])
def test_graphs_that_are_missing_are_exported_beside_the_engines(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, precision: str, calib: str
) -> None:
    asked: list[tuple[str, Path, str, str]] = []

    def export(what: str, folder: Path, *, precision: str, calib: str) -> None:
        asked.append((what, folder, precision, calib))
        write_pair(folder, "eatrack_s", precision=precision)

    monkeypatch.setattr(module, "export", export)
    monkeypatch.setattr(module, "find_spec", lambda _: object())
    done = run("build", "eatrack_s", "--precision", precision, "--calib", calib, "-o", tmp_path)
    assert done.code == 0, done.err
    assert asked == [("eatrack_s", tmp_path, precision, calib)]
    assert done.out.startswith(
        f"there are no {precision} graphs of eatrack_s: exporting them into {tmp_path}\nbuilt for compute 8.7"
    )


@pytest.mark.usefixtures("jetson")
@pytest.mark.parametrize(
    ("calib", "torch"), [("", object()), ("test://", None)], ids=["without videos", "without torch"]
)
def test_graphs_that_cannot_be_exported_here_end_in_the_command_that_does(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, calib: str, torch: object
) -> None:
    monkeypatch.setattr(module, "find_spec", lambda _: torch)
    done = run("build", "eatrack_s", "--precision", "int8", "--calib", calib, "-o", tmp_path)
    assert done.code == 2
    assert done.err.startswith("error: there are no int8 graphs of `eatrack_s`: ")
    assert "\nhint: take what is there: --precision fp32 or fp16; or make them where PyTorch is, on a la" in done.err
    assert done.err.endswith("; then bring FOLDER here: eatrack-edge build FOLDER --precision int8\n")


def test_track_builds_engines_only_for_tensorrt(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bool] = []
    monkeypatch.setattr(ensure_engines, "ensure_engines", lambda *_, builds_missing: asked.append(builds_missing))
    monkeypatch.setitem(sys.modules, "tensorrt", None)
    for backend in ("auto", "onnxruntime", "openvino"):
        module.refresh("eatrack_s", backend)
    assert asked == []
    module.refresh("eatrack_s", "tensorrt")
    assert asked == [True]


def test_a_build_that_fails_stops_track_only_with_backend_tensorrt(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, builds_missing: bool) -> None:
        raise EngineMismatch("no")

    monkeypatch.setattr(ensure_engines, "ensure_engines", fail)
    monkeypatch.setattr(module, "find_spec", lambda _: object())
    module.refresh("eatrack_s", "auto")
    with pytest.raises(EngineMismatch):
        module.refresh("eatrack_s", "tensorrt")
