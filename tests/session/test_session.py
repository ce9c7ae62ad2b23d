from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from eatrack_edge.core.boxes import Box
from eatrack_edge.session.session import TrackedFrame, track
from eatrack_edge.session.summary import Summary
from eatrack_edge.sources.base import SourceFrame
from eatrack_edge.tracking.settings import LifecycleSettings, ReacquisitionSettings, TemplateSettings, TrackerSettings
from eatrack_edge.tracking.tracker import Tracker
from tracking.simulated import SimulatedBackend, scene

START: Box = (145.0, 110.0, 30.0, 20.0)


class Moving:
    """Ten frames of the red patch, black on the sixth; the truth is known."""

    def __iter__(self) -> Iterator[SourceFrame]:
        for index in range(10):
            frame = np.zeros((240, 320, 3), np.uint8) if index == 5 else scene(160 + index, 120)
            yield SourceFrame(index, index / 30, frame, (145.0 + index, 110.0, 30.0, 20.0), 1.0)


@pytest.fixture
def tracked() -> list[TrackedFrame]:
    settings = TrackerSettings(templates=TemplateSettings(interval=4))
    return list(track(Tracker(SimulatedBackend(), settings=settings), Moving(), START))  # type: ignore[arg-type]


def test_the_first_frame_has_the_given_box_and_no_confidence(tracked: list[TrackedFrame]) -> None:
    record = tracked[0].record
    assert record.box == START
    assert math.isnan(record.confidence)
    assert record.ms == {}


def test_every_frame_has_its_number_time_and_stages(tracked: list[TrackedFrame]) -> None:
    assert [item.record.frame for item in tracked] == list(range(10))
    assert tracked[3].record.pts_s == pytest.approx(0.1)
    assert list(tracked[3].record.ms) == ["decode", "crop", "infer", "post", "template", "total"]


def test_a_template_update_and_a_frame_without_evidence_say_so(tracked: list[TrackedFrame]) -> None:
    updated = [item.record.frame for item in tracked if item.record.template_updated]
    assert updated == [4, 8]
    assert tracked[4].record.template_note.startswith("replaced by frame")
    assert tracked[5].record.template_note == "the search region shows one flat colour"
    assert tracked[5].record.state == "UNCERTAIN"


def test_the_summary_counts_what_was_measured(tracked: list[TrackedFrame]) -> None:
    summary = Summary()
    for item in tracked:
        summary.add(item)
    table = summary.table("end of source")
    assert (table["ended"], table["frames"], table["uncertain_frames"], table["template_updates"]) == (
        "end of source",
        10,
        1,
        2,
    )
    assert 0.7 < float(str(table["mean_overlap"])) <= 1
    assert table["frames_over_half_overlap"] == 1.0
    assert table["mean_confidence"] == pytest.approx(0.9 * 8 / 9, abs=1e-3)


def test_a_lost_target_has_no_box_and_is_counted() -> None:
    backend = SimulatedBackend()
    backend.model_spec = replace(backend.model_spec, confidence_scale=1.01)
    settings = TrackerSettings(
        lifecycle=LifecycleSettings(lost_after=2), reacquisition=ReacquisitionSettings(verification_frames=3)
    )
    summary, states, boxes, lost_at = Summary(), [], [], START
    for item in track(Tracker(backend, settings=settings), Moving(), START):  # type: ignore[arg-type]
        backend.confidence = 0.1 if 1 <= item.record.frame < 4 else 0.9
        summary.add(item)
        states.append(str(item.record.state)[0])
        boxes.append(item.record.box)
        if item.record.state == "LOST":
            assert item.record.last_reliable_box == lost_at
        lost_at = item.record.box if item.record.state == "TRACKING" else lost_at
    assert "".join(states) == "TTULLLLLLR"  # frame 5 shows one flat colour
    assert [box is None for box in boxes] == [state == "L" for state in states]
    table = summary.table("end of source")
    names = ("uncertain_frames", "target_lost_frames", "times_lost", "times_reacquired")
    assert [table[name] for name in names] == [1, 6, 1, 1]


def test_a_summary_of_nothing_claims_nothing() -> None:
    summary = Summary()
    assert summary.update_fps is None
    assert set(summary.table("error: x")) == {"ended", "frames", "wall_s"}
