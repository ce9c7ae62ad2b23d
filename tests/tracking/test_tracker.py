from __future__ import annotations

import inspect
import tracemalloc
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from eatrack_edge.core.boxes import part_in_frame
from eatrack_edge.core.crops import CropWindow, Frame, cut
from eatrack_edge.core.errors import InputError, MachineError, UsageError
from eatrack_edge.tracking.settings import TemplateSettings, TrackerSettings
from eatrack_edge.tracking.tracker import Tracker
from tracking.simulated import GRID, SimulatedBackend, scene

START = (145.0, 110.0, 30.0, 20.0)


def started(backend: SimulatedBackend | None = None, settings: TrackerSettings | None = None) -> Tracker:
    tracker = Tracker(backend or SimulatedBackend(), settings=settings)
    tracker.init(scene(160, 120), START)
    return tracker


@pytest.mark.parametrize("window", ["integer", "subpixel"])
def test_the_box_follows_a_target_that_moves_and_grows(window: str) -> None:
    tracker = started(SimulatedBackend(window=window), TrackerSettings(size_rate=1.0))
    for step in range(40):
        cx, cy, w = 160 + 2 * step, 120 + step, 30 + step
        update = tracker.update(scene(cx, cy, w, 20))
        x, y, width, height = update.box
        assert x + width / 2 == pytest.approx(min(cx, (cx - w / 2 + 320) / 2), abs=1.5)
        assert y + height / 2 == pytest.approx(cy, abs=1.5)
        assert width == pytest.approx(min(w, 320 - (cx - w / 2)), abs=2.5)
        assert update.state == "TRACKING"
        assert update.confidence == pytest.approx(0.9)


def test_confidence_is_calibrated_as_the_graphs_say() -> None:
    backend = SimulatedBackend()
    backend.model_spec = replace(backend.model_spec, confidence_scale=2.0, confidence_shift=-1.0)
    confidence = started(backend).update(scene(160, 120)).confidence
    assert confidence == pytest.approx(1 / (1 + np.exp(1 - 2 * np.log(9))), abs=1e-3)


def test_latency_adds_up() -> None:
    latency = started().update(scene(161, 121)).latency_ms
    assert latency.total == pytest.approx(sum(latency[:4]))
    assert min(latency) >= 0


def test_the_template_is_encoded_only_at_init_and_at_updates() -> None:
    backend = SimulatedBackend()
    tracker = started(backend, TrackerSettings(templates=TemplateSettings(interval=10)))
    assert [slots for _, slots in backend.encoded] == [[0, 1]]
    events = [tracker.update(scene(160, 120)).template_event for _ in range(35)]
    assert [slots for _, slots in backend.encoded] == [[0, 1], [1], [1], [1]]
    assert [index for index, event in enumerate(events, start=1) if event] == [10, 20, 30]
    assert all(event.is_replaced for event in events if event)


def test_each_template_is_encoded_with_the_extent_of_its_box() -> None:
    backend = SimulatedBackend()
    tracker = Tracker(backend, settings=TrackerSettings(templates=TemplateSettings(interval=1)))
    tracker.init(scene(160, 120), (140, 110, 40, 20))  # twice as wide as high, where it is square
    tracker.update(scene(160, 120))
    assert backend.extents[0] == pytest.approx((0.5 * 2**0.5, 0.5 / 2**0.5))
    width, height = backend.extents[1]
    assert width * height == pytest.approx(0.25)
    assert 1 < width / height < 2  # the box that was found


def test_the_first_template_is_never_replaced() -> None:
    backend = SimulatedBackend()
    tracker = started(backend, TrackerSettings(templates=TemplateSettings(interval=1)))
    first = tracker.templates.crops[0].copy()
    for step in range(20):
        tracker.update(scene(160 + step, 120))
    assert all(0 not in slots for _, slots in backend.encoded[1:])
    np.testing.assert_array_equal(tracker.templates.crops[0], first)
    assert len(backend.encoded) == 21


def test_every_template_decision_is_recorded_with_frame_confidence_and_reason() -> None:
    backend = SimulatedBackend()
    tracker = started(backend, TrackerSettings(templates=TemplateSettings(interval=5)))
    for _ in range(5):
        tracker.update(scene(160, 120))
    backend.confidence = 0.4
    for _ in range(5):
        tracker.update(scene(160, 120))
    replaced, kept = tracker.templates.events
    assert (replaced.frame_index, replaced.is_replaced, replaced.confidence) == (5, True, pytest.approx(0.9))
    assert replaced.reason == f"replaced by frame {replaced.source_index}, the medoid of 5"
    assert (kept.frame_index, kept.is_replaced) == (10, False)
    assert kept.reason == "kept: no frame reached confidence 0.7"


def test_with_one_slot_or_updates_off_nothing_is_ever_replaced() -> None:
    off = TrackerSettings(templates=TemplateSettings(policy="first_only", interval=1))
    on = TrackerSettings(templates=TemplateSettings(interval=1))
    for backend, settings in ((SimulatedBackend(slots=2), off), (SimulatedBackend(slots=1), on)):
        tracker = started(backend, settings)
        assert all(tracker.update(scene(160, 120)).template_event is None for _ in range(5))
        assert len(backend.encoded) == 1
        assert backend.searches == 1 + 5  # one at `init`, to learn what the target looks like


def test_a_second_init_forgets_the_first_target() -> None:
    backend = SimulatedBackend()
    tracker = started(backend, TrackerSettings(templates=TemplateSettings(interval=2)))
    for _ in range(3):
        tracker.update(scene(160, 120))
    tracker.init(scene(60, 60, 20, 20), (50, 50, 20, 20))
    assert not tracker.templates.events
    assert tracker.update(scene(62, 60, 20, 20)).box == pytest.approx((52, 50, 20, 20), abs=1.0)


def test_update_before_init_is_refused() -> None:
    with pytest.raises(UsageError) as caught:
        Tracker(SimulatedBackend()).update(scene(0, 0))
    assert str(caught.value) == "update before init: there is no target yet\nhint: call init(frame, box) first"


@pytest.mark.parametrize(
    ("box", "message"),
    [
        pytest.param((1, 2, 0, 5), "the box is empty: w=0, h=5", id="no width"),
        pytest.param((1, 2, 5, -1), "the box is empty: w=5, h=-1", id="negative height"),
        pytest.param((0.4, 0.5, 0.1, 0.2), "the box 0.4,0.5,0.1,0.2 is smaller than a pixel", id="fractions"),
        pytest.param((320, 10, 5, 5), "the box 320,10,5,5 lies outside the frame, 320x240", id="right of the frame"),
        pytest.param((-9, 10, 5, 5), "the box -9,10,5,5 lies outside the frame, 320x240", id="left of the frame"),
        pytest.param(
            (-95, 10, 100, 50), "the box -95,10,100,50 lies mostly outside the frame, 320x240", id="centre left of it"
        ),
        pytest.param(
            (10, 216, 50, 50), "the box 10,216,50,50 lies mostly outside the frame, 320x240", id="centre below it"
        ),
        pytest.param(
            (1, 2, float("nan"), 5), "a box is four finite numbers (x, y, w, h), got (1, 2, nan, 5)", id="nan"
        ),
        pytest.param((1, 2, 3), "a box is four finite numbers (x, y, w, h), got (1, 2, 3)", id="three numbers"),
    ],
)
def test_a_box_that_shows_no_target_is_refused(box: tuple[float, ...], message: str) -> None:
    with pytest.raises(InputError) as caught:
        Tracker(SimulatedBackend()).init(scene(160, 120), box)  # type: ignore[arg-type]
    assert caught.value.message == message


def test_a_black_first_frame_is_refused() -> None:
    with pytest.raises(InputError, match="the box shows one flat colour: there is nothing to follow"):
        Tracker(SimulatedBackend()).init(np.zeros((240, 320, 3), np.uint8), START)


def test_a_one_pixel_box_is_tracked() -> None:
    tracker = Tracker(SimulatedBackend())
    tracker.init(scene(160, 120, 2, 2), (159.5, 119.5, 1, 1))
    update = tracker.update(scene(160, 120, 2, 2))
    assert update.box == pytest.approx((159, 119, 2, 2), abs=0.6)


def test_a_box_partly_outside_is_cut_to_the_frame() -> None:
    tracker = Tracker(SimulatedBackend())
    tracker.init(scene(5, 120, 30, 20), (-10, 110, 30, 20))
    x, _, w, _ = tracker.update(scene(5, 120, 30, 20)).box
    assert x == 0
    assert w == pytest.approx(20, abs=1)


def test_a_black_frame_keeps_the_box_and_says_why() -> None:
    tracker = started()
    before = tracker.update(scene(162, 121)).box
    update = tracker.update(np.zeros((240, 320, 3), np.uint8))
    assert update.box == before
    assert (update.confidence, update.state) == (0.0, "UNCERTAIN")
    assert update.note == "the search region shows one flat colour"
    assert tracker.update(scene(164, 122)).state == "TRACKING"


@pytest.mark.parametrize("output", ["score_map", "offset_map", "size_map"])
def test_an_answer_that_is_not_finite_keeps_the_box(output: str) -> None:
    backend = SimulatedBackend()
    tracker = started(backend)
    maps = backend._look(scene(64, 64, width=128, height=128))
    backend.override = maps._replace(**{output: np.full_like(getattr(maps, output), np.nan)})
    update = tracker.update(scene(160, 120))
    assert update.box == START
    assert update.note == "the network's output is not finite"


def test_a_size_of_zero_is_no_answer() -> None:
    backend = SimulatedBackend()
    tracker = started(backend)
    backend.override = backend._look(scene(64, 64, width=128, height=128))._replace(
        size_map=np.zeros((2, GRID, GRID), np.float32)
    )
    assert tracker.update(scene(160, 120)).box == START


def test_a_changed_resolution_is_refused_and_names_both() -> None:
    with pytest.raises(InputError, match="the frame is 640x480, the target was given on 320x240"):
        started().update(scene(160, 120, width=640, height=480))


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        pytest.param(np.zeros((240, 320, 3), np.float32), "a frame is an array of uint8, got float32", id="float"),
        pytest.param([[1, 2], [3, 4]], "a frame is an array of uint8, got list", id="no array"),
        pytest.param(np.zeros((240, 320, 2), np.uint8), "a frame has shape (height, width, 3), got (240, 320, 2)", id="two channels"),
        pytest.param(np.zeros((0, 320, 3), np.uint8), "a frame has shape (height, width, 3), got (0, 320, 3)", id="no pixels"),
        pytest.param(np.zeros((2, 240, 320, 3), np.uint8), "a frame has shape (height, width, 3), got (2, 240, 320, 3)", id="a batch"),
    ],
)  # fmt: skip
def test_an_array_that_is_no_frame_is_refused(frame: object, message: str) -> None:
    with pytest.raises(InputError) as caught:
        started().update(frame)  # type: ignore[arg-type]
    assert caught.value.message == message


def test_grey_bgra_and_strided_frames_are_taken() -> None:
    bgr = scene(162, 121)
    bgra = np.dstack([bgr, np.full(bgr.shape[:2], 255, np.uint8)])
    expected = started().update(bgr).box
    assert started().update(bgra).box == expected
    assert started().update(np.repeat(bgr, 2, axis=1)[:, ::2]).box == expected
    assert started().update(bgr[..., 0]).state == "UNCERTAIN"
    assert started().update(bgr[..., :1]).state == "UNCERTAIN"


def test_a_box_cannot_explode() -> None:
    backend = SimulatedBackend()
    limit = TrackerSettings().maximum_growth
    tracker = started(backend, TrackerSettings(size_rate=1.0, extent_share=0.0))
    maps = backend._look(scene(64, 64, width=128, height=128))
    backend.override = maps._replace(size_map=np.ones((2, GRID, GRID), np.float32))
    _, _, w, h = tracker.update(scene(160, 120)).box
    assert (w, h) == pytest.approx((30 * limit, 20 * limit))


@given(
    score=hnp.arrays(np.float32, (GRID, GRID), elements=st.floats(0, 1, width=32)),
    offset=hnp.arrays(np.float32, (2, GRID, GRID), elements=st.floats(-50, 50, width=32)),
    size=hnp.arrays(np.float32, (2, GRID, GRID), elements=st.floats(0, 1, width=32)),
    box=st.tuples(st.floats(-40, 319), st.floats(-30, 239), st.floats(41, 400), st.floats(31, 300)),
)
def test_whatever_the_network_answers_the_box_stays_in_the_frame_and_finite(
    score: np.ndarray, offset: np.ndarray, size: np.ndarray, box: tuple[float, float, float, float]
) -> None:
    backend = SimulatedBackend()
    tracker = Tracker(backend, settings=TrackerSettings(templates=TemplateSettings(interval=2)))
    tracker.init(scene(160, 120), part_in_frame(box, 320, 240))
    tokens = np.ones((GRID * GRID, backend.model_spec.dim), np.float32)
    backend.override = type(backend._look(scene(1, 1, width=128, height=128)))(score, offset, size, tokens)
    for _ in range(4):
        x, y, w, h = tracker.update(scene(160, 120)).box
        assert np.isfinite([x, y, w, h]).all()
        assert x >= 0
        assert y >= 0
        assert x + w <= 320 + 1e-6
        assert y + h <= 240 + 1e-6
        assert min(w, h) >= 2 - 1e-6


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("minimum_side_px", 0, "minimum_side_px must be above 0, got 0"),
        ("maximum_growth", 1.0, "maximum_growth must be above 1, got 1.0"),
        ("size_penalty", -0.1, "size_penalty must be at least 0, got -0.1"),
        ("size_rate", 0.0, "size_rate must be above 0 and at most 1, got 0.0"),
    ],
)
def test_settings_that_cannot_work_are_refused(field: str, value: float, message: str) -> None:
    with pytest.raises(Exception, match=message):
        TrackerSettings(**{field: value})


def test_an_interval_of_zero_is_refused() -> None:
    with pytest.raises(Exception, match="interval must be at least 1, got 0"):
        TemplateSettings(interval=0)


def test_tracking_allocates_no_picture_in_the_steady_state() -> None:
    backend = SimulatedBackend()
    tracker = started(backend, TrackerSettings(templates=TemplateSettings(interval=10_000)))
    frames = [scene(160 + step, 120) for step in range(12)]
    backend.override = backend._look(scene(64, 64, width=128, height=128))  # the simulation itself would allocate
    for frame in frames:
        tracker.update(frame)
    tracemalloc.start()
    for frame in frames:
        tracker.update(frame)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 64 * 64 * 3, "the smaller of the two crops, or more, was allocated"


@pytest.mark.parametrize("window", ["integer", "subpixel"])
def test_the_chosen_template_is_the_crop_of_its_own_frame_however_long_ago(window: str) -> None:
    settings = TrackerSettings(extent_share=0.0, templates=TemplateSettings(capacity=3, interval=7))
    backend = SimulatedBackend(window=window)
    tracker = started(backend, settings)
    frames = [scene(160 + 3 * step, 120) for step in range(8)]
    updates = [tracker.update(frame) for frame in frames[1:]]
    event = updates[-1].template_event
    assert event is not None
    chosen = event.source_index
    assert chosen is not None
    cropping = backend.model_spec.cropping
    around = CropWindow.around(updates[chosen - 1].box, cropping.template_factor, 64, cropping.window)
    shown = cut(frames[chosen], around, backend.model_spec.padding_bgr)
    np.testing.assert_array_equal(tracker.templates.crops[1], shown)
    np.testing.assert_array_equal(backend.encoded[-1][0], shown)
    for frame in frames[1:4]:
        tracker.update(frame)
    np.testing.assert_array_equal(tracker.templates.crops[1], shown)


def test_a_box_of_numpy_numbers_gives_boxes_of_floats() -> None:
    tracker = Tracker(SimulatedBackend())
    tracker.init(scene(160, 120), np.array(START, np.float32))  # type: ignore[arg-type]
    tracker.update(scene(400, 400))  # not there: the box stays
    assert {type(side) for side in tracker.update(scene(400, 400)).box} == {float}


def test_a_closed_tracker_proposes_nothing() -> None:
    tracker = started()
    tracker.close()
    with pytest.raises(UsageError, match="closed"):
        tracker.propose(scene(160, 120), 160, 120)


def test_a_failed_init_keeps_the_earlier_target() -> None:
    backend = SimulatedBackend()
    tracker = started(backend)
    tracker.update(scene(163, 121))
    before = tracker.templates.shown
    for box, frame in (((400, 5, 9, 9), scene(160, 120)), (START, np.zeros((240, 320, 3), np.uint8))):
        with pytest.raises(InputError):
            tracker.init(frame, box)
    assert tracker.templates.shown is before
    assert len(backend.encoded) == 1
    x, y, w, h = tracker.update(scene(166, 122)).box
    assert (x + w / 2, y + h / 2) == pytest.approx((166, 122), abs=1.5)


class FailingBackend(SimulatedBackend):
    """Fails while it encodes a template of another target than the first."""

    def encode_template(self, crop: Frame, extent: tuple[float, float], slots: Sequence[int]) -> None:
        super().encode_template(crop, extent, slots)
        if len(self.encoded) == 2:
            raise MachineError("the GPU has no memory left")


def test_a_backend_that_fails_in_init_gets_the_earlier_templates_back() -> None:
    backend = FailingBackend()
    tracker = started(backend)
    earlier = tracker.templates.crops
    with pytest.raises(MachineError):
        tracker.init(scene(60, 60, 20, 20), (50, 50, 20, 20))
    assert [slots for _, slots in backend.encoded[2:]] == [[0], [1]]
    for (crop, _), shown in zip(backend.encoded[2:], earlier, strict=True):
        np.testing.assert_array_equal(crop, shown)
    assert tracker.update(scene(162, 121)).state == "TRACKING"


def test_a_closed_tracker_refuses_to_work_and_says_so() -> None:
    with started() as tracker:
        pass
    tracker.close()
    for call in (lambda: tracker.update(scene(160, 120)), lambda: tracker.init(scene(160, 120), START)):
        with pytest.raises(UsageError) as caught:
            call()
        assert str(caught.value) == "the tracker is closed\nhint: open a new one: Tracker(...)"


def test_a_backend_that_the_caller_opened_is_not_closed() -> None:
    backend = SimulatedBackend()
    started(backend).close()
    assert not backend.is_closed


def test_the_tracker_class_stays_under_150_lines() -> None:
    lines, _ = inspect.getsourcelines(Tracker)
    assert len(lines) < 150
