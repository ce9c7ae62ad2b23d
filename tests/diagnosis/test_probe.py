from __future__ import annotations

import json
import stat
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from eatrack_edge.core.errors import EngineMismatch
from eatrack_edge.diagnosis import probe
from eatrack_edge.diagnosis.probe import PROBES, ask, main
from eatrack_edge.inference.tensorrt.manifest import Fingerprint
from tracking.simulated import SimulatedBackend


def python(folder: Path, script: str) -> str:
    """An interpreter that answers so, simulated."""
    path = folder / "python"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IEXEC)
    return str(path)


def asked(name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    """The probe's answer, run in this process."""
    monkeypatch.setattr(sys, "argv", ["probe", name])
    main()
    answer: dict[str, object] = json.loads(capsys.readouterr().out.splitlines()[-1])
    return answer


def test_a_probe_answers_from_a_process_of_its_own() -> None:
    answer = ask("cv2")
    assert set(answer) == {"version", "file", "gui", "gstreamer"}


def test_onnxruntime_runs_the_bundled_model() -> None:
    answer = PROBES["onnxruntime"]()
    assert answer["runs_as"].startswith("onnxruntime (")
    assert answer["asked_for"] in ("CPU", "CUDA")


def test_pyav_names_its_encoders() -> None:
    assert set(PROBES["av"]()["encoders"]) <= {"libx264", "mpeg4"}


@pytest.mark.parametrize(
    ("build", "gui", "gstreamer"),
    [
        ("  GUI: \n    GTK+: YES (ver 3.24.33)\n  Video I/O:\n    GStreamer: YES (1.20.3)\n", "YES (ver 3.24.33)", "YES (1.20.3)"),
        ("  GUI:                           QT5\n    QT:  YES (ver 5.15.16 )\n", "QT5", "NO"),
        ("  GUI:                           NONE\n  Video I/O:\n    GStreamer:  NO\n", "NONE", "NO"),
    ],
)  # fmt: skip
def test_opencvs_own_words_are_understood(
    monkeypatch: pytest.MonkeyPatch, build: str, gui: str, gstreamer: str
) -> None:
    simulated = ModuleType("cv2")
    simulated.__version__ = "4.8.0"  # type: ignore[attr-defined]
    simulated.__file__ = "/x/cv2.so"
    simulated.getBuildInformation = lambda: build  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "cv2", simulated)
    answer = PROBES["cv2"]()
    assert (answer["gui"], answer["gstreamer"]) == (gui, gstreamer)


@pytest.mark.parametrize(
    ("script", "error"),
    [
        pytest.param("kill -SEGV $$", "ended by signal 11: the package does not fit this machine", id="dies"),
        pytest.param("echo 'ImportError: libx.so' >&2; exit 1", "ImportError: libx.so", id="raises"),
        pytest.param("exit 7", "ended with exit code 7", id="says nothing"),
        pytest.param("echo hello", "ended with exit code 0", id="talks of other things"),
    ],
)
def test_a_probe_that_fails_says_why(tmp_path: Path, script: str, error: str) -> None:
    assert ask("cv2", python=python(tmp_path, script)) == {"error": error}


def test_a_package_may_talk_before_the_answer(tmp_path: Path) -> None:
    assert ask("cv2", python=python(tmp_path, 'echo noise; echo \'{"version": "1"}\'')) == {"version": "1"}


def test_a_probe_that_hangs_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "_TIMEOUT_S", 0.1)
    assert ask("cv2", python=python(tmp_path, "exec sleep 5")) == {"error": "gave no answer in 0 s"}


def test_what_is_not_installed_is_absent_with_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    answer = asked("onnxruntime", monkeypatch, capsys)
    # Python itself says so of a module that is barred; the package's name is all that differs from a real absence.
    assert str(answer["hint"]).startswith("pip install onnxruntime")
    assert answer["is_absent"] is True


def test_a_missing_library_of_the_system_is_not_an_absent_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "cv2.py").write_text("raise ImportError('libGL.so.1: cannot open shared object file')")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "cv2", raising=False)
    answer = asked("cv2", monkeypatch, capsys)
    assert (answer["error"], answer["is_absent"]) == ("libGL.so.1: cannot open shared object file", False)


def test_a_broken_package_tells_its_own_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken() -> dict[str, object]:
        raise AttributeError("module 'onnxruntime' has no attribute '__version__'\nmore")

    monkeypatch.setitem(PROBES, "onnxruntime", broken)
    answer = asked("onnxruntime", monkeypatch, capsys)
    assert answer == {"error": "AttributeError: module 'onnxruntime' has no attribute '__version__'"}


def test_a_score_that_is_not_finite_is_an_error(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Broken(SimulatedBackend):
        def infer(self, search: np.ndarray) -> object:  # type: ignore[override, type-arg]
            maps = super().infer(search)
            return maps._replace(score_map=np.full_like(maps.score_map, np.nan))

    monkeypatch.setitem(PROBES, "onnxruntime", lambda: probe._run(Broken()))  # type: ignore[arg-type]
    assert asked("onnxruntime", monkeypatch, capsys)["error"] == "simulated gives a score that is not finite"
    assert probe._run(SimulatedBackend()) == {"runs_as": "simulated"}  # type: ignore[arg-type]


@pytest.fixture
def tensorrt(monkeypatch: pytest.MonkeyPatch) -> None:
    """TensorRT, a GPU and a package between them, simulated; no engine is built."""
    module = ModuleType("tensorrt")
    module.__file__ = "/usr/lib/python3.10/dist-packages/tensorrt/__init__.py"
    monkeypatch.setitem(sys.modules, "tensorrt", module)
    here = Fingerprint("10.3.0", "12.6", "8.7", "Orin", "p3767-0005", "6.2")
    monkeypatch.setattr("eatrack_edge.inference.tensorrt.fingerprint.read_fingerprint", lambda: here)
    monkeypatch.setattr("eatrack_edge.inference.tensorrt.cuda_memory.open_memory", lambda _: None)
    monkeypatch.setenv("EATRACK_HOME", "/nowhere")


@pytest.mark.usefixtures("tensorrt")
def test_tensorrt_answers_before_an_engine_is_built() -> None:
    assert PROBES["tensorrt"]() == {
        "version": "10.3.0",
        "file": "/usr/lib/python3.10/dist-packages/tensorrt/__init__.py",
        "gpu": "Orin, compute 8.7, CUDA 12.6",
        "engine": None,
    }


@pytest.mark.usefixtures("tensorrt")
def test_an_engine_that_is_built_is_run(monkeypatch: pytest.MonkeyPatch) -> None:
    engines = (Path("a.template.engine"), Path("a.track.engine"))
    monkeypatch.setattr("eatrack_edge.inference.tensorrt.engine_files.built_engines", lambda _: engines)
    opened: list[tuple[Path, ...]] = []

    def open_engines(*paths: Path) -> SimulatedBackend:
        opened.append(paths)
        return SimulatedBackend()

    monkeypatch.setattr("eatrack_edge.inference.tensorrt.backend.TensorRTBackend", open_engines)
    answer = PROBES["tensorrt"]()
    assert opened == [engines]
    assert (answer["engine"], answer["runs_as"]) == ("a.track.engine", "simulated")


@pytest.mark.usefixtures("tensorrt")
def test_an_engine_of_another_machine_is_told(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(_: Path) -> None:
        raise EngineMismatch("built for another", hint="rebuild it")

    monkeypatch.setattr("eatrack_edge.inference.tensorrt.engine_files.built_engines", refuse)
    assert asked("tensorrt", monkeypatch, capsys) == {"error": "built for another", "hint": "rebuild it"}
