from __future__ import annotations

import json
from pathlib import Path

import pytest

from eatrack_edge.diagnosis.examine import CHECKS, Check, Diagnosis, examine
from eatrack_edge.diagnosis.findings import Finding
from machine import boards

RUNS = Finding("onnxruntime", "ok", "runs", facts={"runs_as": "onnxruntime (CPU)"})


def check_that_fails(_root: Path) -> list[Finding]:
    raise ZeroDivisionError("division by zero")


def check(*findings: Finding) -> Check:
    return lambda _root: list(findings)


def test_a_check_that_fails_does_not_silence_the_others(tmp_path: Path) -> None:
    diagnosis = examine(tmp_path, (check(RUNS), check_that_fails, check(Finding("disk", "ok", "room"))))
    assert [finding.subject for finding in diagnosis.findings] == ["onnxruntime", "that_fails", "disk"]
    failed = diagnosis.findings[1]
    assert (failed.state, failed.text) == ("problem", "could not be checked: ZeroDivisionError: division by zero")
    assert diagnosis.can_track


@pytest.mark.parametrize(
    ("findings", "backends", "can_track"),
    [
        pytest.param([RUNS], ("onnxruntime",), True, id="one backend runs"),
        pytest.param([RUNS, Finding("tensorrt", "note", "x", facts={"runs_as": "y"})], ("tensorrt", "onnxruntime"), True, id="TensorRT first"),
        pytest.param([RUNS, Finding("tensorrt", "problem", "x")], ("onnxruntime",), True, id="another is broken"),
        pytest.param([RUNS, Finding("packages", "problem", "x")], ("onnxruntime",), True, id="a conflict that does not hurt"),
        pytest.param([RUNS, Finding("opencv", "problem", "x")], ("onnxruntime",), False, id="no OpenCV"),
        pytest.param([RUNS, Finding("pyav", "problem", "x")], ("onnxruntime",), False, id="no PyAV"),
        pytest.param([Finding("openvino", "problem", "x", facts={"runs_as": "y"})], (), False, id="the only one is broken"),
    ],
)  # fmt: skip
def test_track_needs_a_backend_that_ran_and_what_reads_frames(
    findings: list[Finding], backends: tuple[str, ...], can_track: bool
) -> None:
    diagnosis = Diagnosis(tuple(findings))
    assert (diagnosis.backends, diagnosis.can_track) == (backends, can_track)


@pytest.mark.parametrize(
    ("board", "fix"),
    [(boards.pc, "pip install openvino"), (boards.orin_nano, "sudo apt install python3-libnvinfer")],
)
def test_a_machine_without_any_backend_is_told_which_to_install(tmp_path: Path, board: object, fix: str) -> None:
    diagnosis = examine(board(tmp_path).root, ())  # type: ignore[operator]
    (found,) = diagnosis.findings
    assert (found.state, found.text, found.fix) == ("problem", "none runs, so nothing can be tracked", fix)
    assert not diagnosis.can_track


def test_a_jetson_that_lacks_only_an_engine_is_told_to_build_it(tmp_path: Path) -> None:
    waiting = Finding("tensorrt", "note", "no engine is built yet", "eatrack-edge build eatrack_s")
    diagnosis = examine(boards.orin_nano(tmp_path).root, (check(waiting),))
    assert not diagnosis.can_track
    assert diagnosis.findings[-1].fix == "eatrack-edge build eatrack_s"


def test_the_json_says_the_same(tmp_path: Path) -> None:
    table = json.loads(json.dumps(examine(tmp_path, (check(RUNS),)).to_json()))
    assert (table["schema"], table["can_track"], table["backends"]) == ("eatrack-edge-doctor/1", True, ["onnxruntime"])
    assert table["findings"] == [
        {"subject": "onnxruntime", "state": "ok", "text": "runs", "fix": "", "facts": {"runs_as": "onnxruntime (CPU)"}}
    ]


@pytest.mark.parametrize("board", [boards.orin_nano, boards.orin_nx, boards.agx_orin, boards.pc])
def test_no_board_makes_a_check_of_the_machine_fail(tmp_path: Path, board: object) -> None:
    alone = tuple(one for one in CHECKS if one.__module__.rpartition(".")[2] in ("board_checks", "environment_checks"))
    assert len(alone) == 6
    found = examine(board(tmp_path).root, alone).findings  # type: ignore[operator]
    assert [finding.text for finding in found if finding.text.startswith("could not be checked")] == []
