from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from eatrack_edge.diagnosis import environment_checks as environment
from eatrack_edge.diagnosis.environment_checks import (
    check_conflicts,
    check_python,
    environment_kind,
    sees_system_packages,
)
from machine import boards


@pytest.fixture
def venv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An environment of its own, without the system's packages."""
    folder = tmp_path / "venv"
    folder.mkdir()
    (folder / "pyvenv.cfg").write_text("home = /usr/bin\ninclude-system-site-packages = false\nversion = 3.10.12\n")
    monkeypatch.setattr(sys, "prefix", str(folder))
    monkeypatch.setattr(sys, "base_prefix", "/usr")
    return folder


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Installed packages, simulated."""
    found: dict[str, str] = {}
    monkeypatch.setattr(environment, "_installed", lambda: found)
    return found


@pytest.mark.usefixtures("venv")
def test_a_venv_on_a_pc_may_hide_the_system(tmp_path: Path) -> None:
    (found,) = check_python(boards.pc(tmp_path).root)
    assert found.state == "ok"
    assert found.text.endswith(" in a venv, system packages hidden")
    assert (found.facts["environment"], found.facts["sees_system_packages"]) == ("venv", False)


def test_a_venv_on_a_jetson_should_see_the_system(venv: Path, tmp_path: Path) -> None:
    (found,) = check_python(boards.orin_nano(tmp_path).root)
    assert found.state == "note"
    assert found.fix == f"sed -i 's/\\(include-system-site-packages = \\).*/\\1true/' {venv}/pyvenv.cfg"


@pytest.mark.usefixtures("venv")
def test_the_command_mends_the_venv(tmp_path: Path) -> None:
    root = boards.orin_nano(tmp_path).root
    subprocess.run(check_python(root)[0].fix, shell=True, check=True)
    assert sees_system_packages()
    (found,) = check_python(root)
    assert (found.state, found.fix) == ("ok", "")
    assert found.text.endswith(" in a venv, system packages visible")


def test_the_systems_python_sees_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    monkeypatch.setattr(sys, "base_prefix", str(tmp_path))
    assert (environment_kind(), sees_system_packages()) == ("system", True)
    assert check_python(boards.orin_nano(tmp_path).root)[0].text.endswith(" in the system")


def test_conda_hides_the_system_and_a_venv_is_advised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "conda-meta").mkdir()
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    monkeypatch.setattr(sys, "base_prefix", str(tmp_path))
    (found,) = check_python(boards.orin_nano(tmp_path).root)
    assert found.state == "note"
    assert found.text.endswith(" in conda, system packages hidden")
    assert found.fix == "/usr/bin/python3 -m venv --system-site-packages .venv"


def test_a_venv_without_its_file_sees_nothing(venv: Path) -> None:
    (venv / "pyvenv.cfg").unlink()
    assert not sees_system_packages()


def test_two_onnxruntimes_are_a_problem(installed: dict[str, str], tmp_path: Path) -> None:
    installed.update({"onnxruntime": "1.23.2", "onnxruntime-gpu": "1.23.2", "numpy": "2"})
    (found,) = check_conflicts(tmp_path)
    assert found.state == "problem"
    assert found.text == "onnxruntime and onnxruntime-gpu are both installed and overwrite each other as `onnxruntime`"
    assert found.fix == "pip uninstall -y onnxruntime onnxruntime-gpu && pip install onnxruntime"


def test_two_opencvs_are_a_problem(installed: dict[str, str], tmp_path: Path) -> None:
    installed.update({"opencv-python": "4.10", "opencv-python-headless": "4.11"})
    (found,) = check_conflicts(tmp_path)
    assert found.fix == "pip uninstall -y opencv-python opencv-python-headless && pip install opencv-python"


@pytest.mark.parametrize(
    ("version", "is_useless"), [("1.31.1", True), ("1.29.0", True), ("1.23.2", False), ("1.20.0", False)]
)
def test_pypis_onnxruntime_gpu_is_useless_on_orin(
    installed: dict[str, str], tmp_path: Path, version: str, is_useless: bool
) -> None:
    installed["onnxruntime-gpu"] = version
    (found,) = check_conflicts(boards.orin_nano(tmp_path / "orin").root)
    assert (found.state == "problem") is is_useless
    if is_useless:
        assert found.text == f"onnxruntime-gpu {version} holds no code for Orin's GPU"
        assert found.fix.startswith("pip uninstall -y onnxruntime-gpu")
    (elsewhere,) = check_conflicts(boards.pc(tmp_path / "pc").root)
    assert elsewhere.state == "ok"


def test_tensorrt_from_pip_is_wrong_on_jetpack_6_only(installed: dict[str, str], tmp_path: Path) -> None:
    installed.update({"tensorrt": "10.9", "tensorrt-cu12-libs": "10.9", "tensorrt-cu12-bindings": "10.9"})
    (found,) = check_conflicts(boards.orin_nano(tmp_path / "jp6").root)
    assert found.text == "tensorrt-cu12-libs from pip is not made for JetPack 6 and hides its own TensorRT"
    assert found.fix == "pip uninstall -y tensorrt tensorrt-cu12-libs"
    assert check_conflicts(boards.agx_orin(tmp_path / "jp7").root)[0].state == "ok"


def test_packages_that_do_not_clash_are_fine(installed: dict[str, str], tmp_path: Path) -> None:
    installed.update({"onnxruntime": "1.23.2", "opencv-python-headless": "4.11"})
    (found,) = check_conflicts(tmp_path)
    assert (found.state, found.text) == ("ok", "none overwrite each other")


def test_installed_packages_are_named_as_pypi_names_them() -> None:
    assert {"numpy", "typer", "msgspec"} <= set(environment._installed())
