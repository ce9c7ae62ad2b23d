from __future__ import annotations

import shlex
from pathlib import Path

import cv2
import numpy as np
import pytest

from cli.conftest import Run
from cli.test_track import images
from eatrack_edge.outputs.grid import with_grid
from sources.clips import damage, write_video

SCENE = "test://?width=320&height=240&frames=6"


def test_one_frame_is_written_as_it_is(run: Run, tmp_path: Path) -> None:
    folder = images(tmp_path / "frames", 3)
    done = run("frame", folder, "--start", 2, "-o", tmp_path / "a.png")
    assert done.code == 0
    np.testing.assert_array_equal(cv2.imread(str(tmp_path / "a.png")), cv2.imread(str(folder / "0002.png")))
    assert "frame                     2 at 0.067 s, 160x120\n" in done.out


def test_a_frame_that_is_lost_to_damage_says_so(run: Run, tmp_path: Path) -> None:
    path = write_video(tmp_path / "v.mp4", [number / 30 for number in range(10)], g="1", bf="0")
    done = run("frame", damage(path, 4), "--start", 4, "-o", tmp_path / "a.png")
    assert done.code == 0
    assert done.err == (
        "warning: frame 4 is lost to damage: the picture is of the one that was read before or after it\n"
    )
    assert run("frame", path, "--start", 5, "-o", tmp_path / "b.png").err == ""


def test_the_grid_has_lines_at_round_coordinates(run: Run, tmp_path: Path) -> None:
    assert run("frame", SCENE, "--grid", "-o", tmp_path / "a.jpg").code == 0
    grey = np.full((240, 320, 3), 90, np.uint8)
    brightness = with_grid(grey)[200:235, 60:].mean((0, 2))
    assert np.flatnonzero(brightness > 120).tolist() == [40, 90, 140, 190, 240]
    assert (grey == 90).all()


@pytest.mark.parametrize("size", [(1, 1), (8, 4000), (2160, 3840)])
def test_a_grid_fits_every_frame(size: tuple[int, int]) -> None:
    assert with_grid(np.zeros((*size, 3), np.uint8)).shape == (*size, 3)


@pytest.mark.usefixtures("opened_once")
def test_the_hint_of_a_missing_box_is_a_command_that_works(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    images(tmp_path / "my frames", 3)
    done = run("track", "my frames", "--start", 1)
    command = done.err.split("see where it is: ")[1].split(";")[0]
    assert command == "eatrack-edge frame 'my frames' --start 1 --grid -o first.png"
    assert run(*shlex.split(command)[1:]).code == 0
    assert (tmp_path / "first.png").stat().st_size > 0


def test_a_picture_that_is_there_is_kept_unless_told(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_text("precious")
    done = run("frame", SCENE, "-o", path)
    assert (done.code, path.read_text()) == (2, "precious")
    assert run("frame", SCENE, "-o", path, "--overwrite").code == 0


def test_only_pictures_are_written(run: Run, tmp_path: Path) -> None:
    done = run("frame", SCENE, "-o", tmp_path / "a.mp4")
    assert (done.code, done.err) == (2, f"error: {tmp_path}/a.mp4: a picture ends in .png or .jpg\n")
