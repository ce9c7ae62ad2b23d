from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from eatrack_edge.core.boxes import Box, check_box
from eatrack_edge.core.crops import Frame
from eatrack_edge.core.errors import InputError, UsageError
from eatrack_edge.datasets.registry import open_dataset
from eatrack_edge.datasets.sequence import Sequence
from eatrack_edge.evaluation.baselines.base import BaselineResult
from eatrack_edge.evaluation.frame_reading import open_frames, read_frame
from eatrack_edge.evaluation.result_files import write_result
from eatrack_edge.evaluation.runner import Job, Outcome, run_jobs, run_sequence
from eatrack_edge.evaluation.track_store import Track, TrackStore
from eatrack_edge.evaluation.tracker_protocol import SingleObjectTracker
from eatrack_edge.evaluation.trackers import TrackerSpec, open_tracker
from evaluation.standing import Still

STILL = "standing:Still"
DIES = "standing:DiesOnRed"


pytestmark = pytest.mark.usefixtures("importable")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two sequences of five frames; the boxes count from pixel 1."""
    root = tmp_path / "data"
    for name, shade in (("boat", 10), ("car", 20)):
        (root / name).mkdir(parents=True)
        for number in range(5):
            cv2.imwrite(str(root / name / f"{number:04d}.png"), np.full((40, 60, 3), shade + number, np.uint8))
        (root / f"{name}.txt").write_text("11,11,8,8\n" * 5)
    return root


class Strict(Still):
    """Takes the first boxes that our tracker takes."""

    def init(self, frame: Frame, box: Box) -> None:
        self.box = check_box(box, frame.shape[1], frame.shape[0])


def sequences(folder: Path) -> list[Sequence]:
    return list(open_dataset("images", folder, first_pixel=1))


def still() -> SingleObjectTracker:
    return open_tracker(TrackerSpec(STILL))


def finished(outcomes: list[Outcome]) -> dict[str, Track]:
    return {outcome.job.sequence.name: outcome.track for outcome in outcomes if outcome.track}


def test_a_track_starts_at_the_true_box_and_has_a_row_a_frame(folder: Path) -> None:
    counted: list[int] = []
    track = run_sequence(still(), sequences(folder)[0], lambda: counted.append(1))
    assert track.boxes.tolist() == [[10, 10, 8, 8]] * 5
    assert np.isnan(track.confidence[0])
    assert track.confidence[1] == pytest.approx(11 / 255)
    assert (len(counted), (track.seconds > 0).all()) == (5, True)


@pytest.mark.parametrize("camera_fps", [0.0, 30.0])
@pytest.mark.parametrize(
    ("first", "given"),
    [
        pytest.param("-3,11,10,8", [-4, 10, 10, 8], id="over the border"),
        pytest.param("-7,11,10,8", [0, 10, 2, 8], id="mostly outside"),
    ],
)
def test_a_true_box_may_begin_outside_the_frame(
    folder: Path, first: str, given: list[float], camera_fps: float
) -> None:
    (folder / "boat.txt").write_text(f"{first}\n" + "11,11,8,8\n" * 4)
    tracker = Strict()
    sequence = sequences(folder)[0]
    assert run_sequence(tracker, sequence, camera_fps=camera_fps).boxes[0].tolist() == list(sequence.first_box)
    assert list(tracker.box) == given


def test_a_frame_stride_uses_only_every_nth_frame(folder: Path) -> None:
    strided = open_dataset("images", folder, first_pixel=1).with_frame_stride(2)
    sequence = strided.read("boat")
    assert (strided.kind, len(sequence)) == ("images-every-2", 3)
    with open_frames(sequence) as frames_read:
        assert [int(frame[0, 0, 0]) for frame in frames_read] == [10, 12, 14]
    assert len(run_sequence(still(), sequence).boxes) == 3


def test_a_perturbed_initial_box_moves_by_at_most_a_pixel_and_keeps_the_truth(folder: Path) -> None:
    dataset = open_dataset("images", folder, first_pixel=1)
    true = dataset.read("boat")
    assert dataset.with_perturbed_box(0).read("boat").first_box == true.first_box == (10, 10, 8, 8)
    perturbed = dataset.with_perturbed_box(2)
    sequence = perturbed.read("boat")
    assert perturbed.kind == "images-start-2"
    moved = np.subtract(sequence.first_box, true.first_box)
    assert 0 < np.abs(moved[:2]).min() <= np.abs(moved[:2]).max() <= 1
    assert moved[2:].tolist() == [0, 0]
    assert np.array_equal(sequence.truth, true.truth)
    assert run_sequence(still(), sequence).boxes[0].tolist() == list(sequence.first_box)
    assert (
        dataset.with_perturbed_box(2).read("boat").first_box
        == sequence.first_box
        != dataset.with_perturbed_box(3).read("boat").first_box
    )


def test_a_frame_stride_works_on_videos_as_on_images(tmp_path: Path) -> None:
    path = tmp_path / "boat.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"MJPG"), 10, (64, 48))
    for number in range(7):
        writer.write(np.full((48, 64, 3), 30 * number, np.uint8))
    writer.release()
    path.with_suffix(".txt").write_text("11,11,8,8\n" * 7)
    sequence = open_dataset("videos", tmp_path).with_frame_stride(3).read("boat")
    with open_frames(sequence) as frames_read:
        assert [round(float(frame.mean()) / 30) for frame in frames_read] == [0, 3, 6]
    assert round(float(read_frame(sequence, 2).mean()) / 30) == 6


@pytest.mark.parametrize("workers", [1, 2])
def test_results_do_not_depend_on_the_number_of_workers(folder: Path, tmp_path: Path, workers: int) -> None:
    counts: list[int] = []
    jobs = [Job(TrackerSpec(STILL), sequence) for sequence in sequences(folder)]
    tracks = finished(list(run_jobs(jobs, workers, counts.append)))
    assert sorted(tracks) == ["boat", "car"]
    store = TrackStore(tmp_path, "still")
    for name, track in tracks.items():
        store.write(name, track, {})
    assert store.path("boat").read_bytes().splitlines()[:3] == [
        b"x,y,w,h,confidence,state",
        b"10,10,8,8,nan,",
        b"10,10,8,8,0.04313725,",
    ]
    assert counts[-1] == 10


def test_an_unreadable_sequence_is_reported_and_the_others_continue(folder: Path) -> None:
    (folder / "boat" / "0003.png").write_bytes(b"not an image")
    outcomes = list(run_jobs([Job(TrackerSpec(STILL), sequence) for sequence in sequences(folder)], 1))
    assert list(finished(outcomes)) == ["car"]
    assert "0003.png" in next(outcome.reason for outcome in outcomes if outcome.track is None)


def test_a_worker_that_dies_loses_only_the_sequence_it_died_on(folder: Path) -> None:
    cv2.imwrite(str(folder / "boat" / "0003.png"), np.full((40, 60, 3), 255, np.uint8))
    outcomes = list(run_jobs([Job(TrackerSpec(DIES), sequence) for sequence in sequences(folder)], 2))
    assert list(finished(outcomes)) == ["car"]
    assert [o.reason for o in outcomes if o.track is None] == ["the worker process died, twice"]


@pytest.mark.parametrize("camera_fps", [0.0, 30.0])
def test_a_video_of_another_length_than_its_annotation_is_refused(folder: Path, camera_fps: float) -> None:
    sequence = sequences(folder)[0]
    longer = Sequence("videos", "boat", sequence.frames, np.repeat(sequence.truth[:1], 6, axis=0), 1)
    with pytest.raises(InputError, match="videos/boat: 5 frames but 6 true boxes"):
        run_sequence(still(), longer, camera_fps=camera_fps)
    shorter = Sequence("videos", "boat", sequence.frames, sequence.truth[:2], 1)
    with pytest.raises(InputError, match="videos/boat: 5 frames but 2 true boxes"):
        run_sequence(still(), shorter, camera_fps=camera_fps)


@pytest.mark.parametrize("camera_fps", [0.0, 1e-3])
@pytest.mark.parametrize("corners", ["31,16,47,30", "35,21,53,35"])
def test_true_boxes_that_are_corners_are_refused(folder: Path, corners: str, camera_fps: float) -> None:
    (folder / "boat.txt").write_text(f"{corners}\n" * 4 + "0,0,0,0\n")
    numbers = corners.replace(",", ".0, ") + ".0"
    with pytest.raises(InputError) as caught:
        run_sequence(still(), sequences(folder)[0], camera_fps=camera_fps)
    assert caught.value.message == (
        f"images/boat: true boxes, such as [{numbers}], reach beyond the frame, 60x40, and all fit as corners; "
        "they are to be x,y,w,h"
    )


@pytest.mark.parametrize("rows", ["21,11,38,28\n" * 5, "31,16,47,30\n" * 2 + "11,11,8,8\n" * 3])
def test_large_boxes_and_a_single_one_beyond_the_frame_are_no_corners(folder: Path, rows: str) -> None:
    (folder / "boat.txt").write_text(rows)
    assert len(run_sequence(still(), sequences(folder)[0]).boxes) == 5


@pytest.mark.parametrize("camera_fps", [0.0, 1e-3])
def test_a_sequence_whose_frames_change_size_midway_runs_to_its_end(folder: Path, camera_fps: float) -> None:
    for number in (3, 4):
        cv2.imwrite(str(folder / "boat" / f"{number:04d}.png"), np.full((20, 30, 3), 10 + number, np.uint8))
    sequence = sequences(folder)[0]
    sizes: list[tuple[int, ...]] = []

    class Watching:
        def init(self, frame: Frame, box: Box) -> None:
            sizes.append(frame.shape)
            self.box = box

        def update(self, frame: Frame) -> BaselineResult:
            sizes.append(frame.shape)
            return BaselineResult(self.box, 0.5)

    track = run_sequence(Watching(), sequence, camera_fps=camera_fps)
    assert set(sizes) == {(40, 60, 3)}
    # In pixels of each frame as it is stored, as the true boxes are.
    assert track.boxes.tolist() == [[10, 10, 8, 8]] * 3 + [[5, 5, 4, 4]] * 2


def test_an_unknown_tracker_is_refused() -> None:
    with pytest.raises(UsageError, match=r"no tracker called `siamfc`\nhint: known: eatrack, .*, or module:callable"):
        open_tracker(TrackerSpec("siamfc"))
    with pytest.raises(UsageError, match="no tracker called `vitrack`\nhint: did you mean `vittrack`"):
        open_tracker(TrackerSpec("vitrack"))
    with pytest.raises(UsageError, match="cannot open tracker `standing:Missing`"):
        open_tracker(TrackerSpec("standing:Missing"))


def test_a_baseline_without_its_weights_names_the_expected_path(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        open_tracker(TrackerSpec("vittrack", baselines=str(tmp_path)))
    expected = tmp_path / "vittrack" / "object_tracking_vittrack_2023sep.onnx"
    assert caught.value.message == f"vittrack: expected its weights at {expected}"
    with pytest.raises(InputError, match="nanotrack_v3 needs its published weights"):
        open_tracker(TrackerSpec("nanotrack_v3"))


def test_mil_returns_a_box_of_the_initial_size_without_confidence() -> None:
    frames = list(np.random.default_rng(0).integers(0, 255, (3, 80, 120, 3), dtype=np.uint8))
    tracker = open_tracker(TrackerSpec("mil"))
    tracker.init(frames[0], (20.0, 30.0, 20.0, 20.0))
    for frame in frames[1:]:
        output = tracker.update(frame)
        assert output.box[2:] == (20.0, 20.0)
        assert np.isnan(output.confidence)


@pytest.mark.parametrize(
    ("layout", "place", "first_line"),
    [
        ("otb", "still/boat.txt", "11.7000,11.0000,8.0000,8.0000"),
        ("pysot", "images/still/boat.txt", "11.7000,11.0000,8.0000,8.0000"),
        ("pytracking", "still/boat.txt", "11\t11\t8\t8"),
        ("got10k", "images/still/boat/boat_001.txt", "11.700,11.000,8.000,8.000"),
    ],
)
def test_result_files_have_the_format_of_the_toolkit(
    folder: Path, tmp_path: Path, layout: str, place: str, first_line: str
) -> None:
    sequence = sequences(folder)[0]
    track = Track(np.tile([10.7, 10, 8, 8], (5, 1)), np.full(5, 0.5), np.full(5, 0.01))
    path = write_result(tmp_path, layout, "still", sequence, track)
    assert path == tmp_path / place
    assert path.read_text().splitlines()[0] == first_line
    assert path.with_name("boat_time.txt").is_file() == (layout in ("pytracking", "got10k"))


def test_an_unknown_result_format_is_refused(folder: Path, tmp_path: Path) -> None:
    track = run_sequence(still(), sequences(folder)[0])
    for layout, hint in (("mine", "known formats: "), ("got10", "did you mean `got10k`")):
        with pytest.raises(UsageError, match=f"no result format `{layout}`\nhint: {hint}"):
            write_result(tmp_path, layout, "still", sequences(folder)[0], track)


def test_a_video_with_a_lost_frame_is_refused_and_not_scored_on_another_frame(tmp_path: Path) -> None:
    from sources.clips import damage, write_video

    damage(write_video(tmp_path / "boat.mp4", [number / 30 for number in range(8)], g="1", bf="0"), 3)
    (tmp_path / "boat.txt").write_text("9,9,20,20\n" * 8)
    sequence = open_dataset("videos", tmp_path).read("boat")
    with (
        pytest.raises(InputError, match="videos/boat: frame 3 is damaged and cannot be decoded"),
        open_frames(sequence) as frames,
    ):
        list(frames)
