from __future__ import annotations

import math

import numpy as np
import pytest

from eatrack_edge.core.errors import UsageError
from eatrack_edge.tracking.settings import TemplateSettings, TrackerSettings
from eatrack_edge.tracking.tracker import Tracker
from tracking.simulated import SimulatedBackend, scene

START = (145.0, 110.0, 30.0, 20.0)


def flight(frames: int, slots: int = 2, policy: str = "medoid") -> Tracker:
    """A target that moves by a pixel a frame, whose second template is replaced every second frame."""
    settings = TrackerSettings(templates=TemplateSettings(policy=policy, interval=2))
    tracker = Tracker(SimulatedBackend(slots=slots), settings=settings)
    tracker.init(scene(160, 120), START)
    for step in range(1, frames + 1):
        tracker.update(scene(160 + step, 120))
    return tracker


def encoded(tracker: Tracker) -> list[tuple[np.ndarray, list[int]]]:
    assert isinstance(tracker.backend, SimulatedBackend)
    return tracker.backend.encoded


def test_the_log_has_each_template_with_its_frame_and_reason() -> None:
    tracker = flight(6)
    first, *others = tracker.templates
    assert (first.number, first.frame_index, first.reason) == (0, 0, "given to init")
    assert math.isnan(first.confidence)
    assert [template.number for template in others] == [1, 2, 3]
    assert [template.reason for template in others] == [
        f"replaced by frame {template.frame_index}, the medoid of 2" for template in others
    ]
    assert all(template.crop.shape == (64, 64, 3) and template.similarity > 0.9 for template in others)
    assert tracker.templates.shown == [first, others[-1]]


def test_an_earlier_template_can_be_shown_again() -> None:
    tracker = flight(6)
    wanted = list(tracker.templates)[1]
    tracker.restore_template(1)
    crop, slots = encoded(tracker)[-1]
    assert slots == [1]
    np.testing.assert_array_equal(crop, wanted.crop)
    assert tracker.templates.shown[1] is wanted
    event = tracker.templates.events[-1]
    assert (event.frame_index, event.is_replaced) == (6, True)
    assert event.reason == f"restored template 1, of frame {wanted.frame_index}"


def test_the_first_template_can_be_restored_and_is_never_replaced_itself() -> None:
    tracker = flight(2)
    tracker.restore_template(0)
    first = next(iter(tracker.templates))
    assert tracker.templates.shown == [first, first]
    assert all(0 not in slots for _, slots in encoded(tracker)[1:])


def test_what_was_stored_before_does_not_replace_a_restored_template() -> None:
    tracker = flight(3)  # frame 3 is stored, and the next decision is due at frame 4
    tracker.restore_template(0)
    assert isinstance(tracker.backend, SimulatedBackend)
    tracker.backend.confidence = 0.5  # too low to be stored
    event = tracker.update(scene(164, 120)).template_event
    assert event is not None
    assert event.reason == "kept: no frame reached confidence 0.7"
    assert tracker.templates.shown[1].number == 0


def test_the_log_keeps_the_first_and_the_newest_however_long_the_flight() -> None:
    tracker = flight(90)
    assert [template.number for template in tracker.templates] == [0, *range(15, 46)]
    with pytest.raises(UsageError, match="there is no template 14"):
        tracker.restore_template(14)


def test_another_target_begins_a_log_of_its_own() -> None:
    tracker = flight(4)
    tracker.init(scene(160, 120), START)
    assert [template.number for template in tracker.templates] == [0]


def test_without_a_target_or_a_second_slot_there_is_nothing_to_restore() -> None:
    for tracker in (Tracker(SimulatedBackend()), flight(2, slots=1)):
        with pytest.raises(UsageError, match="no second template to replace"):
            tracker.restore_template(0)


def test_if_the_template_cannot_be_encoded_the_old_one_stays() -> None:
    tracker = flight(4)
    before = tracker.templates.shown[1]

    def fail(*_: object) -> None:
        raise RuntimeError("no memory")

    tracker.backend.encode_template = fail  # type: ignore[method-assign]
    with pytest.raises(RuntimeError, match="no memory"):
        tracker.restore_template(1)
    assert tracker.templates.shown[1] is before
