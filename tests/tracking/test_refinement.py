from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import cast

import cv2
import numpy as np
import pytest

from eatrack_edge.core.boxes import Box
from eatrack_edge.core.crops import CropWindow, Frame, cut
from eatrack_edge.core.errors import ConfigError, UsageError
from eatrack_edge.core.model_spec import Cropping, ModelSpec
from eatrack_edge.inference.vittrack_network import VitTrackMaps, VitTrackNetwork
from eatrack_edge.tracking.refinement import REFINEMENTS, NoRefinement
from eatrack_edge.tracking.settings import RefinementSettings, TrackerSettings
from eatrack_edge.tracking.tracker import Tracker
from eatrack_edge.tracking.vittrack_refinement import VitTrackRefinement
from tracking.simulated import SimulatedBackend, scene

CROP = np.zeros((256, 256, 3), np.uint8)
BOX = (100.0, 100.0, 40.0, 40.0)  # its centre lies in the cell (7, 7) of the window below
WINDOW = CropWindow(0.0, 0.0, 256.0, 256)  # one pixel of the frame is one of the crop
SPEC = ModelSpec("simulated", 12, 128, 256, 2, Cropping(template_factor=2.0, search_factor=4.0))


class CpuBackend(SimulatedBackend):
    """A simulated backend of the name and the crops of a model that runs on the CPU."""

    def __init__(self, name: str = "opencv (CPU)", spec: ModelSpec = SPEC) -> None:
        super().__init__()
        self.name, self.model_spec = name, spec


class SimulatedNetwork:
    """Sees a box at the centre of one cell, and nothing of a size elsewhere; counts how often it is asked."""

    def __init__(self, w: float, h: float, row: int = 7, column: int = 7) -> None:
        self.looks = 0
        self.maps = VitTrackMaps(*(np.zeros((n, 16, 16), np.float32) for n in (1, 2, 2)))
        self.maps.size_map[:, row, column] = w / 256, h / 256
        self.maps.offset_map[:, row, column] = 0.5

    def show(self, template: Frame) -> None: ...

    def look(self, search: Frame) -> VitTrackMaps:
        del search
        self.looks += 1
        return self.maps


def opened(network: SimulatedNetwork, interval: int = 2, share: float = 0.5) -> VitTrackRefinement:
    refinement = VitTrackRefinement(RefinementSettings(interval=interval, share=share), CpuBackend(), 1)
    refinement._network = cast("VitTrackNetwork", network)
    return refinement


def test_a_box_goes_its_share_of_the_way_and_its_sides_go_it_in_the_log() -> None:
    # The second box: centre (120, 120) as ours, 40 x 20.
    found = opened(SimulatedNetwork(40.0, 20.0), share=0.5).refine(CROP, WINDOW, BOX)
    assert found == pytest.approx((100.0, 120 - 20 / 2**0.5, 40.0, 40 / 2**0.5))


def test_the_second_size_is_that_of_the_place_which_our_network_chose() -> None:
    network = SimulatedNetwork(80.0, 80.0, row=2, column=11)
    x, y, w, h = opened(network, share=1.0).refine(CROP, WINDOW, (180.0 - 20, 36.0 - 20, 40.0, 40.0))
    assert (x + w / 2, y + h / 2, w, h) == pytest.approx((184.0, 40.0, 80.0, 80.0))


def test_crops_of_another_scale_give_boxes_in_pixels_of_the_frame() -> None:
    window = CropWindow(1000.0, 500.0, 512.0, 256)  # two pixels of the frame are one of the crop
    x, y, w, h = opened(SimulatedNetwork(40.0, 40.0), share=1.0).refine(CROP, window, (1200.0, 700.0, 60.0, 60.0))
    assert (x + w / 2, y + h / 2, w, h) == pytest.approx((1240.0, 740.0, 80.0, 80.0))


def test_no_second_look_is_paid_for_at_a_small_target() -> None:
    network = SimulatedNetwork(80.0, 80.0)
    small = (110.0, 110.0, 40.0, 19.0)
    assert opened(network).refine(CROP, WINDOW, small) == small
    assert network.looks == 0


def test_between_two_looks_the_latest_change_goes_along_with_our_box() -> None:
    network = SimulatedNetwork(30.0, 40.0)
    refinement = opened(network, interval=3, share=1.0)
    boxes = [refinement.refine(CROP, WINDOW, (100.0 + 10 * step, 100.0, 40.0, 40.0)) for step in range(3)]
    assert network.looks == 1
    assert boxes == [pytest.approx((105.0 + 10 * step, 100, 30, 40)) for step in range(3)]
    refinement.refine(CROP, WINDOW, BOX)
    assert network.looks == 2


def test_a_new_target_begins_with_a_look_of_its_own() -> None:
    network = SimulatedNetwork(40.0, 40.0)
    refinement = opened(network, interval=2)
    for _ in range(2):
        refinement.start(CROP)
        refinement.refine(CROP, WINDOW, BOX)
    assert network.looks == 2


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_an_output_that_is_not_finite_leaves_the_box(value: float) -> None:
    assert opened(SimulatedNetwork(value, 40.0)).refine(CROP, WINDOW, BOX) == BOX


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("interval", 0, "interval must be at least 1, got 0"),
        ("share", -0.1, "share must be at least 0 and at most 1, got -0.1"),
        ("minimum_side_px", float("nan"), "minimum_side_px must be at least 0, got nan"),
    ],
)
def test_settings_that_cannot_work_are_refused(field: str, value: float, message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        RefinementSettings(**{field: value})  # type: ignore[arg-type]
    assert caught.value.message == message


@pytest.mark.parametrize(
    ("backend", "name"),
    [
        pytest.param(CpuBackend("openvino (CPU, f32)"), "vittrack (openvino)", id="as measured"),
        pytest.param(CpuBackend("onnxruntime (CPU)"), "vittrack (onnxruntime)", id="on the package of the tracker"),
        pytest.param(CpuBackend("tensorrt (Orin Nano, fp16)"), "", id="its cost beside a GPU is not known"),
        pytest.param(CpuBackend(spec=replace(SPEC, cropping=Cropping(search_factor=5.0))), "", id="other crops"),
    ],
)
def test_it_is_on_by_itself_where_it_was_measured(backend: CpuBackend, name: str) -> None:
    assert Tracker(backend).refinement.name == name


def test_a_model_with_other_crops_is_refused_by_name() -> None:
    with pytest.raises(UsageError, match="VitTrack cannot refine the boxes of simulated: it needs search crops of"):
        Tracker(SimulatedBackend(), settings=TrackerSettings(refinement=RefinementSettings(policy="vittrack")))


class Wider(NoRefinement):
    """Gives a box 2 px wider."""

    name = "wider"
    looks = 0

    def refine(self, search: Frame, window: CropWindow, box: Box) -> Box:
        del search, window
        type(self).looks += 1
        x, y, w, h = box
        return x - 1, y, w + 2, h


@pytest.fixture
def wider() -> Iterator[type[Wider]]:
    Wider.looks = 0
    REFINEMENTS.register("wider")(Wider)
    yield Wider
    REFINEMENTS.unregister("wider")


def test_the_tracker_reports_the_refined_box_and_continues_from_it(wider: type[Wider]) -> None:
    del wider
    settings = {
        name: TrackerSettings(size_rate=1.0, extent_share=0.0, refinement=RefinementSettings(policy=name))
        for name in ("off", "wider")
    }
    plain, tested = (Tracker(SimulatedBackend(), settings=settings[name]) for name in ("off", "wider"))
    for tracker in (plain, tested):
        tracker.init(scene(160, 120), (145.0, 110.0, 30.0, 20.0))
    own, found = (tracker.update(scene(160, 120)) for tracker in (plain, tested))
    assert found.box[2] == pytest.approx(own.box[2] + 2)
    assert tested._target is not None
    assert tested._target.box == found.box


def test_a_frame_without_the_target_is_not_looked_at_again(wider: type[Wider]) -> None:
    backend = SimulatedBackend()
    backend.model_spec = replace(backend.model_spec, confidence_scale=2.0)  # calibrated
    tracker = Tracker(backend, settings=TrackerSettings(refinement=RefinementSettings(policy="wider")))
    tracker.init(scene(160, 120), (145.0, 110.0, 30.0, 20.0))
    backend.confidence = 0.1
    assert tracker.update(scene(160, 120)).state == "UNCERTAIN"
    assert wider.looks == 0


def test_an_unknown_refinement_is_refused_with_a_suggestion() -> None:
    with pytest.raises(UsageError) as caught:
        Tracker(SimulatedBackend(), settings=TrackerSettings(refinement=RefinementSettings(policy="vitrack")))
    assert str(caught.value) == "no refinement called `vitrack`\nhint: did you mean `vittrack`?"


def textured(x: int) -> Frame:
    """A textured target of 60 x 40 pixels on a textured ground, its top left corner at (x, 200)."""
    rng = np.random.default_rng(0)
    ground = cv2.resize(rng.integers(60, 120, (24, 32, 3), dtype=np.uint8), (640, 480), interpolation=cv2.INTER_CUBIC)
    target = cv2.resize(rng.integers(0, 255, (4, 6, 3), dtype=np.uint8), (60, 40), interpolation=cv2.INTER_NEAREST)
    ground[200:240, x : x + 60] = target
    return np.asarray(ground, np.uint8)


def test_vittrack_itself_mends_a_box_that_is_half_again_too_wide() -> None:
    refinement = VitTrackRefinement(RefinementSettings(share=1.0), CpuBackend("onnxruntime (CPU)"), 1)
    target = (300.0, 200.0, 60.0, 40.0)
    refinement.start(cut(textured(300), CropWindow.around(target, 2.0, 128), (0, 0, 0)))
    window = CropWindow.around(target, 4.0, 256)
    found = refinement.refine(cut(textured(304), window, (0, 0, 0)), window, (289.0, 200.0, 90.0, 40.0))
    assert found == pytest.approx((304.0, 200.0, 60.0, 40.0), abs=4)


def test_the_verifier_is_given_the_highest_score_of_the_second_network() -> None:
    network = SimulatedNetwork(40.0, 40.0)
    network.maps.score_map[0, 3, 9] = 0.8
    assert opened(network).score(CROP) == pytest.approx(0.8)
    network.maps.score_map[0, 3, 9] = math.nan
    assert opened(network).score(CROP) is None
    assert NoRefinement(RefinementSettings(), CpuBackend(), 1).score(CROP) is None
