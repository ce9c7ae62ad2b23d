from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import cv2
import numpy as np
import pytest

from cli.conftest import Run
from eatrack_edge.outputs.base import FrameRecord
from eatrack_edge.outputs.video import VideoOutput

av = pytest.importorskip("av")
pytestmark = pytest.mark.usefixtures("opened_once")

SCENE = "test://?width=320&height=240&frames=6"


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def images(folder: Path, count: int = 6) -> Path:
    folder.mkdir()
    for index in range(count):
        frame = np.random.default_rng(index // 100).integers(0, 256, (120, 160, 3), dtype=np.uint8)
        cv2.imwrite(str(folder / f"{index:04d}.png"), frame)
    return folder


def test_every_output_tells_the_same_run(run: Run, tmp_path: Path) -> None:
    done = run("track", SCENE, "--save-dir", tmp_path)
    assert done.code == 0
    (folder,) = tmp_path.iterdir()
    header, *frames, summary = lines(folder / "track.jsonl")
    assert (header["type"], header["source"], header["rotation_applied"]) == ("header", header["source"], 0)
    assert [frame["frame"] for frame in frames] == list(range(6))
    assert frames[0]["confidence"] is None
    assert summary["type"] == "summary"
    assert (summary["ended"], summary["frames"]) == ("end of source", 6)
    boxes = np.array([frame["box"] for frame in frames])
    np.testing.assert_allclose(np.loadtxt(folder / "otb.txt", delimiter=","), boxes, atol=2e-3)
    with (folder / "track.csv").open() as file:
        np.testing.assert_allclose([[float(r[k]) for k in "xywh"] for r in csv.DictReader(file)], boxes, atol=2e-3)
    with av.open(str(folder / "video.mp4")) as video:
        assert sum(1 for _ in video.decode(video=0)) == 6
    assert "mean overlap" in done.out
    assert str(folder / "video.mp4") in done.out


def test_the_first_lines_say_what_runs_and_why_nothing_better_does(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tensorrt", None)
    monkeypatch.setitem(sys.modules, "openvino", None)
    done = run("track", SCENE, "--max-frames", 1)
    assert [line.strip() for line in done.out.splitlines()[:3]] == [
        "backend                   onnxruntime (CPU)",
        "not tensorrt: cannot run an engine: tensorrt is not installed",
        "not openvino: cannot run a graph on OpenVINO: openvino is not installed",
    ]


def test_the_bundled_model_holds_the_synthetic_target(run: Run, tmp_path: Path) -> None:
    assert run("track", "test://?width=320&height=240", "--max-frames", 15, "--jsonl", tmp_path / "a.jsonl").code == 0
    summary = lines(tmp_path / "a.jsonl")[-1]
    assert summary["ended"] == "max frames"
    assert float(str(summary["mean_overlap"])) > 0.5


def test_a_later_start_keeps_the_sources_own_numbers(run: Run, tmp_path: Path) -> None:
    assert run("track", SCENE, "--start", 4, "--jsonl", tmp_path / "a.jsonl").code == 0
    assert [line["frame"] for line in lines(tmp_path / "a.jsonl")[1:-1]] == [4, 5]


@pytest.mark.parametrize(
    ("box", "options"),
    [
        ("40,30,20,10", []),
        ("40 30 60 40", ["--box-format", "xyxy"]),
        ("50,35,20,10", ["--box-format", "cxcywh"]),
        ("0.25,0.25,0.125,0.0833333", ["--normalized"]),
    ],
)
def test_a_box_is_read_in_every_format(run: Run, tmp_path: Path, box: str, options: list[str]) -> None:
    folder = images(tmp_path / "frames", 1)
    assert run("track", folder, "--box", box, *options, "--otb", tmp_path / "a.txt").code == 0
    np.testing.assert_allclose(np.loadtxt(tmp_path / "a.txt", delimiter=","), [40, 30, 20, 10], atol=1e-2)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        pytest.param(
            ["no/such.mp4", "--box", "1,2,3,4"], "error: no/such.mp4: no such file or folder\nhint: ", id="missing file"
        ),
        pytest.param(
            ["FRAMES"],
            "error: there is no target\nhint: see where it is: eatrack-edge frame FRAMES --start 0 --grid -o first.png; "
            "then give --box x,y,w,h\n",
            id="no box",
        ),
        pytest.param(
            ["FRAMES", "--box", "1,2,3"],
            "error: --box needs four numbers, got `1,2,3`\nhint: for example: --box 392,327,155,319\n",
            id="three numbers",
        ),
        pytest.param(
            ["FRAMES", "--box", "1,2,nan,4"],
            "error: --box needs four numbers, got `1,2,nan,4`\nhint: for example: --box 392,327,155,319\n",
            id="no number",
        ),
        pytest.param(
            ["FRAMES", "--box", "1,2,3,4", "--box-format", "ltrb"],
            "error: --box-format is xywh, xyxy or cxcywh, got `ltrb`\n",
            id="unknown format",
        ),
        pytest.param(
            ["FRAMES", "--box", "500,2,30,40"],
            "error: the box 500,2,30,40 lies outside the frame, 160x120\n",
            id="box outside",
        ),
        pytest.param(
            ["FRAMES", "--box", "-50,100,60,300"],
            "error: the box -50,100,60,300 lies mostly outside the frame, 160x120\n"
            "hint: its centre is to be inside; a box is x,y,w,h: its top-left corner and its size in pixels\n",
            id="box mostly outside",
        ),
        pytest.param(
            ["FRAMES", "--box", "5,2,0,40"],
            "error: the box is empty: w=0, h=40\nhint: a box is x,y,w,h with the size in pixels\n",
            id="empty box",
        ),
        pytest.param(
            ["test://", "--model", "eatrack_x"],
            "error: no model called `eatrack_x`\nhint: did you mean `eatrack_s`?\n",
            id="unknown model",
        ),
        pytest.param(
            ["test://", "--template-policy", "mediod"],
            "error: no template policy called `mediod`\nhint: did you mean `medoid`?\n",
            id="unknown template policy",
        ),
        pytest.param(
            ["test://", "--motion-model", "statik"],
            "error: no motion model called `statik`\nhint: did you mean `static`?\n",
            id="unknown motion model",
        ),
        pytest.param(
            ["test://", "--refinement", "vitrack"],
            "error: no refinement called `vitrack`\nhint: did you mean `vittrack`?\n",
            id="unknown refinement",
        ),
        pytest.param(
            ["test://", "--backend", "tpu"],
            "error: no backend called `tpu`\nhint: known backends: ",
            id="unknown backend",
        ),
    ],
)
def test_bad_input_is_told_on_stderr_with_exit_code_2(
    run: Run, tmp_path: Path, arguments: list[str], message: str
) -> None:
    folder = images(tmp_path / "frames")
    done = run(
        "track", *[str(folder) if part == "FRAMES" else part for part in arguments], "--jsonl", tmp_path / "a.jsonl"
    )
    assert done.code == 2
    assert done.err.startswith(message.replace("FRAMES", str(folder)))
    assert len(done.err.splitlines()) <= 2
    assert not (tmp_path / "a.jsonl").exists()


def test_a_file_that_is_there_is_kept_unless_told(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("precious")
    done = run("track", SCENE, "--csv", path)
    assert (done.code, path.read_text()) == (2, "precious")
    assert done.err == f"error: {path}: already there\nhint: --overwrite replaces it\n"
    assert run("track", SCENE, "--max-frames", 2, "--csv", path, "--overwrite").code == 0
    assert path.read_text().startswith("frame,")


def test_the_source_itself_is_never_overwritten(run: Run, tmp_path: Path) -> None:
    folder = images(tmp_path / "frames", 1)
    picture = folder / "0000.png"
    before = picture.read_bytes()
    done = run("track", picture, "--box", "40,30,20,10", "--otb", picture, "--overwrite")
    assert done.code == 2
    assert done.err == f"error: {picture}: is the source itself\nhint: write to another file\n"
    assert picture.read_bytes() == before


def test_a_frame_that_cannot_be_read_finishes_the_files_and_exits_with_5(run: Run, tmp_path: Path) -> None:
    folder = images(tmp_path / "frames")
    (folder / "0003.png").write_bytes(b"broken")
    done = run("track", folder, "--box", "40,30,20,10", "-o", tmp_path / "a.mp4", "--jsonl", tmp_path / "a.jsonl")
    assert done.code == 5
    assert "frame 3" in done.err
    written = lines(tmp_path / "a.jsonl")
    assert [line["type"] for line in written] == ["header", "frame", "frame", "frame", "summary"]
    assert str(written[-1]["ended"]).startswith("error: ")
    with av.open(str(tmp_path / "a.mp4")) as video:
        assert sum(1 for _ in video.decode(video=0)) == 3


def test_images_of_another_size_are_brought_to_the_first_and_named(run: Run, tmp_path: Path) -> None:
    folder = images(tmp_path / "frames", 4)
    cv2.imwrite(str(folder / "0002.png"), np.zeros((60, 80, 3), np.uint8))
    done = run("track", folder, "--box", "40,30,20,10", "--jsonl", tmp_path / "a.jsonl", "--otb", tmp_path / "a.txt")
    assert done.code == 0
    written = lines(tmp_path / "a.jsonl")
    assert [line["type"] for line in written[1:]] == [
        *("frame", "frame", "size_change", "frame", "size_change", "frame", "summary")
    ]
    assert written[3] == {
        "type": "size_change",
        "frame": 2,
        "from": [160, 120],
        "size": [80, 60],
        "file": f"{folder}/0002.png",
    }
    assert written[-1]["size_changes"] == 2
    assert (
        f"warning: frame 2 ({folder}/0002.png) is 80x60: frames of another size than the first were scaled to that\n"
        in done.err
    )
    assert len((tmp_path / "a.txt").read_text().splitlines()) == 4


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's /dev/full")
@pytest.mark.parametrize("option", ["--jsonl", "--csv", "--otb"])
def test_a_full_disk_is_told_with_exit_code_3_and_the_other_files_are_finished(
    run: Run, tmp_path: Path, option: str
) -> None:
    done = run("track", SCENE, option, "/dev/full", "-o", tmp_path / "a.mp4", "--overwrite")
    assert done.code == 3
    assert "error: /dev/full: cannot be written: no space left on device\nhint: free some space" in done.err


def test_show_without_a_window_says_what_to_do(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise cv2.error("The function is not implemented")

    monkeypatch.setattr(cv2, "namedWindow", refuse)
    done = run("track", SCENE, "--show")
    assert done.code == 3
    assert done.err.startswith("error: --show needs an OpenCV with windows and a screen\nhint: write a video instead")


@pytest.mark.parametrize("way", ["q", "button"])
def test_a_window_shows_every_frame_and_q_or_its_button_ends_the_run(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, way: str
) -> None:
    shown: list[np.ndarray] = []
    monkeypatch.setattr(cv2, "namedWindow", lambda *_: None)
    monkeypatch.setattr(cv2, "destroyWindow", lambda *_: None)
    monkeypatch.setattr(cv2, "imshow", lambda _, picture: shown.append(picture))
    monkeypatch.setattr(cv2, "waitKey", lambda _: ord("q") if way == "q" and len(shown) == 3 else -1)
    monkeypatch.setattr(cv2, "getWindowProperty", lambda *_: 0.0 if way == "button" and len(shown) == 3 else 1.0)
    assert run("track", SCENE, "--show", "--jsonl", tmp_path / "a.jsonl").code == 0
    assert len(shown) == 3
    assert lines(tmp_path / "a.jsonl")[-1]["ended"] == "window closed"


@pytest.mark.parametrize("drawn", [(40, 30, 20, 10), (0, 0, 0, 0)], ids=["drawn", "given up"])
def test_without_a_box_the_target_is_drawn_in_the_window(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, drawn: tuple[int, ...]
) -> None:
    for name, answer in {"namedWindow": None, "destroyWindow": None, "imshow": None, "waitKey": -1}.items():
        monkeypatch.setattr(cv2, name, lambda *_, answer=answer: answer)
    monkeypatch.setattr(cv2, "getWindowProperty", lambda *_: 1.0)
    monkeypatch.setattr(cv2, "selectROI", lambda *_, **__: drawn)
    done = run("track", images(tmp_path / "frames", 2), "--show", "--otb", tmp_path / "a.txt")
    assert done.code == (0 if any(drawn) else 2)
    if any(drawn):
        assert (tmp_path / "a.txt").read_text().startswith("40.0000,30.0000,20.0000,10.0000\n")


@pytest.fixture(scope="module")
def long_video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Long to track, a moment to make: one frame again and again."""
    path = tmp_path_factory.mktemp("video") / "long.mp4"
    frame = np.random.default_rng(0).integers(0, 256, (120, 160, 3), dtype=np.uint8)
    with VideoOutput(path, 30) as video:
        for index in range(400):
            video.write(FrameRecord(index, index / 30, None, 0.0), frame)
    return path


def started(video: Path, tmp_path: Path, frames: int = 4) -> subprocess.Popen[bytes]:
    """A run in another process that has written a few frames."""
    path = tmp_path / "a.jsonl"
    command = [sys.executable, "-m", "eatrack_edge", "track", str(video), "--box", "40,30,20,10"]
    command += ["--model", "eatrack_deit", "--backend", "onnxruntime"]  # the soonest to start
    process = subprocess.Popen(
        [*command, "--jsonl", str(path), "-o", str(tmp_path / "a.mp4")],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 60
    while not path.exists() or path.read_bytes().count(b"\n") <= frames:
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return process


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_finishes_every_file(long_video: Path, tmp_path: Path, number: signal.Signals) -> None:
    process = started(long_video, tmp_path)
    process.send_signal(number)
    assert process.wait(timeout=60) == 128 + number
    written = lines(tmp_path / "a.jsonl")
    assert (written[-1]["type"], written[-1]["ended"]) == ("summary", "interrupted")
    with av.open(str(tmp_path / "a.mp4")) as video:
        assert sum(1 for _ in video.decode(video=0)) == len(written) - 2


def test_a_killed_process_leaves_whole_lines_and_a_video_that_plays(long_video: Path, tmp_path: Path) -> None:
    process = started(long_video, tmp_path, frames=90)
    os.kill(process.pid, signal.SIGKILL)
    process.wait(timeout=60)
    written = lines(tmp_path / "a.jsonl")
    assert written[0]["type"] == "header"
    assert {line["type"] for line in written[1:]} == {"frame"}
    with av.open(str(tmp_path / "a.mp4")) as video:
        count = sum(1 for _ in video.decode(video=0))
    # The encoder looks ahead, and a piece is half a second.
    assert len(written) - 60 < count < len(written)


def test_elsewhere_than_on_a_terminal_progress_is_plain_lines(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("eatrack_edge.cli.console._EVERY_S", 0.0)
    err = run("track", SCENE, "--max-frames", 3, "--csv", "/dev/null").err.splitlines()
    assert len(err) == 3
    assert "3/3 frames" in err[-1]
    assert "fps, 0 s left, " in err[-1]


def test_on_a_terminal_progress_is_a_bar(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    assert "3/3" in run("track", SCENE, "--max-frames", 3).err
