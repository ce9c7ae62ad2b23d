from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from cli.conftest import Run

pytestmark = pytest.mark.usefixtures("opened_once")


def clips(folder: Path, frames: int) -> Path:
    """A textured square that moves 1 px a frame over an even ground."""
    square = np.random.default_rng(0).integers(0, 256, (16, 16, 3), np.uint8)
    (folder / "a").mkdir(parents=True)
    for number in range(frames):
        frame = np.full((64, 144, 3), 90, np.uint8)
        frame[24:40, 10 + number : 26 + number] = square
        cv2.imwrite(str(folder / "a" / f"{number:03d}.png"), frame)
    np.savetxt(folder / "a.txt", [(10 + number, 24, 16, 16) for number in range(frames)], delimiter=",")
    return folder


def test_success_is_printed_for_each_delay_and_written_for_each_selection(run: Run, tmp_path: Path) -> None:
    data = clips(tmp_path / "clips", 60)
    done = run(
        *("bench", "selection", "--dataset", "images", data, "--backend", "onnxruntime", "--delay", 0.5),
        *("--per-sequence", 1, "--update-ms", 500, "--csv", tmp_path / "selections.csv"),
    )
    assert done.code == 0, done.err
    table = [line.split() for line in done.out.splitlines()]
    rows_of_success = [row[:-1] for row in table if row[1:2] in (["seen"], ["newest"])][:4]
    assert rows_of_success == [
        ["0", "seen", "1"],
        ["0.5", "seen", "1"],
        ["0.5", "newest", "1"],
        ["0.5", "seen", "at", "once", "1"],
    ]
    assert [row[:-2] for row in table[-3:-1]] == [["0.5", "seen", "at", "once"], ["0.5", "no", "delay"]]
    heading, *rows = (tmp_path / "selections.csv").read_text().splitlines()
    assert heading == "sequence,frame,delay_s,taken_on,overlap"
    assert len(rows) == 4


def test_clips_that_are_too_short_are_refused(run: Run, tmp_path: Path) -> None:
    done = run("bench", "selection", "--dataset", "images", clips(tmp_path / "clips", 40), "--backend", "onnxruntime")
    assert (done.code, done.err.splitlines()[-1]) == (2, "hint: a selection needs about two seconds")


def test_the_refinement_is_the_one_that_is_named(run: Run, tmp_path: Path) -> None:
    command = ("bench", "selection", "--dataset", "images", clips(tmp_path / "clips", 40), "--backend", "onnxruntime")
    assert run(*command, "--refinement", "vitrack").err.splitlines()[-2:] == [
        "error: no refinement called `vitrack`",
        "hint: did you mean `vittrack`?",
    ]
    # These clips are too short, which is said only after the tracker was opened.
    assert run(*command, "--refinement", "off").err.splitlines()[-1] == "hint: a selection needs about two seconds"
