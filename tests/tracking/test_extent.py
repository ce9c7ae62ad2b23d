from __future__ import annotations

import math

import pytest

from eatrack_edge.core.boxes import Box
from eatrack_edge.tracking.extent import Extent, drawn_extent
from eatrack_edge.tracking.settings import TrackerSettings
from eatrack_edge.tracking.tracker import Tracker
from tracking.simulated import SimulatedBackend, scene

TIGHT: Box = (148.0, 112.0, 24.0, 16.0)  # the network sees 30 x 20 there


def boxes(share: float, drawn: Box = TIGHT) -> list[Box]:
    tracker = Tracker(SimulatedBackend(), settings=TrackerSettings(extent_share=share))
    tracker.init(scene(160, 120), drawn)
    return [tracker.update(scene(160 + step, 120)).box for step in range(8)]


def test_a_box_that_was_drawn_tight_is_reported_tighter_than_it_is_followed() -> None:
    followed, reported = boxes(0.0), boxes(0.35)
    for (x, y, w, h), (at_x, at_y, at_w, at_h) in zip(followed, reported, strict=True):
        assert (at_x + at_w / 2, at_y + at_h / 2) == pytest.approx((x + w / 2, y + h / 2))
        assert at_w / w == pytest.approx((24 / 30) ** 0.35, rel=0.02)
        assert at_h / h == pytest.approx((16 / 20) ** 0.35, rel=0.02)
    assert followed[-1][2:] == pytest.approx((30, 20), abs=1)


def test_a_target_that_is_not_found_keeps_the_box_that_was_drawn() -> None:
    backend = SimulatedBackend()
    tracker = Tracker(backend, settings=TrackerSettings(extent_share=1.0))
    tracker.init(scene(160, 120), TIGHT)
    backend.override = backend._look(scene(64, 64, width=128, height=128))
    backend.override.score_map[:] = math.nan
    assert tracker.update(scene(160, 120)).box == TIGHT


def test_what_the_border_of_the_frame_cuts_off_is_reported_as_it_is() -> None:
    assert Extent(0.5, 0.5).of((0, 10, 40, 10), (320, 240)) == (0, 12.5, 40, 5.0)
    assert Extent(0.5, 0.5).of((10, 230, 40, 10), (320, 240)) == (20.0, 230, 20.0, 10)


def test_a_box_that_is_quite_another_corrects_by_a_factor_of_one_and_a_half_at_most() -> None:
    extent = drawn_extent((0, 0, 10, 40), (0, 0, 80, 10), share=1.0)
    assert extent == pytest.approx((math.exp(-0.4), math.exp(0.4)))


def test_the_first_frame_is_looked_at_with_the_new_target_as_template() -> None:
    backend = SimulatedBackend()
    tracker = Tracker(backend)
    calls: list[str] = []
    backend.encode_template = lambda *_: calls.append("encode")  # type: ignore[method-assign]
    look = backend.infer
    backend.infer = lambda crop: (calls.append("look"), look(crop))[1]  # type: ignore[method-assign]
    tracker.init(scene(160, 120), TIGHT)
    assert calls == ["encode", "look"]
