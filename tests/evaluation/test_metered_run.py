"""Power is that of a simulated board: a folder of files laid out as its sensors are."""

from __future__ import annotations

import math
import re
import time
from pathlib import Path

import numpy as np
import pytest

from eatrack_edge.core.crops import Frame
from eatrack_edge.datasets.registry import open_dataset
from eatrack_edge.evaluation.baselines.base import BaselineResult
from eatrack_edge.evaluation.evaluate import Evaluation, Plan, evaluate
from eatrack_edge.evaluation.metered_run import run_metered
from eatrack_edge.evaluation.page import write_page
from eatrack_edge.evaluation.protocol import PROTOCOLS
from eatrack_edge.evaluation.runner import run_jobs
from eatrack_edge.evaluation.score_tables import evaluation_summary, overall_table
from eatrack_edge.evaluation.track_store import Track, TrackStore
from eatrack_edge.evaluation.tracker_protocol import SingleObjectTracker
from eatrack_edge.evaluation.trackers import TrackerSpec
from evaluation.standing import Slow
from machine import boards

pytest_plugins = ["machine.conftest"]

REST_W, WORK_W = 4.5, 9.0  # of VDD_IN, simulated


@pytest.fixture(autouse=True)
def _short_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("eatrack_edge.machine.energy.IDLE_S", 0.02)


@pytest.fixture
def simulated_load(nano: boards.Tree, monkeypatch: pytest.MonkeyPatch, importable: None) -> None:  # noqa: ARG001
    """The simulated board draws ``REST_W``, and from the first update on ``WORK_W``."""

    def draw(watts: float) -> None:
        folder = "sys/bus/i2c/drivers/ina3221/1-0040/hwmon/hwmon1"
        nano.write(f"{folder}/in1_input", 5000)
        nano.write(f"{folder}/curr1_input", round(watts * 200))

    working: list[bool] = []

    def update(tracker: Slow, _frame: Frame) -> BaselineResult:
        if not working:  # once: while it is written, a file is empty
            working.append(True)
            draw(WORK_W)
        time.sleep(0.05)
        return BaselineResult(tracker.box, 0.5)

    monkeypatch.setattr("standing.Slow.update", update)  # as jobs open it
    monkeypatch.setattr(Slow, "update", update)
    draw(REST_W)


def updates_of(tracker: SingleObjectTracker, frames: int) -> Track:
    tracker.init(np.zeros((8, 8, 3), np.uint8), (0.0, 0.0, 2.0, 2.0))
    for _ in range(frames):
        tracker.update(np.zeros((8, 8, 3), np.uint8))
    return Track(np.zeros((frames + 1, 4)), np.zeros(frames + 1), np.full(frames + 1, 0.05))


@pytest.mark.usefixtures("simulated_load")
def test_joules_are_those_of_the_updates_above_rest(nano: boards.Tree) -> None:
    track = run_metered(Slow(), REST_W, lambda tracker: updates_of(tracker, 12), nano.root)
    # 0.6 s of work; until the second sample, 0.2 s in, power rises along a line.
    assert track.joules == pytest.approx((WORK_W - REST_W) * 0.05 * 12 * 5 / 6, rel=0.25)


def test_without_rails_a_track_has_no_joules(pc: boards.Tree) -> None:
    assert math.isnan(run_metered(Slow(), 0.0, lambda tracker: updates_of(tracker, 1), pc.root).joules)


def run_on(tree: boards.Tree, images: Path, output: Path) -> Evaluation:
    specs = tuple(TrackerSpec(f"standing:{name}", label=name.lower()) for name in ("Slow", "Still"))
    plan = Plan(open_dataset("images", images, first_pixel=1), specs, PROTOCOLS["otb"], output)
    return evaluate(plan, lambda jobs, on_frames: run_jobs(jobs, 1, on_frames, tree.root))


def page(evaluation: Evaluation, path: Path) -> str:
    write_page(evaluation, {}, path, 0)
    return path.read_text()


@pytest.mark.usefixtures("simulated_load")
def test_a_board_that_measures_its_power_gets_accuracy_against_energy(
    nano: boards.Tree, images: Path, tmp_path: Path
) -> None:
    found = run_on(nano, images, tmp_path / "out")
    energy = evaluation_summary(found, {})["trackers"]["slow"]["energy"]
    assert 0 < energy["j_per_frame"] < (WORK_W - REST_W) * 0.1
    assert energy["method"].startswith("INA3221 rails")
    assert "J / frame" in overall_table(found)[0]
    chart = re.search(r'aria-label="success AUC over joules of an update">.*?</svg>', page(found, tmp_path / "a.html"))
    assert chart is not None
    assert ">slow 0." in chart[0]


@pytest.mark.usefixtures("simulated_load")
def test_a_finished_run_keeps_its_joules(nano: boards.Tree, images: Path, tmp_path: Path) -> None:
    first = run_on(nano, images, tmp_path / "out").trackers["slow"]
    again = run_on(nano, images, tmp_path / "out").trackers["slow"]
    assert again.tracks["near"].joules == first.tracks["near"].joules > 0


@pytest.mark.usefixtures("importable")
def test_without_a_power_sensor_the_page_does_not_mention_energy(pc: boards.Tree, images: Path, tmp_path: Path) -> None:
    found = run_on(pc, images, tmp_path / "out")
    assert evaluation_summary(found, {})["trackers"]["slow"]["energy"] is None
    assert "J / frame" not in overall_table(found)[0]
    assert "energy" not in page(found, tmp_path / "a.html")
    assert not list((tmp_path / "out").rglob("*.joules.txt"))


@pytest.mark.usefixtures("simulated_load")
def test_a_tracker_without_energy_is_listed_as_not_measured(nano: boards.Tree, images: Path, tmp_path: Path) -> None:
    run_on(nano, images, tmp_path / "out")
    for path in (tmp_path / "out/tracks/still").glob("*.joules.txt"):
        path.unlink()
    found = run_on(nano, images, tmp_path / "out")
    assert "Not measured: still." in page(found, tmp_path / "a.html")
    assert [row[-2] for row in overall_table(found) if row[0] == "still"] == ["-"]


def test_a_second_run_without_a_power_sensor_removes_the_joules(tmp_path: Path) -> None:
    store = TrackStore(tmp_path, "one")
    boxes, empty = np.ones((2, 4)), np.zeros(2)
    store.write("a", Track(boxes, empty, empty, joules=2.5), {})
    assert store.read("a").joules == 2.5
    store.write("a", Track(boxes, empty, empty), {})
    assert math.isnan(store.read("a").joules)
