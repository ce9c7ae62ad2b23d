from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from eatrack_edge.benchmarks.measure.selection_delay import (
    Plan,
    Selected,
    as_csv,
    differences,
    drawn_box,
    measure_selections,
    selection_times,
    success_table,
)
from eatrack_edge.core.boxes import Box, iou
from eatrack_edge.datasets.sequence import ImageFrames, Sequence
from eatrack_edge.tracking.lifecycle import TrackState
from eatrack_edge.tracking.result import Latency, TrackResult

FRAMES = 90
PLAN = Plan(camera_fps=30, per_sequence=3, update_ms=50)


class NearestSpot:
    """A tracker of the one bright spot, which it finds within a side of its last box."""

    def __init__(self) -> None:
        self.box: Box = (0.0, 0.0, 0.0, 0.0)
        self.updates = self.bridged = 0

    def init(self, frame: NDArray[Any], box: Box) -> None:
        assert frame.ndim == 3
        self.box = box

    def bridge(self, frames: Iterable[NDArray[Any]]) -> None:
        self.bridged += len(list(frames)) - 1

    def propose(self, frame: NDArray[Any], x: float, y: float) -> Box:
        raise NotImplementedError

    def restore_template(self, number: int) -> None:
        raise NotImplementedError

    def update(self, frame: NDArray[Any]) -> TrackResult:
        self.updates += 1
        x, y, w, h = cv2.boundingRect((frame[:, :, 0] > 128).astype(np.uint8))
        if abs(x - self.box[0]) <= self.box[2] and abs(y - self.box[1]) <= self.box[3]:
            self.box = (float(x), float(y), float(w), float(h))
        return TrackResult(self.box, 0.9, TrackState.TRACKING, Latency(0, 0, 0, 0, 0))


@pytest.fixture(scope="module")
def moving(tmp_path_factory: pytest.TempPathFactory) -> Sequence:
    """A spot of 8 px that moves 1 px a frame."""
    folder = tmp_path_factory.mktemp("moving")
    truth = np.array([(5 + number, 10, 8, 8) for number in range(FRAMES)], np.float64)
    paths = []
    for number, (x, y, w, h) in enumerate(truth.astype(int)):
        frame = np.zeros((32, 112, 3), np.uint8)
        frame[y : y + h, x : x + w] = 255
        paths.append(folder / f"{number:03d}.png")
        cv2.imwrite(str(paths[-1]), frame)
    return Sequence("images", "moving", ImageFrames(tuple(paths)), truth, first_pixel=0)


def test_a_target_that_moves_on_is_tracked_only_where_the_selection_is_taken_on_the_frame_that_was_seen(
    moving: Sequence,
) -> None:
    rows = list(measure_selections(NearestSpot(), [moving], PLAN))
    assert success_table(rows) == [
        (0.0, "seen", 3, 1.0),
        (0.3, "seen", 3, 1.0),
        (0.3, "newest", 3, 0.0),  # 9 px on, by a box of 8 px
        (0.3, "seen at once", 3, 1.0),
        (0.5, "seen", 3, 1.0),
        (0.5, "newest", 3, 0.0),
        (0.5, "seen at once", 3, 1.0),
        (1.0, "seen", 3, 1.0),
        (1.0, "newest", 3, 0.0),
        (1.0, "seen at once", 3, 1.0),
    ]
    assert len({row.frame for row in rows}) == 3


@pytest.mark.parametrize(
    ("update_ms", "updates"),
    [
        pytest.param(0, 30 + 30, id="every frame"),
        pytest.param(50, 18, id="every third or fourth frame on the way, two of three after it"),
        pytest.param(2000, 1, id="too slow to be live in time"),
    ],
)
def test_a_slow_tracker_misses_frames_while_it_works(moving: Sequence, update_ms: float, updates: int) -> None:
    tracker = NearestSpot()
    plan = Plan(delays_s=(1.0,), per_sequence=1, update_ms=update_ms)
    seen = next(iter(measure_selections(tracker, [moving], plan)))
    assert seen.taken_on == "seen"
    assert abs(tracker.updates - updates) <= 2
    assert (seen.overlap > 0.9) is (update_ms < 2000)


def test_the_time_of_leading_the_tracker_through_skipped_frames_counts(moving: Sequence) -> None:
    updates, bridged = [], []
    for bridge_ms in (0, 20):
        tracker = NearestSpot()
        plan = Plan(delays_s=(1.0,), per_sequence=1, update_ms=50, bridge_ms=bridge_ms)
        assert next(iter(measure_selections(tracker, [moving], plan))).taken_on == "seen"
        updates.append(tracker.updates)
        bridged.append(tracker.bridged)
    assert bridged[0] > 35  # frames on the way
    assert updates[1] < updates[0] - 4  # 0.8 s on the way, and 60 ms more a step of three frames


def test_the_control_runs_live_from_the_frame_that_was_seen_to_the_same_frame(moving: Sequence) -> None:
    looked_at: list[int] = []

    class Recording(NearestSpot):
        def update(self, frame: NDArray[Any]) -> TrackResult:
            looked_at.append(cv2.boundingRect((frame[:, :, 0] > 128).astype(np.uint8))[0] - 5)
            return super().update(frame)

    plan = Plan(delays_s=(0.5,), per_sequence=1, update_ms=50)
    rows = list(measure_selections(Recording(), [moving], plan))
    assert [row.taken_on for row in rows] == ["seen", "newest", "seen at once"]
    ends = [place for place, following in zip(looked_at, [*looked_at[1:], -1], strict=True) if following < place]
    assert ends == [rows[0].frame + 30] * 3
    control = looked_at[looked_at.index(ends[1], looked_at.index(ends[0]) + 1) + 1 :]
    assert control[0] == rows[0].frame - 15 + 3  # `init` takes 100 ms
    assert set(np.diff(control)) == {1, 2}


def test_a_camera_has_the_rate_of_each_sequence_unless_another_is_asked_for(moving: Sequence) -> None:
    slow = replace(moving, fps=10.0)
    assert Plan().at_rate_of(slow).camera_fps == 10
    assert Plan(camera_fps=30).at_rate_of(slow).camera_fps == 30
    newest = [
        row.overlap > 0.9
        for fps in (0, 30)
        for row in measure_selections(NearestSpot(), [slow], Plan((0.5,), camera_fps=fps, per_sequence=1))
        if row.taken_on == "newest"
    ]
    assert newest == [True, False]  # 5 frames and 15 frames late, by a box of 8 px that moves 1 px a frame


def test_late_selections_are_compared_with_the_same_times_and_the_error_is_over_sequences() -> None:
    rows = [
        Selected(sequence, frame, delay_s, taken_on, overlap)
        for sequence, late in (("a", (0.9, 0.1)), ("b", (0.9, 0.9)))
        for frame in (7, 9)
        for delay_s, taken_on, overlap in (
            (0.0, "seen", 0.9),
            (0.5, "seen", late[frame == 9]),
            (0.5, "seen at once", 0.9 if sequence == "b" else 0.2),
        )
    ]
    at_once, no_delay = differences(rows)
    assert (at_once.delay_s, at_once.reference, at_once.mean) == (0.5, "seen at once", 0.25)
    assert (no_delay.delay_s, no_delay.reference, no_delay.mean) == (0.5, "no delay", -0.25)
    # By hand: the sums of the deviations of "a" and "b" are -0.5 and 0.5; sqrt((0.25 + 0.25) * 2 / 1) / 4.
    assert no_delay.standard_error == pytest.approx(0.25)
    assert np.isnan(differences(rows[:6])[0].standard_error)


def test_selections_arrive_only_where_the_target_is_there_all_along(moving: Sequence) -> None:
    truth = moving.boxes.copy()
    assert selection_times(truth, PLAN) == [45, 37, 52]
    truth[15] = np.nan  # seen 1.0 s before frame 45
    assert 45 not in selection_times(truth, PLAN)
    assert selection_times(moving.boxes[:61], PLAN) == [30]
    assert selection_times(moving.boxes[:60], PLAN) == []


def test_a_drawn_box_is_near_the_true_one_and_the_same_each_time() -> None:
    true = (100.0, 50.0, 40.0, 20.0)
    boxes = [drawn_box(true, f"x:{number}") for number in range(50)]
    assert boxes[0] == drawn_box(true, "x:0")
    overlaps = iou(np.array(boxes), np.array([true] * 50))
    assert len(set(boxes)) == 50
    assert overlaps.min() > 0.8
    assert overlaps.max() < 1


def test_the_rows_are_written_as_a_table() -> None:
    rows = [Selected("a,b", 7, 0.3, "seen", 0.75)]
    assert list(csv.reader(io.StringIO(as_csv(rows)))) == [list(Selected._fields), ["a,b", "7", "0.3", "seen", "0.75"]]


def test_frames_that_cannot_be_read_are_an_error(moving: Sequence, tmp_path: Path) -> None:
    missing = Sequence("images", "gone", ImageFrames((tmp_path / "0.png",) * FRAMES), moving.truth, first_pixel=0)
    with pytest.raises(Exception, match=r"0\.png"):
        list(measure_selections(NearestSpot(), [missing], PLAN))
