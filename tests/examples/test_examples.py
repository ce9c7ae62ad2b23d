from __future__ import annotations

import runpy
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from eatrack_edge import RunInfo, open_output
from eatrack_edge.core.resources import bundled
from eatrack_edge.evaluation.baselines.registry import BASELINES
from eatrack_edge.inference.registry import BACKENDS
from eatrack_edge.outputs.base import FrameRecord
from eatrack_edge.sources.synthetic import SyntheticSource
from eatrack_edge.tracking.templates import TEMPLATE_POLICIES

pytestmark = pytest.mark.usefixtures("opened_once", "forget")

EXAMPLES = Path(__file__).parents[2] / "examples"
PROGRAMS = sorted(EXAMPLES.glob("*.py"))
FRAMES = 5


@pytest.fixture
def forget() -> Iterator[None]:
    """Nothing that a program registers outlives it."""
    yield
    for registry in (BACKENDS, BASELINES, TEMPLATE_POLICIES):
        for name in list(registry._registered):
            registry.unregister(name)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a video and its true boxes, to run a program in."""
    import cv2

    spots = np.random.default_rng(0).integers(0, 256, (30, 40, 3), dtype=np.uint8)
    frame = cv2.resize(spots, (640, 480)).astype(np.uint8, copy=False)
    (tmp_path / "clips").mkdir()
    video = open_output(tmp_path / "clips" / "video.mp4", RunInfo("video", 30.0))
    for index in range(FRAMES):
        video.write(FrameRecord(index, index / 30, None, 0.0), frame)
    video.finish(None)
    np.savetxt(tmp_path / "clips" / "video.txt", [(255, 230, 64, 48)] * FRAMES, delimiter=",")
    shutil.copy(tmp_path / "clips" / "video.mp4", tmp_path)
    for option, value in (("width", 160), ("height", 120)):  # of test://: a smaller scene is drawn sooner
        monkeypatch.setitem(SyntheticSource.__init__.__kwdefaults__, option, value)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def program(name: str, **names: Any) -> dict[str, Any]:
    """A program's names, without running it; ``names`` replaces some of its constants."""
    loaded = runpy.run_path(str(EXAMPLES / name), init_globals=names)
    for function in loaded.values():
        if callable(function) and hasattr(function, "__globals__"):
            function.__globals__.update(names)
    return loaded


def test_there_are_six_programs_of_at_most_40_lines() -> None:
    lengths = {path.name: len(path.read_text(encoding="utf-8").splitlines()) for path in PROGRAMS}
    assert len(lengths) == 6
    assert {name: length for name, length in lengths.items() if length > 40} == {}


def test_the_readme_names_every_program() -> None:
    readme = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    assert [path.name for path in PROGRAMS if f"`{path.name}`" not in readme] == []


@pytest.mark.usefixtures("folder")
def test_a_loop_over_a_camera_updates_with_every_frame(capsys: pytest.CaptureFixture[str]) -> None:
    assert program("webcam_loop.py")["main"]("video.mp4", "255,230,64,48") == FRAMES - 1
    assert len(capsys.readouterr().out.splitlines()) == FRAMES - 1


@pytest.mark.usefixtures("folder")
def test_a_camera_that_is_not_there_ends_the_loop() -> None:
    with pytest.raises(SystemExit, match=r"cannot read from missing\.mp4"):
        program("webcam_loop.py")["main"]("missing.mp4", "255,230,64,48")


@pytest.mark.usefixtures("folder")
def test_your_own_tracker_is_scored_beside_ours() -> None:
    scores = program("evaluate_your_own.py")["main"]("clips")
    assert set(scores) == {"eatrack", "template_matching"}
    assert all(score > 0.5 for score in scores.values())


@pytest.mark.usefixtures("folder")
def test_a_backend_of_your_own_runs_every_inference() -> None:
    taken = program("custom_backend.py", SOURCE="test://?frames=4")["main"]()
    assert len(taken) >= 3


@pytest.mark.usefixtures("folder")
def test_a_template_policy_of_your_own_decides(capsys: pytest.CaptureFixture[str]) -> None:
    text = (EXAMPLES / "custom_template_policy.py").read_text(encoding="utf-8")
    shorter = text.replace("frames=60", "frames=8").replace(
        '"most_confident", minimum', '"most_confident", interval=3, minimum'
    )
    exec(compile(shorter.replace("=0.5", "=0.0"), "custom_template_policy.py", "exec"), {"__name__": "example"})
    assert capsys.readouterr().out.startswith("frame 3: replaced by frame ")


def test_a_batch_goes_on_after_a_broken_video(folder: Path) -> None:
    (folder / "list.csv").write_text("missing.mp4,1,2,3,4\nvideo.mp4,255,230,64,48\n")
    outcome = program("batch_of_videos.py")["main"]("list.csv")
    assert outcome["video.mp4"] == f"{FRAMES} frames"
    assert "no such file or folder" in outcome["missing.mp4"]
    assert len((folder / "video.boxes.csv").read_text().splitlines()) == FRAMES + 1


@pytest.mark.torch
def test_an_export_is_verified(folder: Path) -> None:
    pytest.importorskip("torch")
    weights = bundled("eatrack_s.safetensors")
    assert weights is not None
    (folder / "checkpoint.safetensors").symlink_to(weights)
    verify = program("export_and_verify.py", SOURCE="test://?frames=4")["main"]
    assert verify("checkpoint.safetensors", "eatrack_s", "graphs") > 0.99
