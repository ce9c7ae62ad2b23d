"""What people's files, boxes and outputs do to ``track``."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from cli.conftest import Run
from cli.test_track import SCENE, images, lines
from eatrack_edge.outputs.base import FrameRecord
from eatrack_edge.outputs.video import VideoOutput
from sources.clips import damage, write_video

pytestmark = pytest.mark.usefixtures("opened_once")

BOX = "20,16,20,16"


def track_in_a_process(*arguments: object, shell: str = "") -> subprocess.CompletedProcess[str]:
    """Run the command by itself; ``shell`` is what its output is piped into."""
    command = [sys.executable, "-m", "eatrack_edge", "track", *map(str, arguments)]
    if not shell:
        return subprocess.run(command, capture_output=True, text=True, check=False)
    quoted = " ".join(f"'{part}'" for part in command)
    return subprocess.run(
        ["bash", "-c", f"{quoted} | {shell}; exit ${{PIPESTATUS[0]}}"], capture_output=True, text=True, check=False
    )


@pytest.fixture
def video(tmp_path: Path) -> Path:
    return write_video(tmp_path / "clip.mp4", [number / 30 for number in range(20)], g="1", bf="0")


def test_lost_frames_are_a_gap_in_the_results_and_a_line_in_the_summary(run: Run, tmp_path: Path, video: Path) -> None:
    damage(video, 7, 8)
    done = run("track", video, "--box", BOX, "--jsonl", tmp_path / "a.jsonl", "--otb", tmp_path / "a.txt")
    assert done.code == 0
    written = lines(tmp_path / "a.jsonl")
    assert [line for line in written if line["type"] == "gap"] == [
        {"type": "gap", "frame": 7, "frames": 2, "reason": "lost"}
    ]
    frames = {line["frame"]: line for line in written if line["type"] == "frame"}
    assert list(frames) == list(range(20))
    lost = [number for number, line in frames.items() if line.get("template_note") == "the frame is lost to damage"]
    assert lost == [7, 8]
    # In noise the target itself is soon LOST, and has no box then either.
    without_box = [number for number, line in frames.items() if line["box"] is None]
    assert without_box == [number for number, line in frames.items() if number in lost or line["state"] == "LOST"]
    assert frames[9]["pts_s"] == pytest.approx(9 / 30, abs=1e-3)
    assert (written[-1]["frames"], written[-1]["lost_frames"]) == (20, 2)
    rows = (tmp_path / "a.txt").read_text().splitlines()
    assert [number for number, row in enumerate(rows) if "nan" in row] == without_box
    assert "lost frames               2\n" in done.out
    assert "warning: 2 frames were lost to damage and 0 were damaged in part, the first is frame 7\n" in done.err


def test_a_later_start_reaches_beyond_a_damage(run: Run, tmp_path: Path, video: Path) -> None:
    damage(video, 3)
    assert run("track", video, "--box", BOX, "--start", 12, "--jsonl", tmp_path / "a.jsonl").code == 0
    assert [line["frame"] for line in lines(tmp_path / "a.jsonl")[1:-1]] == list(range(12, 20))


def test_a_video_that_was_cut_off_ends_with_exit_code_5_after_its_frames(run: Run, tmp_path: Path, video: Path) -> None:
    content = video.read_bytes()
    video.write_bytes(content[: content.index(b"mdat") + (len(content) - content.index(b"mdat")) // 2])
    done = run("track", video, "--box", BOX, "--jsonl", tmp_path / "a.jsonl")
    assert done.code == 5
    count = len(lines(tmp_path / "a.jsonl")) - 2
    assert f"--max-frames {count} stops before it" in done.err
    assert run("track", video, "--box", BOX, "--max-frames", count).code == 0


def test_a_picture_that_changes_its_size_midway_is_tracked_to_its_end(run: Run, tmp_path: Path) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (120, 160, 3), dtype=np.uint8)
    path, parts = tmp_path / "v.ts", []
    for size in ((160, 120), (96, 80)):
        parts.append(tmp_path / f"{size[0]}.ts")
        with VideoOutput(parts[-1], 30) as part:
            for number in range(10):
                part.write(FrameRecord(number, number / 30, None, 0.0), cv2.resize(noise, size))
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    done = run("track", path, "--box", "40,30,40,30", "--jsonl", tmp_path / "a.jsonl")
    assert done.code == 0
    written = lines(tmp_path / "a.jsonl")
    assert sum(line["type"] == "frame" for line in written) == 20
    assert [line for line in written if line["type"] == "size_change"] == [
        {"type": "size_change", "frame": 10, "from": [160, 120], "size": [96, 80]}
    ]


def test_the_range_of_thermal_pictures_is_in_the_header_and_may_be_given(run: Run, tmp_path: Path) -> None:
    (tmp_path / "t").mkdir()
    for number in range(3):
        noise = np.random.default_rng(number).integers(7000, 9000, (96, 128), dtype=np.uint16)
        cv2.imwrite(str(tmp_path / "t" / f"{number}.png"), noise)
    for name, options in (("a", []), ("b", ["--value-range", "7000,9500"])):
        path = tmp_path / f"{name}.jsonl"
        assert run("track", tmp_path / "t", "--box", "40,30,20,20", "--jsonl", path, *options).code == 0
    low, high = lines(tmp_path / "a.jsonl")[0]["value_range"]  # type: ignore[misc]
    assert 6800 < low < 7010 < 8990 < high < 9200  # type: ignore[has-type]
    assert lines(tmp_path / "b.jsonl")[0]["value_range"] == [7000.0, 9500.0]
    done = run("track", tmp_path / "t", "--box", "40,30,20,20", "--value-range", "9")
    assert (done.code, done.err) == (
        2,
        "error: --value-range needs two numbers, got `9`\nhint: for example: --value-range 7000,9000\n",
    )


@pytest.mark.parametrize(
    ("box", "options", "message"),
    [
        pytest.param(
            "0.25,0.25,0.125,0.083",
            [],
            "--box 0.25,0.25,0.125,0.083 is smaller than a pixel\nhint: are these fractions of the frame? --normalized",
            id="fractions",
        ),
        pytest.param(
            "90,60,0.125,0.083",
            [],
            "the box 90,60,0.125,0.083 is smaller than a pixel\n"
            "hint: a box is x,y,w,h in pixels of the frame, not in fractions of it",
            id="size in fractions",
        ),
        pytest.param(
            "90,60,110,80",
            [],
            "--box 90,60,110,80 lies mostly outside the frame, 160x120\n"
            "hint: are these the corners x1,y1,x2,y2? --box-format xyxy",
            id="corners",
        ),
        pytest.param(
            "0.6,0.6,0.8,0.8",
            ["--normalized"],
            "--box 0.6,0.6,0.8,0.8 lies mostly outside the frame, 160x120\n"
            "hint: are these the corners x1,y1,x2,y2? --box-format xyxy",
            id="corners in fractions",
        ),
        pytest.param(
            "40,30,20,10",
            ["--box-format", "xyxy"],
            "--box 40,30,20,10 has no size as corners\nhint: is it x,y,w,h? leave out --box-format xyxy",
            id="a size given as corners",
        ),
        pytest.param(
            "40,30,20,10",
            ["--normalized"],
            "--box 40,30,20,10 is not in fractions of the frame\nhint: leave out --normalized for pixels",
            id="pixels given as fractions",
        ),
    ],
)
def test_a_box_in_another_form_than_said_is_refused_with_the_option_that_was_meant(
    run: Run, tmp_path: Path, box: str, options: list[str], message: str
) -> None:
    done = run("track", images(tmp_path / "frames", 1), "--box", box, *options)
    assert done.code == 2
    assert done.err.endswith(f"error: {message}\n")


def test_a_target_that_leaves_the_frame_is_no_box_in_another_form(run: Run, tmp_path: Path) -> None:
    folder = images(tmp_path / "frames", 1)
    assert run("track", folder, "--box", "130,90,40,40", "--csv", "/dev/null").code == 0
    assert run("track", folder, "--box", "-20,-10,50,40", "--csv", "/dev/null").code == 0


@pytest.mark.parametrize("bad", ["box", "flat", "model", "backend", "source"])
def test_whatever_is_wrong_costs_no_file(run: Run, tmp_path: Path, bad: str) -> None:
    folder = images(tmp_path / "frames", 2)
    if bad == "flat":
        cv2.imwrite(str(folder / "0000.png"), np.zeros((120, 160, 3), np.uint8))
    (tmp_path / "old.jsonl").write_text("precious")
    wrong = {
        "box": ["--box", "900,30,20,10"],
        "flat": ["--box", "40,30,20,10"],
        "model": ["--box", "40,30,20,10", "--model", "eatrack_x"],
        "backend": ["--box", "40,30,20,10", "--backend", "tpu"],
        "source": ["--box", "40,30,20,10", "--start", 9],
    }[bad]
    new = tmp_path / "runs" / "new.mp4"
    done = run("track", folder, *wrong, "-o", new, "--jsonl", tmp_path / "old.jsonl", "--overwrite")
    assert done.code == 2
    assert not new.parent.exists()
    assert (tmp_path / "old.jsonl").read_text() == "precious"


def test_where_one_file_is_there_no_other_is_made(run: Run, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("precious")
    done = run("track", SCENE, "--jsonl", tmp_path / "a.jsonl", "--csv", tmp_path / "a.csv")
    assert done.code == 2
    assert [path.name for path in tmp_path.iterdir()] == ["a.csv"]


def test_two_outputs_at_one_path_are_refused(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    done = run("track", SCENE, "--csv", path, "--otb", tmp_path / "." / "a.txt")
    assert (done.code, done.err) == (
        2,
        f"error: {path}: named for two outputs\nhint: each output needs a file of its own\n",
    )
    assert run("track", SCENE, "--csv", "-", "--otb", "/dev/stdout").code == 2
    assert not path.exists()


def test_a_run_without_any_output_says_so_before_it_starts(run: Run) -> None:
    done = run("track", SCENE, "--max-frames", 1)
    assert done.err.startswith("warning: nothing will be kept: no output was asked for; -o out.mp4 or --jsonl ")
    assert "nothing will be kept" not in run("track", SCENE, "--max-frames", 1, "--csv", "/dev/null").err


def test_an_image_of_the_source_is_never_overwritten(run: Run, tmp_path: Path) -> None:
    folder = images(tmp_path / "frames", 2)
    done = run("track", folder, "--box", "40,30,20,10", "--otb", folder / "0001.png", "--overwrite")
    assert "is the source itself" in done.err


def test_a_pattern_without_quotes_is_told_so(run: Run, tmp_path: Path) -> None:
    folder = images(tmp_path / "frames", 3)
    done = run("track", *sorted(folder.iterdir()), "--box", "40,30,20,10")
    assert done.code == 2
    assert done.err == (
        f"error: 3 sources were named, from `{folder}/0000.png` to `{folder}/0002.png`; one is tracked at a time\n"
        f"hint: put a pattern in quotes, so that the shell leaves it alone: '{folder}/*.png'\n"
    )


@pytest.mark.parametrize("option", ["--jsonl", "--csv", "--otb"])
@pytest.mark.parametrize("path", ["-", "/dev/stdout"])
def test_an_output_on_standard_output_has_it_for_itself(option: str, path: str) -> None:
    done = track_in_a_process(SCENE, "--max-frames", 3, option, path)
    assert done.returncode == 0, done.stderr
    rows = done.stdout.splitlines()
    assert len(rows) == {"--jsonl": 5, "--csv": 4, "--otb": 3}[option]
    assert all(json.loads(row) for row in rows) if option == "--jsonl" else all("," in row for row in rows)
    assert "update ms p50" in done.stderr


def test_a_reader_that_leaves_is_one_error_and_every_other_output_is_finished(tmp_path: Path) -> None:
    scene = "test://?width=320&height=240&frames=40"
    done = track_in_a_process(
        scene, "--jsonl", "-", "-o", tmp_path / "a.mp4", "--csv", tmp_path / "a.csv", shell="head -n 2"
    )
    assert done.returncode == 3, done.stderr
    assert "Traceback" not in done.stderr
    assert [line for line in done.stderr.splitlines() if "rror" in line] == [
        "error: standard output: cannot be written: broken pipe"
    ]
    assert "hint: whoever read it has ended" in done.stderr
    rows = len((tmp_path / "a.csv").read_text().splitlines()) - 1
    with av.open(str(tmp_path / "a.mp4")) as video:
        assert sum(1 for _ in video.decode(video=0)) == rows


def test_a_reader_of_the_tables_that_leaves_is_no_error() -> None:
    done = track_in_a_process(SCENE, "--csv", "/dev/null", shell="true")
    assert (done.returncode, "Traceback" in done.stderr, "BrokenPipe" in done.stderr) == (0, False, False)


def test_a_pipe_with_a_name_takes_results_and_video(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "p.jsonl")
    os.mkfifo(tmp_path / "v.mp4")
    with (
        subprocess.Popen(["cat", str(tmp_path / "p.jsonl")], stdout=subprocess.PIPE) as reader,
        (tmp_path / "copy.mp4").open("wb") as copy,
        subprocess.Popen(["cat", str(tmp_path / "v.mp4")], stdout=copy) as copier,
    ):
        done = track_in_a_process(SCENE, "--jsonl", tmp_path / "p.jsonl", "-o", tmp_path / "v.mp4")
        assert done.returncode == 0, done.stderr
        assert len(reader.communicate()[0].splitlines()) == 8
        copier.wait()
    with av.open(str(tmp_path / "copy.mp4")) as video:
        assert sum(1 for _ in video.decode(video=0)) == 6


def test_a_name_that_is_not_utf_8_is_tracked_and_written_with_replacements(tmp_path: Path, video: Path) -> None:
    raw = os.fsencode(tmp_path) + b"/caf\xe9.mp4"
    os.rename(video, raw)  # noqa: PTH104  (a Path cannot be made of bytes)
    done = track_in_a_process(os.fsdecode(raw), "--box", BOX, "--max-frames", 2, "--save-dir", tmp_path / "runs")
    assert done.returncode == 0, done.stderr
    assert "warning: the name of the source is not UTF-8: results have it with replacements\n" in done.stderr
    (written,) = (tmp_path / "runs").glob("*/track.jsonl")
    assert lines(written)[0]["source"] == f"{tmp_path}/caf\ufffd.mp4"


def test_a_name_as_long_as_a_name_may_be_is_tracked_and_a_longer_one_is_refused(
    run: Run, tmp_path: Path, video: Path
) -> None:
    path = video.rename(tmp_path / f"{'é' * 125}.mp4")
    done = run("track", path, "--box", BOX, "--max-frames", 2, "--save-dir", tmp_path / "runs")
    assert done.code == 0, done.err
    (written,) = (tmp_path / "runs").glob("*/track.jsonl")
    assert written.parent.name.startswith("é" * 100 + "-20")
    for option in ("-o", "--save-dir"):
        long = tmp_path / f"{'x' * 300}.jsonl"
        done = run("track", path, "--box", BOX, "--max-frames", 2, option, long)
        assert (done.code, done.err.splitlines()[-1]) == (3, "hint: choose a shorter name")
        assert "cannot be written: file name too long" in done.err


def test_images_that_are_missing_are_said_to_be(run: Run, tmp_path: Path) -> None:
    folder = images(tmp_path / "frames")
    (folder / "0003.png").unlink()
    done = run("track", folder, "--box", "40,30,20,20", "--csv", tmp_path / "a.csv")
    assert done.code == 0
    assert "warning: images are missing after 0002.png: frames are counted as they are there" in done.err


def test_pixels_that_are_not_square_are_tracked_as_players_show_them(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "v.mp4"
    noise = np.random.default_rng(0).integers(0, 256, (96, 64, 3), dtype=np.uint8)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = 64, 96, "yuv420p"
        stream.codec_context.sample_aspect_ratio = Fraction(2, 1)
        for _ in range(3):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(noise, format="bgr24")))
        container.mux(stream.encode(None))
    assert run("track", path, "--box", "90,20,24,24", "--jsonl", tmp_path / "a.jsonl").code == 0
    assert lines(tmp_path / "a.jsonl")[0]["size"] == [128, 96]


def test_what_is_no_video_is_no_film(run: Run, tmp_path: Path) -> None:
    (tmp_path / "boat1.txt").write_text("392,327,155,319\n" * 50)
    done = run("track", tmp_path / "boat1.txt", "--box", BOX)
    assert (done.code, done.err) == (2, f"error: {tmp_path}/boat1.txt: not a video: it is a text file\n")
