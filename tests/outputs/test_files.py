from __future__ import annotations

import csv
import io
import json
import math
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eatrack_edge.core.errors import OutputError, UsageError
from eatrack_edge.outputs.base import FrameRecord
from eatrack_edge.outputs.csv import CsvOutput
from eatrack_edge.outputs.jsonl import JsonLinesOutput
from eatrack_edge.outputs.otb import OtbOutput
from eatrack_edge.outputs.video import VideoOutput

RECORD = FrameRecord(
    frame=12,
    pts_s=0.4004,
    box=(10.5, 20.25, 30.125, 40.0),
    confidence=0.91,
    wall_ns=1_700_000_000_000_000_000,
    template_updated=True,
    template_note="medoid of 5",
    ms={"infer": 8.03211, "total": 11.25},
    dropped=1,
)
LOST = FrameRecord(frame=13, pts_s=0.5, box=None, confidence=math.nan, state="LOST")


def _open(kind: str, path: Path, overwrite: bool = False) -> JsonLinesOutput | CsvOutput | OtbOutput | VideoOutput:
    if kind == "jsonl":
        return JsonLinesOutput(path, {"source": "x"}, overwrite=overwrite)
    if kind == "csv":
        return CsvOutput(path, overwrite=overwrite)
    if kind == "otb":
        return OtbOutput(path, overwrite=overwrite)
    return VideoOutput(path, 30, overwrite=overwrite)


KINDS = pytest.mark.parametrize("kind", ["jsonl", "csv", "otb", "mp4"])
PICTURE = np.zeros((32, 48, 3), np.uint8)


def test_json_lines_are_a_header_frames_and_a_summary(tmp_path: Path) -> None:
    with JsonLinesOutput(tmp_path / "t.jsonl", {"source": "a.mp4", "rotation_applied": 90}) as output:
        output.write(RECORD)
        output.write(LOST)
        output.write_summary({"frames": 2, "mean_iou": np.float32(0.5), "boxes": np.zeros(2), "file": Path("a")})
    lines = [json.loads(line) for line in (tmp_path / "t.jsonl").read_text().splitlines()]
    assert lines == [
        {"type": "header", "schema": "eatrack-edge/track/2", "source": "a.mp4", "rotation_applied": 90},
        {
            "type": "frame",
            "frame": 12,
            "pts_s": 0.4004,
            "wall_ns": 1_700_000_000_000_000_000,
            "box": [10.5, 20.25, 30.125, 40.0],
            "confidence": 0.91,
            "state": "TRACKING",
            "template_updated": True,
            "template_note": "medoid of 5",
            "ms": {"infer": 8.032, "total": 11.25},
            "dropped": 1,
        },
        {
            "type": "frame",
            "frame": 13,
            "pts_s": 0.5,
            "wall_ns": 0,
            "box": None,
            "confidence": None,
            "state": "LOST",
            "template_updated": False,
            "ms": {},
            "dropped": 0,
        },
        {"type": "summary", "frames": 2, "mean_iou": 0.5, "boxes": [0.0, 0.0], "file": "a"},
    ]


def test_json_lines_have_where_a_lost_target_was_last_seen_and_why_the_state_changed(tmp_path: Path) -> None:
    change = {"before": "UNCERTAIN", "reason": "no confidence of 0.5 for 8 frames", "evidence": {"confidence": 0.12}}
    record = FrameRecord(13, 0.5, None, 0.12, "LOST", last_reliable_box=(1, 2, 3.00049, 4), state_change=change)
    with JsonLinesOutput(tmp_path / "t.jsonl", {}) as output:
        output.write(record)
    line = json.loads((tmp_path / "t.jsonl").read_text().splitlines()[1])
    assert (line["box"], line["last_reliable_box"], line["state_change"]) == (None, [1, 2, 3, 4], change)


def test_json_lines_have_what_may_be_a_lost_target(tmp_path: Path) -> None:
    record = FrameRecord(13, 0.5, None, 0.12, "LOST", candidates=[((1, 2, 3.00049, 4), 0.62349)])
    with JsonLinesOutput(tmp_path / "a.jsonl", {}) as output:
        output.write(record)
        output.write(LOST)
    lines = [json.loads(line) for line in (tmp_path / "a.jsonl").read_text().splitlines()]
    assert lines[1]["candidates"] == [{"box": [1, 2, 3, 4], "probability": 0.6235}]
    assert "candidates" not in lines[2]


def test_a_value_that_json_does_not_have_is_a_fault_of_the_caller(tmp_path: Path) -> None:
    with pytest.raises(NotImplementedError, match="JSON has no object"):
        JsonLinesOutput(tmp_path / "t.jsonl", {"what": object()})


def test_a_killed_process_leaves_whole_lines(tmp_path: Path) -> None:
    code = (
        "import os, signal, sys; from pathlib import Path;"
        "from eatrack_edge.outputs.base import FrameRecord; from eatrack_edge.outputs.jsonl import JsonLinesOutput;"
        "output = JsonLinesOutput(Path(sys.argv[1]), {});"
        "[output.write(FrameRecord(n, n / 30, (1, 2, 3, 4), 0.5)) for n in range(5)];"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "t.jsonl")], check=False)
    assert done.returncode == -signal.SIGKILL
    lines = [json.loads(line) for line in (tmp_path / "t.jsonl").read_text().splitlines()]
    assert [line.get("frame") for line in lines] == [None, 0, 1, 2, 3, 4]


def test_csv_has_a_row_a_frame_with_empty_cells_for_what_is_unknown(tmp_path: Path) -> None:
    with CsvOutput(tmp_path / "t.csv") as output:
        output.write(RECORD)
        output.write(LOST)
    rows = list(csv.DictReader(io.StringIO((tmp_path / "t.csv").read_text())))
    assert list(rows[0].values()) == [
        *("12", "0.400400", "10.500", "20.250", "30.125", "40.000", "0.91000", "TRACKING", "1", "11.250")
    ]
    assert (rows[1]["x"], rows[1]["confidence"], rows[1]["total_ms"], rows[1]["state"]) == ("", "", "", "LOST")


def test_otb_has_a_sub_pixel_box_a_line(tmp_path: Path) -> None:
    with OtbOutput(tmp_path / "t.txt") as output:
        output.write(RECORD)
        output.write(LOST)
    assert (tmp_path / "t.txt").read_text() == "10.5000,20.2500,30.1250,40.0000\nnan,nan,nan,nan\n"


@given(st.lists(st.tuples(*[st.floats(-1e4, 1e4)] * 4), max_size=5))
def test_boxes_come_back_from_otb_to_a_ten_thousandth_of_a_pixel(tmp_path_factory, boxes) -> None:
    path = tmp_path_factory.mktemp("otb") / "t.txt"
    with OtbOutput(path) as output:
        for number, box in enumerate(boxes):
            output.write(FrameRecord(number, 0.0, box, 0.5))
    read = np.array([[float(side) for side in line.split(",")] for line in path.read_text().splitlines()])
    np.testing.assert_allclose(read.reshape(-1, 4), np.array(boxes).reshape(-1, 4), atol=5.1e-5)


@KINDS
def test_a_file_that_is_there_is_not_replaced_unless_told(tmp_path: Path, kind: str) -> None:
    path = tmp_path / f"out.{kind}"
    path.write_text("precious")
    with pytest.raises(UsageError) as caught:
        _open(kind, path)
    assert str(caught.value) == f"{path}: already there\nhint: --overwrite replaces it"
    assert caught.value.exit_code == 2
    assert path.read_text() == "precious"
    with _open(kind, path, overwrite=True) as output:
        output.write(RECORD, PICTURE)
    assert b"precious" not in path.read_bytes()


@KINDS
def test_the_folder_is_made_if_need_be(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "runs" / "1" / f"out.{kind}"
    with _open(kind, path) as output:
        output.write(RECORD, PICTURE)
    assert path.stat().st_size > 0


@KINDS
def test_a_folder_that_cannot_be_written_to_is_said_so(tmp_path: Path, kind: str) -> None:
    (tmp_path / "file").write_text("")
    path = tmp_path / "file" / f"out.{kind}"
    with pytest.raises(OutputError) as caught:
        _open(kind, path)
    assert caught.value.message.startswith(f"{path}: cannot be written: ")
    assert caught.value.exit_code == 3


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
@KINDS
def test_a_protected_folder_is_said_so(tmp_path: Path, kind: str) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(OutputError) as caught:
        _open(kind, tmp_path / f"out.{kind}")
    assert caught.value.hint == "choose a folder that you may write to"


@KINDS
def test_closing_twice_is_closing_once(tmp_path: Path, kind: str) -> None:
    output = _open(kind, tmp_path / f"out.{kind}")
    output.write(RECORD, PICTURE)
    output.close()
    output.close()


FULL = Path("/dev/full")
needs_full = pytest.mark.skipif(not FULL.exists(), reason="no /dev/full here")


@needs_full
@KINDS
def test_a_full_disk_is_two_lines_and_the_error_is_said_once(kind: str) -> None:
    picture = np.random.default_rng(0).integers(0, 255, (96, 128, 3), np.uint8)

    def run() -> None:
        with _open(kind, FULL, overwrite=True) as output:
            for number in range(60):
                output.write(FrameRecord(number, number / 30, (1, 2, 3, 4), 0.5), picture)

    with pytest.raises(OutputError) as caught:
        run()
    assert str(caught.value) == (
        "/dev/full: cannot be written: no space left on device\nhint: free some space, or write to another disk"
    )


@needs_full
@KINDS
def test_a_full_disk_does_not_hide_the_error_that_came_first(kind: str) -> None:
    def run() -> None:
        output = _open(kind, FULL, overwrite=True)
        with output:
            raise KeyboardInterrupt

    with pytest.raises((KeyboardInterrupt, OutputError)) as caught:
        run()
    # The text files with a heading meet the full disk before anything else can go wrong.
    assert caught.type is (OutputError if kind in ("jsonl", "csv") else KeyboardInterrupt)
