from __future__ import annotations

import csv
import io
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
PLAN = Plan(per_sequence=3, update_ms=50)


class NearestSpot:
    """A tracker of the one bright spot, which it finds within a side of its last box."""

    def __init__(self) -> None:
        self.box: Box = (0.0, 0.0, 0.0, 0.0)
        self.updates = 0

    def init(self, frame: NDArray[Any], box: Box) -> None:
        assert frame.ndim == 3
        self.box = box

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
        (0.5, "seen", 3, 1.0),
        (0.5, "newest", 3, 0.0),
        (1.0, "seen", 3, 1.0),
        (1.0, "newest", 3, 0.0),
    ]
    assert len({row.frame for row in rows}) == 3


@pytest.mark.parametrize(
    ("update_ms", "updates"),
    [
        pytest.param(0, 10 + 30, id="every frame"),
        pytest.param(50, 10 + 9, id="two of three frames, after one second of catching up"),
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


def test_selections_arrive_only_where_the_target_is_there_all_along(moving: Sequence) -> None:
    truth = moving.boxes.copy()
    assert selection_times(truth, PLAN) == [42, 36, 48]
    truth[12] = np.nan  # seen 1.0 s before frame 42
    assert 42 not in selection_times(truth, PLAN)
    assert selection_times(truth[:60], PLAN) == []


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
