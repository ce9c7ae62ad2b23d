from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from cli.conftest import Finished
from eatrack_edge.benchmarks.measure import latency
from eatrack_edge.outputs.base import FrameRecord
from eatrack_edge.outputs.video import VideoOutput
from eatrack_edge.sources.synthetic import SyntheticSource

pytest_plugins = ["cli.conftest"]
pytestmark = pytest.mark.usefixtures("opened_once")

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMANDS = [
    line.partition("  #")[0].strip()
    for block in re.findall(r"```sh\n(.*?)```", README, flags=re.DOTALL)
    for line in block.splitlines()
]
OURS = [line for line in COMMANDS if line.startswith("eatrack-edge ")]
# Tested in tests/test_install.py, tests/train/test_loop.py, tests/export/test_precision.py and tests/engines.
ELSEWHERE = (
    *("make ", "python3 -m venv", ".venv/bin/", "pip install", "eatrack-edge train"),
    *("eatrack-edge export checkpoint.safetensors --model eatrack_s --precision", "eatrack-edge build"),
)
EXPORTING = [
    line for line in OURS if ("checkpoint." in line or "--model graphs" in line) and not line.startswith(ELSEWHERE)
]


@pytest.fixture(scope="module")
def material(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the README's commands name: a short video, its frames as pictures, and true boxes."""
    import cv2

    made = tmp_path_factory.mktemp("material")
    for name in ("frames", "clips", "truth", "results"):
        (made / name).mkdir()
    for path in ("clips/video.txt", "truth/video.txt", "results/video.txt"):
        np.savetxt(made / path, [(255, 230, 64, 48)] * 4, delimiter=",")
    spots = np.random.default_rng(0).integers(0, 256, (30, 40, 3), dtype=np.uint8)
    frame = cv2.resize(spots, (640, 480)).astype(np.uint8, copy=False)
    with VideoOutput(made / "video.mp4", 30) as video:
        for index in range(4):
            video.write(FrameRecord(index, index / 30, None, 0.0), frame)
            cv2.imwrite(str(made / f"frames/{index:04d}.jpg"), frame)
    shutil.copy(made / "video.mp4", made / "clips")
    return made


@pytest.fixture
def folder(material: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of a user's own with that in it, to run a command in."""
    shutil.copytree(material, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    shortest = latency.Plan(iterations=2, duration_s=0)  # nobody looks at these figures
    monkeypatch.setattr(latency, "Plan", lambda *_: shortest)
    monkeypatch.setattr(latency, "WARM_BLOCKS", 1)
    # Of test://: a smaller world is sooner painted, and a shorter flight sooner tracked.
    for name, value in (("width", 160), ("height", 120), ("frames", 5)):
        monkeypatch.setitem(SyntheticSource.__init__.__kwdefaults__, name, value)
    return tmp_path


def test_the_readme_opens_with_the_two_commands() -> None:
    assert COMMANDS[:2] == ["make demo", "make test"]


@pytest.mark.parametrize("command", [line for line in OURS if line not in EXPORTING and not line.startswith(ELSEWHERE)])
def test_a_command_of_the_readme_runs(command: str, folder: Path, run: Callable[..., Finished]) -> None:
    done = run(*shlex.split(command)[1:])
    assert done.code == 0, done.err
    assert len(list(folder.iterdir())) > 5, "it wrote nothing"


@pytest.mark.torch
def test_the_commands_from_a_checkpoint_to_a_box_run(folder: Path, run: Callable[..., Finished]) -> None:
    pytest.importorskip("torch")
    from eatrack_edge.core.resources import bundled

    weights = bundled("eatrack_s.safetensors")
    assert weights is not None
    (folder / "checkpoint.safetensors").symlink_to(weights)
    assert len(EXPORTING) == 2
    for command in EXPORTING:
        done = run(*shlex.split(command)[1:])
        assert done.code == 0, done.err
    assert len((folder / "boxes.csv").read_text().splitlines()) == 5


def test_every_command_is_run_by_some_test() -> None:
    assert [line for line in COMMANDS if line not in OURS and not line.startswith(ELSEWHERE)] == []


@pytest.mark.parametrize("path", sorted(ROOT.glob("*.md")) + sorted(ROOT.glob("*/*.md")), ids=lambda path: path.name)
def test_every_link_to_a_file_leads_somewhere(path: Path) -> None:
    if ".venv" in path.parts[-2]:
        pytest.skip("not ours")
    for target in re.findall(r"\]\((?!http|#)([^)#]+)\)", path.read_text(encoding="utf-8")):
        assert (path.parent / target).exists(), target
