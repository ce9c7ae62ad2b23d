from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from eatrack_edge.datasets.registry import open_dataset
from eatrack_edge.evaluation.evaluate import Evaluation, Plan, evaluate
from eatrack_edge.evaluation.protocol import PROTOCOLS
from eatrack_edge.evaluation.report import write_report
from eatrack_edge.evaluation.runner import FrameCount, Job, Outcome, run_jobs
from eatrack_edge.evaluation.score_tables import evaluation_summary, overall_table
from eatrack_edge.evaluation.track_store import TrackStore
from eatrack_edge.evaluation.trackers import TrackerSpec
from eatrack_edge.machine.conditions import run_conditions

pytestmark = pytest.mark.usefixtures("importable")


def plan(images: Path, tmp_path: Path, *names: str) -> Plan:
    specs = tuple(TrackerSpec(f"standing:{name}", label=name.lower()) for name in names)
    return Plan(open_dataset("images", images, first_pixel=1), specs, PROTOCOLS["otb"], tmp_path / "out", ("otb",))


@pytest.fixture
def evaluation(images: Path, tmp_path: Path) -> Evaluation:
    return evaluate(plan(images, tmp_path, "Shifted", "Still"))


def test_every_tracker_is_scored_on_every_sequence(evaluation: Evaluation) -> None:
    scores = evaluation.trackers["still"].scores
    assert sorted(scores) == ["far", "near"]
    assert scores["near"].success_auc == pytest.approx(20 / 21)
    # Overlaps of `far` are 1, 1/9, 0 ... and absent: one frame above 19 thresholds, one above 3 of 21.
    assert scores["far"].success_auc == pytest.approx((20 + 3) / 21 / 12)


def test_finished_sequences_are_not_run_again(images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COUNTED", str(tmp_path / "counted"))
    first = evaluate(plan(images, tmp_path, "Counted"))
    (tmp_path / "out/tracks/counted/far.csv").unlink()
    second = evaluate(plan(images, tmp_path, "Counted"))
    assert (tmp_path / "counted").read_text() == "started\n" * 3
    assert first.trackers["counted"].scores["far"].success_auc == second.trackers["counted"].scores["far"].success_auc


def test_a_sequence_that_cannot_be_read_is_left_out_with_its_reason(images: Path, tmp_path: Path) -> None:
    (images / "near.txt").write_text("1,2,3,4\n")
    found = evaluate(plan(images, tmp_path, "Still"))
    assert found.trackers["still"].skipped == {"near": "images/near: 12 frames but 1 true boxes"}
    assert list(found.trackers["still"].scores) == ["far"]


def test_result_files_score_the_same_as_the_run(evaluation: Evaluation, images: Path, tmp_path: Path) -> None:
    from eatrack_edge.evaluation.score_folder import score_folder

    scored = score_folder(images, tmp_path / "out/results/otb/still", PROTOCOLS["otb"])
    score = evaluation.trackers["still"].score(PROTOCOLS["otb"])
    assert score == scored.score


def test_the_summary_has_figures_conditions_and_no_nan(evaluation: Evaluation) -> None:
    summary: dict[str, Any] = json.loads(
        json.dumps(evaluation_summary(evaluation, run_conditions(workers=1)), allow_nan=False)
    )
    still = summary["trackers"]["still"]
    assert summary["protocol"] == "otb"
    assert still["per_sequence"]["near"] == {"success_auc": 0.952381, "precision_20px": 1.0, "frames": 12}
    assert still["latency"]["median_ms"] > 0
    assert still["calibration"]["lost_frames"] == 10
    assert summary["conditions"]["packages"]["numpy"] == np.__version__


def test_the_table_ranks_by_success(evaluation: Evaluation) -> None:
    headings, *rows = overall_table(evaluation)
    assert headings[:2] == ["tracker", "success AUC"]
    assert [row[0] for row in rows] == ["still", "shifted"]


def test_the_report_is_plots_and_one_self_contained_page(evaluation: Evaluation, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="matplotlib is not installed here")
    notes = write_report(evaluation, tmp_path / "out", run_conditions(), failure_frames=5)
    assert notes == []
    for name in ("success", "precision", "calibration"):
        assert (tmp_path / f"out/plots/{name}.png").read_bytes().startswith(b"\x89PNG")
        assert (tmp_path / f"out/plots/{name}.svg").is_file()
    page = (tmp_path / "out/report.html").read_text()
    loaded = re.findall(r'(?:src|href)="([^"]{1,30})', page)
    assert [address for address in loaded if not address.startswith(("#", "data:image/jpeg;base64,"))] == []
    assert "still and shifted lost the target at frame 2" in page
    assert "Frame 2: still and shifted lost the target." in page
    assert "the lowest overlap of still, 1.00; no tracker failed." in page
    assert page.count("<img") == 2


def test_a_report_without_failure_frames_contains_no_images(
    evaluation: Evaluation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("eatrack_edge.evaluation.report.draw_plots", lambda *_: {})
    write_report(evaluation, tmp_path / "out", run_conditions(), failure_frames=0)
    assert "<img" not in (tmp_path / "out/report.html").read_text()


def test_without_matplotlib_a_note_names_the_missing_package(
    evaluation: Evaluation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    notes = write_report(evaluation, tmp_path / "out", run_conditions(), failure_frames=0)
    assert notes[0].startswith("there are no plots for documents: cannot draw plots: matplotlib is not installed; ")
    assert "Success: share of frames with more overlap" in (tmp_path / "out/report.html").read_text()


def test_without_jinja2_the_report_has_figures_and_no_page(
    evaluation: Evaluation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import sys

    from eatrack_edge.reporting import html

    monkeypatch.setattr("eatrack_edge.evaluation.report.draw_plots", lambda *_: {})
    html._environment.cache_clear()
    monkeypatch.setitem(sys.modules, "jinja2", None)
    (note,) = write_report(evaluation, tmp_path / "out", run_conditions(), failure_frames=0)
    assert note == (
        "there is no page: cannot write an HTML page: jinja2 is not installed; pip install matplotlib jinja2"
    )
    assert (tmp_path / "out/summary.json").is_file()
    assert not (tmp_path / "out/report.html").exists()


def test_names_are_escaped_on_the_page(images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("eatrack_edge.evaluation.report.draw_plots", lambda *_: {})
    spec = TrackerSpec("standing:Still", label="<i>still")
    plan = Plan(
        open_dataset("images", images, first_pixel=1), (spec,), PROTOCOLS["otb"], tmp_path / "out", title="a & b"
    )
    write_report(evaluate(plan), tmp_path / "out", run_conditions(), failure_frames=1)
    page = (tmp_path / "out/report.html").read_text()
    assert "<i>still" not in page
    assert "&lt;i&gt;still" in page
    assert "<h1>Evaluation on a &amp; b</h1>" in page


def test_latencies_of_runs_that_shared_the_machine_are_marked_as_no_measurement(images: Path, tmp_path: Path) -> None:
    """Also in a run that resumes from both kinds, so that it does not mix their loads."""

    def beside(jobs: list[Job], on_frames: FrameCount) -> Iterator[Outcome]:
        for outcome in run_jobs(jobs, 1, on_frames):
            assert outcome.track is not None
            yield replace(outcome, track=replace(outcome.track, is_alone=False))

    wanted = plan(images, tmp_path, "Still")
    store = TrackStore(wanted.output, "still")
    alone = evaluate(wanted)
    assert "*" not in "".join(overall_table(alone)[1])
    assert evaluation_summary(alone, {})["trackers"]["still"]["latency"]["is_measurement"] is True
    store.path("far").unlink()
    mixed = evaluate(wanted, beside)
    assert mixed.trackers["still"].reused == 1
    headings, cells = overall_table(mixed)
    assert headings[8] == "fps (* not measured: other runs shared the machine)"
    assert all(cell.endswith("*") for cell in cells[6:9])
    assert evaluation_summary(mixed, {})["trackers"]["still"]["latency"]["is_measurement"] is False
    # Times of an earlier version say nothing of the load.
    times = store.folder / "near.times.txt"
    assert store.read("near").is_alone
    times.write_text("".join(line + "\n" for line in times.read_text().splitlines()[1:]))
    assert not store.read("near").is_alone
