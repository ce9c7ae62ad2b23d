from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from eatrack_edge.core.resources import bundled
from eatrack_edge.datasets.registry import open_dataset
from eatrack_edge.evaluation import evaluate as evaluate_module
from eatrack_edge.evaluation import identity, trackers
from eatrack_edge.evaluation.evaluate import Evaluation, Plan, evaluate, prepare
from eatrack_edge.evaluation.identity import tracker_identity
from eatrack_edge.evaluation.protocol import PROTOCOLS
from eatrack_edge.evaluation.runner import Job, Outcome
from eatrack_edge.evaluation.score_tables import evaluation_summary
from eatrack_edge.evaluation.track_store import Track, TrackStore
from eatrack_edge.evaluation.trackers import TrackerSpec
from eatrack_edge.tracking.settings import TrackerSettings

pytestmark = pytest.mark.usefixtures("importable")
COUNTED = TrackerSpec("standing:Counted", label="counted")


@pytest.fixture(autouse=True)
def started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Gets a line for each sequence that a tracker starts."""
    monkeypatch.setenv("COUNTED", str(tmp_path / "started"))
    (tmp_path / "started").touch()
    return tmp_path / "started"


def plan(images: Path, spec: TrackerSpec = COUNTED, first_pixel: int = 1) -> Plan:
    dataset = open_dataset("images", images, first_pixel=first_pixel)
    return Plan(dataset, (spec,), PROTOCOLS["otb"], images.parent / "out")


def lines(path: Path) -> int:
    return len(path.read_text().splitlines())


def replace_frame(images: Path) -> None:
    cv2.imwrite(str(images / "near/0003.png"), np.zeros((60, 160, 3), np.uint8))


def touch_frame(images: Path) -> None:
    os.utime(images / "near/0003.png", ns=(1, 1))


def rename_frame(images: Path) -> None:
    (images / "near/0003.png").rename(images / "near/03.png")


def mend_first_box(images: Path) -> None:
    path = images / "near.txt"
    path.write_text(path.read_text().replace("11,11,10,10", "12,11,10,10", 1))


def mend_last_box(images: Path) -> None:
    path = images / "near.txt"
    path.write_text("11,11,10,10\n" * 11 + "12,11,10,10\n")


@pytest.mark.parametrize(
    ("change", "part"),
    [
        (mend_first_box, "truth"),
        (mend_last_box, "truth"),
        (replace_frame, "frames"),
        (touch_frame, "frames"),
        (rename_frame, "frames"),
    ],
)
def test_a_sequence_that_changed_is_run_again_and_the_other_is_not(
    images: Path, started: Path, change: Callable[[Path], None], part: str
) -> None:
    evaluate(plan(images))
    change(images)
    work = prepare(plan(images))
    assert ([job.sequence.name for job in work.jobs], work.reused, work.changed) == (["near"], {"counted": 1}, [[part]])
    assert evaluate(plan(images)).trackers["counted"].reused == 1
    assert lines(started) == 3


@pytest.mark.parametrize(
    ("name", "value", "part"),
    [("__version__", "9.9", "eatrack_edge"), ("cv2.__version__", "9.9", "opencv"), ("np.__version__", "9", "numpy")],
)
def test_after_another_version_everything_is_run_again(
    images: Path, started: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str, part: str
) -> None:
    evaluate(plan(images))
    monkeypatch.setattr(f"eatrack_edge.evaluation.identity.{name}", value)
    assert prepare(plan(images)).changed == [[part], [part]]
    assert evaluate(plan(images)).trackers["counted"].reused == 0
    assert lines(started) == 4


@pytest.mark.parametrize(
    ("spec", "part"),
    [
        (replace(COUNTED, camera_fps=30), "camera_fps"),
        (replace(COUNTED, threads=2), "threads"),
        (replace(COUNTED, name="standing:Still"), "tracker"),
    ],
)
def test_another_option_of_the_run_is_another_track(images: Path, spec: TrackerSpec, part: str) -> None:
    evaluate(plan(images))
    assert prepare(plan(images, spec)).changed == [[part], [part]]


def test_another_first_pixel_and_another_frame_stride_are_other_tracks(images: Path) -> None:
    evaluate(plan(images))
    assert prepare(plan(images, first_pixel=0)).changed == [["truth"]] * 2
    strided = plan(images)
    work = prepare(replace(strided, dataset=strided.dataset.with_frame_stride(2)))
    assert work.changed == [["dataset", "frames", "truth"]] * 2


def test_an_own_tracker_that_was_edited_is_run_again(
    images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = tmp_path / "edited_tracker.py"
    module.write_text("from standing import Counted as Mine\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    spec = TrackerSpec("edited_tracker:Mine")
    evaluate(plan(images, spec))
    assert prepare(plan(images, spec)).jobs == []
    module.write_text("from standing import Counted as Mine  # edited\n")
    assert prepare(plan(images, spec)).changed == [["source"]] * 2


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """An export in a folder of its own."""
    folder = tmp_path / "model"
    folder.mkdir()
    for name in ("eatrack_s.template.onnx", "eatrack_s.track.onnx", "eatrack_s.safetensors"):
        source = bundled(name)
        assert source
        shutil.copy(source, folder)
    return folder


@pytest.mark.usefixtures("opened_once")
def test_another_setting_or_other_weights_of_our_tracker_are_noticed(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = TrackerSpec("eatrack", model=str(model))
    before = tracker_identity(spec)
    assert tracker_identity(spec) == before
    assert before["backend"].split()[0] + " version" in before

    class Changed(TrackerSettings):
        def __new__(cls, **settings: Any) -> TrackerSettings:  # type: ignore[misc]
            return TrackerSettings(size_rate=0.5, **settings)

    with monkeypatch.context() as context:
        context.setattr("eatrack_edge.tracking.settings.TrackerSettings", Changed)
        assert changed(before, tracker_identity(spec)) == {"settings"}
    assert changed(before, tracker_identity(replace(spec, name="eatrack_fixed"))) == {"tracker", "settings"}
    for name in ("eatrack_s.safetensors", "eatrack_s.track.onnx"):
        last = tracker_identity(spec)
        with (model / name).open("ab") as file:
            file.write(b"\x28\x00")  # in an ONNX file: model_version 0
        assert changed(last, tracker_identity(spec)) == {name}


@pytest.mark.usefixtures("opened_once")
def test_another_backend_or_version_of_it_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    spec = TrackerSpec("eatrack")
    before = tracker_identity(spec)
    opened = trackers.open_tracker(spec)
    package = before["backend"].split()[0]
    monkeypatch.setattr(f"{package}.__version__", "0.0")
    assert changed(before, tracker_identity(spec)) == {f"{package} version"}
    opened.backend.name = f"{package} (GPU)"  # type: ignore[attr-defined]
    monkeypatch.setattr(identity, "open_tracker", lambda _: opened)
    try:
        assert changed(before, tracker_identity(spec)) == {"backend", f"{package} version"}
    finally:
        opened.backend.name = before["backend"]  # type: ignore[attr-defined]


def changed(before: dict[str, str], after: dict[str, str]) -> set[str]:
    return {part for part in {**before, **after} if before.get(part) != after.get(part)}


def damage_identity(folder: Path) -> None:
    (folder / "near.identity.json").write_text("[]")


def remove_identity(folder: Path) -> None:
    (folder / "near.identity.json").unlink()


def cut_track(folder: Path) -> None:
    (folder / "near.csv").write_text("x,y,w,h,confidence,state\n10,10,10,10,nan,\n")


def older_track(folder: Path) -> None:
    """As versions without states wrote it."""
    path = folder / "near.csv"
    rows = [line.rpartition(",")[0] for line in path.read_text().splitlines()]
    path.write_text("\n".join(rows) + "\n")


def spoil_track(folder: Path) -> None:
    path = folder / "near.csv"
    path.write_text(path.read_text().replace("10,10,10,10", "10,10,ten,10"))


def cut_times(folder: Path) -> None:
    (folder / "near.times.txt").write_text("0.1\n")


@pytest.mark.parametrize("damage", [damage_identity, remove_identity, cut_track, older_track, spoil_track, cut_times])
def test_a_stored_track_that_is_damaged_is_run_again(
    images: Path, started: Path, damage: Callable[[Path], None]
) -> None:
    first = evaluate(plan(images))
    damage(images.parent / "out/tracks/counted")
    second = evaluate(plan(images))
    assert (lines(started), second.trackers["counted"].reused) == (3, 1)
    assert second.trackers["counted"].scores["near"].success_auc == first.trackers["counted"].scores["near"].success_auc


def test_a_job_without_an_outcome_is_not_scored_by_an_older_track(images: Path) -> None:
    evaluate(plan(images))
    mend_first_box(images)

    def lost(_jobs: list[Job], _on_frames: object) -> Iterator[Outcome]:
        return iter(())

    found = evaluate(plan(images), lost)
    assert found.trackers["counted"].skipped == {"near": "the run ended without a result"}
    assert list(found.trackers["counted"].scores) == ["far"]


def test_the_report_says_how_many_tracks_were_reused(images: Path) -> None:
    def reused(evaluation: Evaluation) -> int:
        return int(json.loads(json.dumps(evaluation_summary(evaluation, {})))["trackers"]["counted"]["reused"])

    assert reused(evaluate(plan(images))) == 0
    mend_first_box(images)
    assert reused(evaluate(plan(images))) == 1


def test_the_frames_are_stamped_before_they_are_tracked(images: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = evaluate_module.run_jobs

    def changed_meanwhile(jobs: list[Job], workers: int, on_frames: Callable[[int], None]) -> Iterator[Outcome]:
        yield from run(jobs, workers, on_frames)
        touch_frame(images)

    monkeypatch.setattr(evaluate_module, "run_jobs", changed_meanwhile)
    evaluate(plan(images))
    assert [job.sequence.name for job in prepare(plan(images)).jobs] == ["near"]


def test_a_stored_track_has_its_files_beside_it(tmp_path: Path) -> None:
    store = TrackStore(tmp_path, "still")
    assert not store.has("boat", 5, {"truth": "1"})
    store.write("boat", Track(np.ones((5, 4)), np.ones(5), np.ones(5)), {"truth": "1"})
    assert store.has("boat", 5, {"truth": "1"})
    assert not store.has("boat", 6, {"truth": "1"})
    assert not store.has("boat", 5, {"truth": "2"})
    assert sorted(path.name for path in store.folder.iterdir()) == ["boat.csv", "boat.identity.json", "boat.times.txt"]
