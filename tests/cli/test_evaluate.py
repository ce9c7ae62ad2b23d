from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import typer
from typer.testing import CliRunner, Result

from eatrack_edge.cli.evaluate import _specs, evaluate
from eatrack_edge.evaluation.trackers import TrackerSpec, open_tracker

STILL = "still_tracker:Still"
SOURCE = """
from typing import NamedTuple

class BaselineResult(NamedTuple):
    box: tuple
    confidence: float

class Still:
    def init(self, frame, box):
        self.box = box

    def update(self, frame):
        return BaselineResult(self.box, 0.5)
"""


@pytest.fixture(autouse=True)
def without_plots(monkeypatch: pytest.MonkeyPatch) -> None:
    """Plots take longer than all else here, and have tests of their own."""
    monkeypatch.setattr("eatrack_edge.evaluation.report.draw_plots", lambda *_: {})


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "still_tracker.py").write_text(SOURCE)
    monkeypatch.syspath_prepend(str(tmp_path))
    root = tmp_path / "data"
    for name in ("boat", "car"):
        (root / name).mkdir(parents=True)
        for number in range(4):
            cv2.imwrite(str(root / name / f"{number:03d}.png"), np.full((40, 60, 3), 40 * number, np.uint8))
        (root / f"{name}.txt").write_text("10,10,8,8\n" * 4)
    return root


def run(*arguments: object) -> Result:
    app = typer.Typer()
    app.command()(evaluate)
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def test_sequences_without_an_annotation_are_named_unless_others_were_asked_for(data: Path, tmp_path: Path) -> None:
    (data / "car.txt").unlink()
    command = ["--dataset", "images", data, "--tracker", "still_tracker:Still", "-o", tmp_path / "out"]
    assert "without an annotation, left out: car\n" in run(*command).stderr
    assert "without an annotation" not in run(*command, "--sequence", "boat").stderr


def test_result_files_are_scored_against_true_boxes(data: Path, tmp_path: Path) -> None:
    done = run("--truth", data, "--results", data, "--protocol", "pysot", "--json", tmp_path / "scores.json")
    assert done.exit_code == 0, done.output
    assert "protocol pysot: pysot-toolkit" in done.stdout
    figures = json.loads((tmp_path / "scores.json").read_text())
    assert figures["success_auc"] == pytest.approx(20 / 21)
    assert (figures["precision_20px"], figures["normalised_precision"], figures["sequences"]) == (1.0, 1.0, 2)


def test_the_default_protocol_is_stated(data: Path) -> None:
    assert run("--truth", data, "--results", data).stdout.startswith("protocol otb: OTB Matlab toolkit")


def test_a_missing_result_is_listed_and_raises_an_error(data: Path, tmp_path: Path) -> None:
    (tmp_path / "results").mkdir()
    (tmp_path / "results/boat.txt").write_text("10,10,8,8\n" * 4)
    done = run("--truth", data, "--results", tmp_path / "results", "--json", tmp_path / "scores.json")
    assert json.loads((tmp_path / "scores.json").read_text())["sequences"] == 1
    assert "left out: results, car: no result for `car`" in done.stderr
    assert "1 sequences were left out of the scores, the first is car" in str(done.exception)
    assert done.exit_code != 0


def test_a_dataset_is_run_scored_and_reported(data: Path, tmp_path: Path) -> None:
    arguments = ("--dataset", "images", data, "--tracker", STILL, "-o", tmp_path / "out", "--json", tmp_path / "s.json")
    done = run(*arguments, "--format", "got10k")
    assert done.exit_code == 0, done.output
    assert "still_tracker.Still" in done.stdout
    assert json.loads((tmp_path / "s.json").read_text())["trackers"]["still_tracker.Still"]["sequences"] == 2
    assert (tmp_path / "out/report.html").is_file()
    assert (tmp_path / "out/results/got10k/images/still_tracker.Still/boat/boat_001.txt").is_file()
    again = run(*arguments)
    assert "2 of 2 runs are already finished" in again.stderr


def test_an_unreadable_sequence_is_left_out_and_sets_the_exit_code(data: Path, tmp_path: Path) -> None:
    (data / "boat/002.png").write_bytes(b"")
    done = run("--dataset", "images", data, "--tracker", STILL, "-o", tmp_path / "out")
    assert "still_tracker.Still" in done.stdout
    assert "left out: still_tracker.Still, boat:" in done.stderr
    assert done.exit_code != 0


def test_where_nothing_could_be_scored_there_is_no_empty_report(data: Path, tmp_path: Path) -> None:
    for name in ("boat", "car"):
        (data / name / "002.png").write_bytes(b"")
    done = run("--dataset", "images", data, "--tracker", STILL, "-o", tmp_path / "out")
    assert done.stderr.count("left out: still_tracker.Still, ") == 2
    assert (done.exit_code != 0, done.stdout) == (True, "")
    assert not (tmp_path / "out/report.html").exists()
    assert "2 sequences were left out of the scores, the first is " in str(done.exception)


def test_one_sequence_can_be_chosen(data: Path, tmp_path: Path) -> None:
    done = run("--dataset", "images", data, "--tracker", STILL, "-o", tmp_path / "out", "--sequence", "car")
    assert done.exit_code == 0, done.output
    assert [path.name for path in sorted((tmp_path / "out/tracks/still_tracker.Still").glob("*.csv"))] == ["car.csv"]
    assert "images has no sequence `bike`" in str(run("--dataset", "images", data, "--sequence", "bike").exception)


def test_a_suite_names_trackers_and_sequences(data: Path, tmp_path: Path) -> None:
    suite = tmp_path / "mine.toml"
    suite.write_text(f'kind = "images"\ntrackers = ["{STILL}"]\nsequences = ["boat"]\nprotocol = "lasot"\n')
    done = run("--suite", suite, data, "-o", tmp_path / "out")
    assert done.exit_code == 0, done.output
    assert done.stdout.startswith("protocol lasot")


def test_clips_are_spliced_and_the_loss_is_reported_in_one_command(tmp_path: Path, data: Path) -> None:
    for name, frames in (("boat", 100), ("car", 100), ("kite", 20)):
        (data / name).mkdir(exist_ok=True)
        for number in range(frames):
            cv2.imwrite(str(data / name / f"{number:03d}.png"), np.full((40, 60, 3), number, np.uint8))
        (data / f"{name}.txt").write_text("10,10,8,8\n" * frames)
    arguments = ("--dataset", "images", data, "--tracker", STILL, "-o", tmp_path / "out", "--json", tmp_path / "s.json")
    done = run(*arguments, "--splice", 0.2, "--splices", 2)
    assert done.exit_code == 0, done.output
    assert "too short for a splice of 0.2 s, left out: kite" in done.output
    assert "long-term tracking, as VOT-LT scores it" in done.stdout
    summary = json.loads((tmp_path / "s.json").read_text())
    assert (summary["dataset"], summary["sequences"]) == ("images-spliced-0.2s", 4)
    assert summary["conditions"]["splice_seconds"] == 0.2
    assert summary["trackers"]["still_tracker.Still"]["long_term"]["vot_lt"]["precision"] < 1
    assert (tmp_path / "out/tracks/still_tracker.Still/boat-splice-2.csv").is_file()


def test_a_suite_may_splice_its_sequences(tmp_path: Path) -> None:
    from eatrack_edge.datasets.spliced import Splice
    from eatrack_edge.evaluation.suite import load_suite

    suite = tmp_path / "mine.toml"
    suite.write_text('kind = "images"\ntrackers = ["eatrack"]\n[splice]\nseconds = 2\n')
    assert load_suite(str(suite)).splice == Splice(seconds=2.0)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "nothing to evaluate: give either --dataset KIND PATH"),
        (("--truth", "a"), "scoring files needs --truth and --results"),
        (("--truth", "a", "--results", "b", "--protocol", "vot"), "no protocol called `vot`"),
        (("--dataset", "vot", "."), "no dataset called `vot`"),
        (("--suite", "nowhere", "."), "no suite called `nowhere`\nhint: known suites: "),
        (("--suite", "uav_dev_", "."), "no suite called `uav_dev_`\nhint: did you mean `uav_dev`"),
    ],
)
def test_usage_errors_are_refused(arguments: tuple[str, ...], message: str) -> None:
    assert message in str(run(*arguments).exception)


def test_a_refinement_is_of_our_tracker_and_has_results_of_its_own(data: Path) -> None:
    done = run("--dataset", "images", data, "--refinement", "vitrack")
    assert "no refinement called `vitrack`\nhint: did you mean `vittrack`?" in str(done.exception)
    specs = _specs(TrackerSpec("", "eatrack_s", refinement="vittrack"), ["eatrack", "mil"])
    assert [spec.title for spec in specs] == ["eatrack_s_refinement_vittrack", "mil"]
    assert open_tracker(specs[0]).refinement.name.startswith("vittrack (")  # type: ignore[attr-defined]


def test_an_unknown_tracker_is_refused_before_any_work(data: Path) -> None:
    assert "no tracker called `siamfc`" in str(run("--dataset", "images", data, "--tracker", "siamfc").exception)


def test_every_shipped_suite_loads() -> None:
    from eatrack_edge.core.resources import resource_folder
    from eatrack_edge.evaluation.suite import load_suite

    names = [path.stem for path in resource_folder("benchmarks/suites").glob("*.toml")]
    assert "uav_dev" in names
    assert all(load_suite(name).trackers for name in names)


def test_a_live_camera_has_a_folder_of_its_own_and_is_in_the_report(data: Path, tmp_path: Path) -> None:
    arguments = ("--dataset", "images", data, "--tracker", STILL, "--realtime", "30", "--json", tmp_path / "s.json")
    done = run(*arguments, "-o", tmp_path / "out")
    assert done.exit_code == 0, done.output
    figures = json.loads((tmp_path / "s.json").read_text())
    assert figures["conditions"]["camera_fps"] == 30
    assert 0 <= figures["trackers"]["still_tracker.Still"]["missed_share"] < 1
    page = (tmp_path / "out/report.html").read_text()
    assert "A live camera of 30 frames a second" in page
    assert 'aria-label="success AUC over median ms of an update"' in page
    waiting = run("--dataset", "images", data, "--tracker", STILL, "-o", tmp_path / "out")
    assert "2 tracks in " in waiting.stderr
    assert " are run again, changed since: camera_fps\n" in waiting.stderr


def test_a_frame_stride_is_another_dataset_with_faster_motion(data: Path, tmp_path: Path) -> None:
    arguments = ("--dataset", "images", data, "--tracker", STILL, "-o", tmp_path / "out")
    done = run(*arguments, "--every", "3", "--json", tmp_path / "s.json")
    assert done.exit_code == 0, done.output
    figures = json.loads((tmp_path / "s.json").read_text())
    assert figures["conditions"]["every"] == 3
    assert "are run again, changed since: dataset, frames, truth\n" in run(*arguments).stderr


def test_a_perturbed_initial_box_is_another_dataset(data: Path, tmp_path: Path) -> None:
    arguments = ("--dataset", "images", data, "--tracker", STILL, "-o", tmp_path / "out")
    done = run(*arguments, "--start", "2", "--json", tmp_path / "s.json")
    assert done.exit_code == 0, done.output
    assert json.loads((tmp_path / "s.json").read_text())["conditions"]["start"] == 2
    assert "are run again, changed since: dataset, truth\n" in run(*arguments).stderr


def test_with_several_workers_a_note_explains_why_energy_is_not_measured(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arguments = ("--dataset", "images", data, "--tracker", STILL, "-o", tmp_path / "out", "--workers")
    assert "energy" not in run(*arguments, 1).stderr
    monkeypatch.setattr("eatrack_edge.machine.power.read_rails", lambda: ("a simulated rail",))
    expected = "energy is not measured: power is that of the whole board; use --workers 1\n"
    assert expected in run(*arguments, 2).stderr
