from __future__ import annotations

import json

import pytest

from cli.conftest import Run
from eatrack_edge.diagnosis.examine import Diagnosis
from eatrack_edge.diagnosis.findings import Finding

LONG = "sed -i 's/a/b/' " + "x" * 150 + "  # [bold] is not markup"
SICK = Diagnosis((
    Finding("board", "ok", "a board"),
    Finding("clocks", "note", "floating", "sudo jetson_clocks"),
    Finding("tensorrt", "problem", "not [visible]", LONG),
))  # fmt: skip


def test_this_machine_can_track_as_the_json_reports(run: Run) -> None:
    done = run("doctor", "--json")
    table = json.loads(done.out)
    assert (done.code, done.err) == (0, "")
    assert table["schema"] == "eatrack-edge-doctor/1"
    assert table["can_track"] is True
    by_subject = {finding["subject"]: finding for finding in table["findings"]}
    assert {
        "board",
        "memory",
        "python",
        "packages",
        "tensorrt",
        "openvino",
        "onnxruntime",
        "opencv",
        "pyav",
        "disk",
    } <= set(by_subject)
    assert by_subject["onnxruntime"]["facts"]["runs_as"].startswith("onnxruntime (")


def test_a_machine_that_cannot_track_exits_with_3(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("eatrack_edge.diagnosis.examine.examine", lambda: SICK)
    assert run("doctor", "--json").code == 3
    done = run("doctor")
    assert (done.code, done.err) == (3, "")
    assert done.out.endswith("track cannot run here yet\n")


def test_problems_are_listed_first_and_commands_are_never_wrapped(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("eatrack_edge.diagnosis.examine.examine", lambda: SICK)
    out = run("doctor").out
    assert [line.split()[:2] for line in out.splitlines()[:3]] == [
        ["ok", "board"],
        ["note", "clocks"],
        ["problem", "tensorrt"],
    ]
    assert "not [visible]" in out
    assert f"\n  {LONG}\n" in out
    assert out.index(LONG) < out.index("sudo jetson_clocks")


def test_a_healthy_machine_names_the_backend_that_track_takes(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    runs = Finding("openvino", "ok", "runs", facts={"runs_as": "openvino (CPU)"})
    monkeypatch.setattr("eatrack_edge.diagnosis.examine.examine", lambda: Diagnosis((runs,)))
    done = run("doctor")
    assert done.code == 0
    assert done.out.endswith("\ntrack runs here, on openvino\n")
