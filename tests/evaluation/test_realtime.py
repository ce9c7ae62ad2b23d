from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from eatrack_edge.core.boxes import Box
from eatrack_edge.core.crops import Frame
from eatrack_edge.evaluation.baselines.base import BaselineResult
from eatrack_edge.evaluation.realtime import track_live
from eatrack_edge.evaluation.track_store import Track


class Timed:
    """Returns the frame's value as the box's x, and takes the given time; its clock runs only during updates."""

    def __init__(self, latencies_s: Iterator[float]) -> None:
        self._latencies_s = latencies_s
        self.now = 0.0

    def init(self, _frame: Frame, _box: Box) -> None:
        self.now += next(self._latencies_s)

    def update(self, frame: Frame) -> BaselineResult:
        self.now += next(self._latencies_s)
        return BaselineResult((float(frame[0, 0, 0]), 0.0, 5.0, 5.0), 0.5)


def live(latencies_ms: list[float], frames: int = 8, camera_fps: float = 10.0) -> Track:
    tracker = Timed(iter([value / 1000 for value in latencies_ms] + [1e-3] * frames))
    source_frames = (np.full((4, 4, 3), place, np.uint8) for place in range(frames))
    return track_live(tracker, source_frames, (99.0, 0.0, 5.0, 5.0), camera_fps, clock=lambda: tracker.now)


def looked_at(track: Track) -> list[int]:
    return [int(place) for place in np.flatnonzero(track.seconds)]


@pytest.mark.parametrize(
    ("latencies_ms", "expected"),
    [
        pytest.param([50] * 8, [0, 1, 2, 3, 4, 5, 6, 7], id="fast enough for every frame"),
        pytest.param([100] * 8, [0, 1, 2, 3, 4, 5, 6, 7], id="just fast enough"),
        pytest.param([150] * 8, [0, 1, 3, 4, 6, 7], id="half a frame too slow"),
        pytest.param([10, 250, 10, 10, 10, 10, 10], [0, 1, 3, 4, 5, 6, 7], id="one slow update"),
        pytest.param([350, 10, 10, 10, 10], [0, 3, 4, 5, 6, 7], id="a slow start"),
    ],
)
def test_the_newest_frame_is_taken_when_an_update_ends(latencies_ms: list[float], expected: list[int]) -> None:
    assert looked_at(live(latencies_ms)) == expected


def test_a_missed_frame_has_the_box_of_the_last_update_that_had_ended() -> None:
    track = live([10, 10, 250, 10, 10, 10, 10])  # frame 2's update runs from 200 to 450 ms: 3 is missed, 4 is taken
    assert track.boxes[:, 0].tolist() == [99, 1, 2, 1, 4, 5, 6, 7]


def test_a_missed_frame_has_no_latency_of_its_own() -> None:
    track = live([10, 10, 250, 10, 10, 10, 10])
    assert track.latency_ms.round().tolist() == [10, 250, 10, 10, 10, 10]
    assert track.missed_share == pytest.approx(1 / 7)


def test_no_frame_of_a_slower_camera_is_missed() -> None:
    assert live([150] * 8, camera_fps=5.0).missed_share == 0


def test_a_tracker_slower_than_the_whole_clip_keeps_its_initial_box() -> None:
    track = live([5000])
    assert track.boxes[:, 0].tolist() == [99] * 8
