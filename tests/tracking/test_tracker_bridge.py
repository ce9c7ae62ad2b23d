"""``Tracker.bridge``: a target that is out of reach for the network is followed through the frames between."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from eatrack_edge.core.boxes import Box
from eatrack_edge.core.crops import Frame
from eatrack_edge.core.errors import InputError, UsageError
from eatrack_edge.tracking.settings import MotionSettings, TrackerSettings
from eatrack_edge.tracking.tracker import Tracker
from tracking.simulated import SimulatedBackend, scene

SIDE = 20
STEP = 23  # pixels a frame: more than a side
START: Box = (30.0, 110.0, float(SIDE), float(SIDE))


def frame_at(number: int) -> Frame:
    """A red target with a pattern, which passes over a textured ground."""
    frame = scene(0, 0, 0, 0, width=400)
    x, y = int(START[0]) + STEP * number, int(START[1])
    pattern = np.random.default_rng(5).integers(160, 256, (SIDE, SIDE), np.uint8)
    frame[y : y + SIDE, x : x + SIDE] = np.stack([pattern // 5, pattern // 4, pattern], axis=-1)
    return frame


def calibrated() -> SimulatedBackend:
    backend = SimulatedBackend()
    backend.model_spec = replace(backend.model_spec, confidence_scale=1.01)  # a low confidence counts
    return backend


def started(backend: SimulatedBackend | None = None, settings: TrackerSettings | None = None) -> Tracker:
    tracker = Tracker(backend or calibrated(), settings=settings)
    tracker.init(frame_at(0), START)
    return tracker


def truth(number: int) -> Box:
    return START[0] + STEP * number, *START[1:]


@pytest.mark.parametrize("model", ["static", "common_velocity"])
def test_a_target_that_every_fourth_frame_loses_is_held_through_the_frames_between(model: str) -> None:
    settings = TrackerSettings(motion=MotionSettings(model=model))
    alone, led = started(settings=settings), started(settings=settings)
    for last, number in pairwise(range(0, 16, 4)):
        led.bridge([frame_at(between) for between in range(last, number + 1)])
        assert led.update(frame_at(number)).box == pytest.approx(truth(number), abs=1.5)
        assert alone.update(frame_at(number)).box[0] < truth(1)[0]


def test_it_takes_no_inference() -> None:
    backend = calibrated()
    tracker = started(backend)
    before = backend.searches
    tracker.bridge(map(frame_at, range(5)))
    assert backend.searches == before


def test_a_doubtful_box_is_not_moved() -> None:
    backend = calibrated()
    tracker = started(backend)
    backend.confidence = 0.1
    tracker.update(frame_at(0))
    tracker.bridge(map(frame_at, range(5)))
    backend.confidence = 0.9
    assert tracker.update(frame_at(0)).box == pytest.approx(truth(0), abs=1.5)


def test_it_ends_where_nothing_looks_like_the_target_and_at_a_frame_of_another_size() -> None:
    for broken in (np.full((240, 400, 3), 90, np.uint8), np.zeros((120, 200, 3), np.uint8)):
        tracker = started()
        tracker.bridge([frame_at(0), frame_at(1), broken, frame_at(2), frame_at(3)])
        assert tracker.update(frame_at(1)).box == pytest.approx(truth(1), abs=1.5)


def test_the_box_stays_in_the_frame() -> None:
    tracker = started()
    tracker.bridge(map(frame_at, range(16)))
    x, y, w, h = tracker.update(frame_at(15)).box
    assert x > 300
    assert 0 <= x <= x + w <= 400
    assert 0 <= y <= y + h <= 240


def test_without_a_target_it_is_refused() -> None:
    with pytest.raises(UsageError) as caught:
        Tracker(SimulatedBackend()).bridge([frame_at(0), frame_at(1)])
    assert str(caught.value) == "bridge before init: there is no target yet\nhint: call init(frame, box) first"


def test_the_box_returns_where_the_network_does_not_find_the_target_where_it_was_led() -> None:
    backend = calibrated()
    tracker = started(backend)
    tracker.bridge(map(frame_at, range(5)))
    backend.confidence = 0.1
    assert tracker.update(frame_at(4)).box == START
    backend.confidence = 0.9
    assert tracker.update(frame_at(0)).box == pytest.approx(START, abs=1.5)


def test_a_frame_of_another_kind_is_refused() -> None:
    tracker = started()
    with pytest.raises(InputError, match="uint8"):
        tracker.bridge([scene(160, 120).astype(np.float32)] * 2)
