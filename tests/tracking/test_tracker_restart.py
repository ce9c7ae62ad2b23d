"""What `init` begins anew, and what a frame without evidence must not hold up."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from eatrack_edge.core.errors import InputError
from eatrack_edge.tracking.settings import TemplateSettings, TrackerSettings
from eatrack_edge.tracking.tracker import Tracker
from tracking.simulated import SimulatedBackend, scene

START = (145.0, 110.0, 30.0, 20.0)


def started(backend: SimulatedBackend, settings: TrackerSettings) -> Tracker:
    tracker = Tracker(backend, settings=settings)
    tracker.init(scene(160, 120), START)
    return tracker


def decisions(tracker: Tracker, frames: int) -> list[int]:
    """Numbers of the frames, from 1, on which a template decision was made."""
    events = [tracker.update(scene(160, 120)).template_event for _ in range(frames)]
    return [number for number, event in enumerate(events, start=1) if event]


def test_init_begins_to_count_frames_anew() -> None:
    tracker = started(SimulatedBackend(), TrackerSettings(templates=TemplateSettings(interval=5)))
    assert decisions(tracker, 8) == [5]
    tracker.init(scene(160, 120), START)
    assert decisions(tracker, 11) == [5, 10]
    assert [event.frame_index for event in tracker.templates.events] == [5, 10]


def black() -> Any:
    return np.zeros((240, 320, 3), np.uint8)


@pytest.mark.parametrize("is_broken", [False, True], ids=["a black frame", "an output that is not finite"])
def test_a_template_decision_that_is_due_is_made_on_a_frame_without_evidence(is_broken: bool) -> None:
    backend = SimulatedBackend()
    tracker = started(backend, TrackerSettings(templates=TemplateSettings(interval=5)))
    for _ in range(4):
        tracker.update(scene(160, 120))
    if is_broken:
        maps = backend.infer(np.zeros((128, 128, 3), np.uint8))
        backend.override = maps._replace(score_map=np.full_like(maps.score_map, np.nan))
    result = tracker.update(scene(160, 120) if is_broken else black())
    assert (result.confidence, bool(result.note)) == (0.0, True)
    event = result.template_event
    assert event is not None
    assert (event.frame_index, event.is_replaced) == (5, True)
    assert event.reason == f"replaced by frame {event.source_index}, the medoid of 4"
    assert [slots for _, slots in backend.encoded] == [[0, 1], [1]]
    assert result.latency_ms.total == pytest.approx(sum(result.latency_ms[:4]))


def test_a_frame_without_evidence_is_never_stored_itself() -> None:
    tracker = started(SimulatedBackend(), TrackerSettings(templates=TemplateSettings(interval=1)))
    event = tracker.update(black()).template_event
    assert event is not None
    assert event.reason == "kept: no frame reached confidence 0.7"


@pytest.mark.parametrize(
    "box",
    [
        None,
        5,
        "10,10,20,20",
        "abcd",
        b"abcd",
        ["10", "10", "20", "20"],
        [10, 10, 20, None],
        [[10, 10, 20, 20]],
        np.ones((4, 2)),
        [10, 10, 20, 1j],
        (10, 10, 20, float("inf")),
        {"x": 1, "y": 2, "w": 3, "h": 4},
    ],
)
def test_a_box_that_is_not_four_numbers_is_an_input_error(box: Any) -> None:
    tracker = Tracker(SimulatedBackend())
    with pytest.raises(InputError, match=r"^a box is four finite numbers \(x, y, w, h\), got "):
        tracker.init(scene(160, 120), box)


@pytest.mark.parametrize("box", [[145, 110, 30, 20], np.array([145, 110, 30, 20]), np.float32(START), START])
def test_a_box_may_be_any_four_numbers(box: Any) -> None:
    tracker = Tracker(SimulatedBackend())
    tracker.init(scene(160, 120), box)
    assert tracker.update(scene(160, 120)).box == pytest.approx(START, abs=1.0)
