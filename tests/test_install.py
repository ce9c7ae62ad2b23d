from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.install

ROOT = Path(__file__).parents[1]
CLEAN = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "VIRTUAL_ENV", "COV_"))}


def call(*command: object, cwd: Path) -> str:
    done = subprocess.run(
        [str(part) for part in command], cwd=cwd, env=CLEAN, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{command}\n{done.stdout[-2000:]}\n{done.stderr[-4000:]}"
    return done.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    call(sys.executable, "-m", "build", "--wheel", "--outdir", folder, ROOT, cwd=folder)
    (path,) = folder.glob("*.whl")
    return path


def test_a_wheel_contains_resources_and_model_but_no_engines(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert "eatrack_edge/_resources/export/recipes/eatrack_s.toml" in names
    assert "eatrack_edge/_resources/export/cards/eatrack_s.md" in names
    assert "eatrack_edge/_resources/engines/devices/orin_nano_8gb.toml" in names
    assert "eatrack_edge/weights/eatrack_s.safetensors" in names
    assert "eatrack_edge/py.typed" in names
    assert "eatrack_edge/reporting/templates/page.html.j2" in names
    page = {f"eatrack_edge/ground/web/page/{name}" for name in ("index.html", "style.css", "station.js", "icon.svg")}
    assert page <= set(names)
    assert [name for name in names if name.endswith((".engine", ".cache", ".mp4", ".webp"))] == []
    assert {name.split("/")[0] for name in names if ".dist-info" not in name} == {"eatrack_edge"}
    assert wheel.stat().st_size < 40e6


def test_the_wheel_tracks_from_any_folder_of_a_clean_environment(wheel: Path, tmp_path: Path) -> None:
    call(sys.executable, "-m", "venv", "clean", cwd=tmp_path)
    python = tmp_path / "clean" / "bin" / "python"
    call(python, "-m", "pip", "install", "--quiet", f"{wheel}[cpu]", cwd=tmp_path)
    packages = call(python, "-m", "pip", "list", "--format=freeze", cwd=tmp_path).lower()
    assert "torch" not in packages
    assert "onnx==" not in packages
    (tmp_path / "elsewhere").mkdir()
    call(
        "../clean/bin/eatrack-edge",
        "track",
        "test://?frames=8",
        "-o",
        "out.mp4",
        "--jsonl",
        "out.jsonl",
        cwd=tmp_path / "elsewhere",
    )
    assert (tmp_path / "elsewhere" / "out.jsonl").read_text().count("\n") == 10
    call(python, "-m", "pip", "uninstall", "--quiet", "--yes", "eatrack-edge", cwd=tmp_path)
    assert list(tmp_path.glob("clean/lib/*/site-packages/eatrack_edge*")) == []


def test_make_demo_sets_up_tracks_and_says_the_overlap(tmp_path: Path) -> None:
    if shutil.which("make") is None:
        pytest.skip("make is not installed")
    out = call("make", "demo", f"PYTHON={sys.executable}", f"VENV={tmp_path / 'venv'}", cwd=ROOT)
    assert "mean overlap" in out
    assert (ROOT / "demo.mp4").stat().st_size > 10_000
