from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from eatrack_edge.session.frame_result import tracked_record, untracked_record
from eatrack_edge.session.picture_size import PictureSize
from eatrack_edge.sources.base import SourceFrame
from eatrack_edge.sources.feed import LiveFrame
from eatrack_edge.tracking.lifecycle import TrackState
from eatrack_edge.tracking.reacquisition import Candidate
from eatrack_edge.tracking.result import Latency, TrackResult

FRAME = np.zeros((48, 64, 3), np.uint8)
FILED, LIVE = SourceFrame(7, 0.5, FRAME), LiveFrame(7, 0.5, FRAME, dropped=2)
STAGES = Latency(1.0, 2.0, 3.0, 4.0, 10.0)
LOST = TrackResult(
    (8.0, 8.0, 16.0, 8.0),
    0.1,
    TrackState.LOST,
    STAGES,
    last_reliable_box=(20.0, 10.0, 12.0, 8.0),
    candidates=(Candidate((40.0, 20.0, 12.0, 8.0), 0.6, True),),
)
FOUND = TrackResult((8.0, 8.0, 16.0, 8.0), 0.9, TrackState.TRACKING, STAGES)


@pytest.mark.parametrize("result", [FOUND, LOST], ids=["tracked", "lost"])
def test_a_frame_of_a_file_and_one_of_a_camera_have_the_same_record(result: TrackResult) -> None:
    filed, live = (tracked_record(shown, result, PictureSize.of(FRAME)) for shown in (FILED, LIVE))
    assert (filed.dropped, live.dropped) == (0, 2)
    assert replace(filed, dropped=0, wall_ns=0) == replace(live, dropped=0, wall_ns=0)
    assert filed.box == (None if result is LOST else (8.0, 8.0, 16.0, 8.0))


def test_every_box_is_in_pixels_of_the_frame_and_not_of_the_size_that_the_tracker_is_given() -> None:
    tracker_size = PictureSize(128, 96)
    assert tracked_record(LIVE, FOUND, tracker_size).box == (4.0, 4.0, 8.0, 4.0)
    lost = tracked_record(LIVE, LOST, tracker_size)
    assert lost.last_reliable_box == (10.0, 5.0, 6.0, 4.0)
    assert lost.candidates == [((20.0, 10.0, 6.0, 4.0), 0.6)]


def test_a_frame_that_the_tracker_was_not_given_has_no_confidence_and_no_times() -> None:
    record = untracked_record(LIVE, None, "WAITING", "there is no target")
    assert (record.box, record.state, record.template_note, record.dropped) == (
        None,
        "WAITING",
        "there is no target",
        2,
    )
    assert math.isnan(record.confidence)
    assert record.ms == {}
