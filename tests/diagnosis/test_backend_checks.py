from __future__ import annotations

import stat
from pathlib import Path

import pytest

from diagnosis.conftest import Answers
from eatrack_edge.diagnosis import backend_checks as backends
from eatrack_edge.diagnosis.backend_checks import check_onnxruntime, check_openvino, check_tensorrt, system_tensorrt
from machine import boards

ABSENT = {"error": "cannot x: y is not installed", "hint": "pip install y", "is_absent": True}
HERE = {"version": "10.3.0", "gpu": "Orin, compute 8.7, CUDA 12.6", "engine": None}


@pytest.fixture
def system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The system's Python, simulated: it has no TensorRT unless a test gives it one."""
    python = tmp_path / "python3"
    python.write_text("#!/bin/sh\nexit 1\n")
    python.chmod(python.stat().st_mode | stat.S_IEXEC)
    monkeypatch.setattr(backends, "_SYSTEM_PYTHON", str(python))
    return python


def test_the_provider_that_was_asked_for_runs(answers: Answers, tmp_path: Path) -> None:
    answers(onnxruntime={"version": "1.23.2", "runs_as": "onnxruntime (CPU)", "asked_for": "CPU"})
    (found,) = check_onnxruntime(tmp_path)
    assert (found.state, found.text) == ("ok", "1.23.2 runs as onnxruntime (CPU)")


@pytest.mark.parametrize(
    ("has_driver", "fix"),
    [
        (True, "pip install 'onnxruntime-gpu[cuda,cudnn]'"),
        (False, "pip uninstall -y onnxruntime-gpu && pip install onnxruntime"),
    ],
)
def test_a_silent_fall_back_to_the_cpu_is_told(answers: Answers, tmp_path: Path, has_driver: bool, fix: str) -> None:
    answers(onnxruntime={"version": "1.31.1", "runs_as": "onnxruntime (CPU)", "asked_for": "CUDA"})
    if has_driver:
        boards.Tree(tmp_path).write("proc/driver/nvidia/version", "NVRM version")
    (found,) = check_onnxruntime(tmp_path)
    assert found.state == "note"
    assert found.text == (
        "1.31.1 runs as onnxruntime (CPU), though CUDA was asked for: its driver or libraries are missing"
    )
    assert found.fix == fix


@pytest.mark.parametrize("check", [check_onnxruntime, check_openvino])
def test_a_backend_that_is_absent_is_noted_with_how_to_get_it(answers: Answers, tmp_path: Path, check: object) -> None:
    answers(onnxruntime=ABSENT, openvino=ABSENT)
    (found,) = check(boards.pc(tmp_path / "pc").root)  # type: ignore[operator]
    assert (found.state, found.text, found.fix) == ("note", "not installed", "pip install y")
    (found,) = check(boards.orin_nano(tmp_path / "nano").root)  # type: ignore[operator]
    assert found.fix == "", "Orin's backend is TensorRT"


def test_a_backend_that_breaks_is_a_problem(answers: Answers, tmp_path: Path) -> None:
    answers(openvino={"error": "ended by signal 4: the package does not fit this machine"})
    (found,) = check_openvino(tmp_path)
    assert (found.state, found.text) == (
        "problem", "does not run: ended by signal 4: the package does not fit this machine"
    )  # fmt: skip


def test_tensorrt_that_runs_an_engine_is_fine(answers: Answers, tmp_path: Path) -> None:
    answers(tensorrt=HERE | {"engine": "/x/eatrack_s.fp16.track.engine", "runs_as": "tensorrt (Orin, fp16)"})
    (found,) = check_tensorrt(tmp_path)
    assert (found.state, found.text) == ("ok", "10.3.0 runs as tensorrt (Orin, fp16)")


def test_tensorrt_without_an_engine_is_told_to_build_one(answers: Answers, tmp_path: Path) -> None:
    answers(tensorrt=HERE)
    (found,) = check_tensorrt(tmp_path)
    assert found.state == "note"
    assert found.text == "10.3.0 is here for Orin, compute 8.7, CUDA 12.6, but no engine is built yet"
    assert "runs_as" not in found.facts, "what has no engine cannot track"
    assert found.fix == "eatrack-edge build eatrack_s --device auto --precision fp16"


def test_tensorrt_that_only_the_system_sees_is_a_problem(answers: Answers, system: Path, tmp_path: Path) -> None:
    answers(tensorrt=ABSENT)
    system.write_text('#!/bin/sh\n[ "$1 $2" = "-I -c" ] && echo 10.3.0\n')
    (found,) = check_tensorrt(boards.orin_nano(tmp_path).root)
    assert found.state == "problem"
    assert found.text == f"10.3.0 is visible from {system}, not from this environment"
    assert "system-site-packages" in found.fix
    assert found.facts["system_version"] == "10.3.0"


@pytest.mark.usefixtures("system")
def test_a_jetson_without_tensorrt_is_told_to_install_it(answers: Answers, tmp_path: Path) -> None:
    answers(tensorrt=ABSENT)
    (found,) = check_tensorrt(boards.agx_orin(tmp_path).root)
    assert (found.state, found.text) == ("problem", "not installed; it is Orin's backend")
    assert found.fix == "sudo apt install python3-libnvinfer"


@pytest.mark.usefixtures("system")
def test_a_pc_without_tensorrt_lacks_nothing(answers: Answers, tmp_path: Path) -> None:
    answers(tensorrt=ABSENT)
    (found,) = check_tensorrt(boards.pc(tmp_path).root)
    assert (found.state, found.fix) == ("note", "")


def test_tensorrt_without_a_driver_is_a_problem(answers: Answers, tmp_path: Path) -> None:
    answers(tensorrt={"error": "there is no NVIDIA driver here: libcuda.so.1 is not found", "hint": "use another"})
    (found,) = check_tensorrt(tmp_path)
    assert found.state == "problem"
    assert found.text == "does not run: there is no NVIDIA driver here: libcuda.so.1 is not found"
    assert found.fix == "use another"


def test_a_system_python_that_hangs_or_is_not_there_has_no_tensorrt(
    system: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    system.write_text("#!/bin/sh\nexec sleep 5\n")
    monkeypatch.setattr(backends, "_PATIENCE_S", 0.1)
    assert system_tensorrt() == ""
    system.unlink()
    assert system_tensorrt() == ""
