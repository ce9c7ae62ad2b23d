"""UAV20L from its layout to the report: absence, attributes, long-term figures and the states of every frame."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from eatrack_edge.datasets.registry import open_dataset
from eatrack_edge.evaluation.evaluate import Evaluation, Plan, evaluate
from eatrack_edge.evaluation.long_term import has_absences, long_term, overlaps
from eatrack_edge.evaluation.long_term_tables import state_table, vot_table
from eatrack_edge.evaluation.protocol import PROTOCOLS
from eatrack_edge.evaluation.report import write_report
from eatrack_edge.evaluation.score_tables import evaluation_summary
from eatrack_edge.evaluation.track_store import Track
from eatrack_edge.evaluation.trackers import TrackerSpec
from eatrack_edge.machine.conditions import run_conditions

pytestmark = pytest.mark.usefixtures("importable")

FRAMES = 120  # at 30 a second
GONE = range(30, 75)  # 1.5 s


@pytest.fixture
def uav20l(tmp_path: Path) -> Path:
    """A target that stays where it is; blue is its number of frame, red is bright while it is there."""
    root = tmp_path / "UAV123"
    for name in ("bird1", "car9"):
        folder = root / "data_seq/UAV123" / name
        folder.mkdir(parents=True)
        for number in range(FRAMES):
            frame = np.full((40, 60, 3), 30, np.uint8)
            is_gone = name == "bird1" and number in GONE
            frame[10:20, 10:20] = (number, 0, 20 if is_gone else 230)
            cv2.imwrite(str(folder / f"{number + 1:06d}.png"), frame)
        annotations = root / "anno/UAV20L"
        (annotations / "att").mkdir(parents=True, exist_ok=True)
        rows = ["NaN,NaN,NaN,NaN" if name == "bird1" and k in GONE else "11,11,10,10" for k in range(FRAMES)]
        (annotations / f"{name}.txt").write_text("\n".join(rows) + "\n")
        flags = "0,0,0,0,0,0,1,0,0,0,0,0" if name == "bird1" else "0,0,0,0,0,0,0,0,0,0,0,0"
        (annotations / f"att/{name}.txt").write_text(flags + "\n")
    return root


@pytest.fixture
def evaluation(uav20l: Path, tmp_path: Path) -> Evaluation:
    specs = (TrackerSpec("standing:Careful", label="careful"), TrackerSpec("standing:Still", label="still"))
    return evaluate(Plan(open_dataset("uav20l", uav20l), specs, PROTOCOLS["otb"], tmp_path / "out"))


def test_absence_and_attributes_come_from_the_layout(evaluation: Evaluation) -> None:
    assert np.flatnonzero(evaluation.sequences["bird1"].absent).tolist() == list(GONE)
    assert evaluation.with_attribute("out of view") == ["bird1"]
    assert has_absences(evaluation)


def test_a_tracker_with_states_is_measured_from_the_loss_to_the_return(evaluation: Evaluation) -> None:
    found = long_term(evaluation)["careful"]
    assert found.states is not None
    # It says UNCERTAIN for 10 frames and then LOST, and REACQUIRED from the sixth frame on.
    assert found.states.silent == (1, 0.0, 0.0, 1.0)
    assert found.states.lost == (1, pytest.approx(10 / 30), pytest.approx(10 / 30), 1.0)
    assert found.states.found == found.states.near == (1, pytest.approx(5 / 30), pytest.approx(5 / 30), 1.0)
    assert (found.states.alarms.alarms, found.states.alarms.claimed, found.states.alarms.wrong) == (0, 0.0, 0)
    assert found.states.alarms.absent_minutes == pytest.approx(1.5 / 60)
    assert found.states.reports.lost_reported == pytest.approx(35 / 45)
    assert found.states.reports.good_reported == pytest.approx(5 / (2 * FRAMES - 2 - 45))
    # What it claims: of `bird1` all but the absent frames and five, of `car9` all; the box is always right.
    assert found.states.claimed == (1.0, pytest.approx((70 / 75 + 1) / 2))


def test_a_tracker_without_states_has_a_curve_alone(evaluation: Evaluation) -> None:
    found = long_term(evaluation)["still"]
    assert found.states is None
    assert found.curve is not None
    # Its confidence is the red of the target: above 0.9 exactly while there is one.
    assert found.curve.precision[found.curve.best] == pytest.approx(1.0)
    assert found.curve.recall[found.curve.best] == pytest.approx((74 / 75 + 119 / 120) / 2)


def test_tables_have_a_row_for_every_figure_and_never_for_what_does_not_happen(evaluation: Evaluation) -> None:
    found = long_term(evaluation)
    headings, *rows = vot_table(found)
    assert headings[:4] == ["tracker", "F-score", "precision", "recall"]
    assert [row[0] for row in rows] == ["careful", "still"]
    assert rows[1][-3:] == ["-", "-", "-"]
    table = dict(row for row in state_table(found))
    assert table[""] == "careful"
    assert table["target gone: LOST within 1 s"] == "100% of 1"
    assert table["target gone: until LOST, median / p90"] == "0.3 s / 0.3 s"
    assert table["false alarms per minute without a target"] == "0 (below 1.2e+02 at 95 %) in 0.0 min"
    assert table["wrong re-acquisitions per minute"].endswith("; 0 of 1")
    assert table["lost frames reported LOST"] == "77.8%"


def test_the_summary_and_the_page_show_them(
    evaluation: Evaluation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("eatrack_edge.evaluation.report.draw_plots", lambda *_: {})
    write_report(evaluation, tmp_path / "out", run_conditions(), failure_frames=0)
    summary: dict[str, Any] = json.loads((tmp_path / "out/summary.json").read_text())
    careful, still = (summary["trackers"][name]["long_term"] for name in ("careful", "still"))
    assert careful["states"]["delays_s"]["lost"] == {"cases": 1, "median": 0.333333, "p90": 0.333333, "soon": 1.0}
    assert careful["states"]["alarms"]["per_minute"] == 0
    assert still["states"] is None
    assert still["vot_lt"]["precision"] == 1.0
    page = (tmp_path / "out/report.html").read_text()
    assert "Losing the target and finding it again" in page
    assert "careful: LOST, frames 40 to 79" in page
    assert "target: absent, frames 30 to 74" in page
    assert len(re.findall('aria-label="states over frames"', page)) == 2


def test_a_stored_track_keeps_its_states(evaluation: Evaluation, uav20l: Path, tmp_path: Path) -> None:
    specs = (TrackerSpec("standing:Careful", label="careful"),)
    again = evaluate(Plan(open_dataset("uav20l", uav20l), specs, PROTOCOLS["otb"], tmp_path / "out"))
    assert again.trackers["careful"].reused == 2
    first, second = (part.trackers["careful"].tracks["bird1"].states for part in (evaluation, again))
    assert first is not None
    assert second is not None
    np.testing.assert_array_equal(first, second)
    assert evaluation.trackers["still"].tracks["bird1"].states is None


def test_without_absent_targets_there_are_no_long_term_figures(uav20l: Path, tmp_path: Path) -> None:
    (uav20l / "anno/UAV20L/bird1.txt").unlink()
    spec = TrackerSpec("standing:Careful", label="careful")
    found = evaluate(Plan(open_dataset("uav20l", uav20l), (spec,), PROTOCOLS["otb"], tmp_path / "out"))
    assert long_term(found) == {}
    assert "long_term" not in evaluation_summary(found, {})["trackers"]["careful"]


def test_a_true_box_that_begins_left_of_the_frame_is_present(evaluation: Evaluation) -> None:
    sequence = evaluation.sequences["car9"]
    sequence.truth[5] = (-3, 11, 10, 10)
    boxes = np.tile([10.0, 10, 10, 10], (FRAMES, 1))
    boxes[5] = (-4, 10, 10, 10)
    found = overlaps(sequence, Track(boxes, np.ones(FRAMES), np.ones(FRAMES)))
    assert found[5] == 1.0
