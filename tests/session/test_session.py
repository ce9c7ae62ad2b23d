from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np
import pytest

import eatrack_edge
from eatrack_edge.core.boxes import Box
from eatrack_edge.session.session import Followed, Summary, follow
from eatrack_edge.sources.base import SourceFrame
from eatrack_edge.tracking.settings import TemplateSettings, TrackerSettings
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
def followed() -> list[Followed]:
    settings = TrackerSettings(templates=TemplateSettings(interval=4))
    return list(follow(Tracker(SimulatedBackend(), settings=settings), Moving(), START))  # type: ignore[arg-type]


def test_the_first_frame_has_the_given_box_and_no_score(followed: list[Followed]) -> None:
    record = followed[0].record
    assert record.box == START
    assert math.isnan(record.score)
    assert record.ms == {}


def test_every_frame_has_its_number_time_and_stages(followed: list[Followed]) -> None:
    assert [item.record.frame for item in followed] == list(range(10))
    assert followed[3].record.pts_s == pytest.approx(0.1)
    assert list(followed[3].record.ms) == ["decode", "crop", "infer", "post", "template", "total"]


def test_a_template_update_and_a_frame_without_evidence_say_so(followed: list[Followed]) -> None:
    updated = [item.record.frame for item in followed if item.record.template_updated]
    assert updated == [4, 8]
    assert followed[4].record.template_note.startswith("replaced by frame")
    assert followed[5].record.template_note == "the search window shows one flat colour"
    assert followed[5].record.state == "UNCERTAIN"


def test_the_summary_counts_what_was_measured(followed: list[Followed]) -> None:
    summary = Summary()
    for item in followed:
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
    assert table["mean_score"] == pytest.approx(0.9 * 8 / 9, abs=1e-3)


def test_a_summary_of_nothing_claims_nothing() -> None:
    summary = Summary()
    assert summary.update_fps is None
    assert set(summary.table("error: x")) == {"ended", "frames", "wall_s"}


def test_the_package_gives_the_tracker_only_when_asked() -> None:
    assert eatrack_edge.Tracker is Tracker
    with pytest.raises(AttributeError, match="has no attribute 'Trakcer'"):
        _ = eatrack_edge.Trakcer
