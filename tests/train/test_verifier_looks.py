from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from eatrack_edge.core.boxes import Box
from eatrack_edge.datasets.shards import ShardCrop, ShardTarget, read_shards
from eatrack_edge.tracking.tracker import Tracker
from eatrack_edge.train.verifier_looks import ClipLooker, look_at_clips
from tracking.simulated import DIM, SimulatedBackend, scene


def calibrated() -> SimulatedBackend:
    backend = SimulatedBackend()
    backend.model_spec = replace(backend.model_spec, confidence_scale=1.01)
    return backend


def crop(place: int, centre: tuple[float, float] | None = None, box: Box | None = None) -> ShardCrop:
    """A picture of a red target; or with its red patch elsewhere than its box says."""
    cx, cy = 160 + 2 * place, 120
    picture = scene(*(centre or (cx, cy)))
    encoded = cv2.imencode(".png", picture)[1].tobytes()
    return ShardCrop(f"clip/{place}", box or (cx - 15, cy - 10, 30, 20), place, encoded)


def clip(name: str, frames: int, centre: tuple[float, float] | None = None) -> ShardTarget:
    return ShardTarget("source", name, "", tuple(crop(place, centre) for place in range(frames)))


def test_looks_at_the_target_find_it_and_looks_at_another_do_not() -> None:
    looks = list(look_at_clips(ClipLooker(Tracker(calibrated())), [clip("a", 6), clip("b", 6)]))
    assert len(looks) == 2
    for each in looks:
        assert [parts.shape for parts in each.truths] == 6 * [(9, DIM)]
        about = [answer for answer in each.answers if answer.place >= 0]
        assert {answer.place for answer in about if answer.is_target} == set(range(6))
        others = [answer for answer in each.answers if answer.place == -1]
        assert others
        assert not any(answer.is_target for answer in others)
        assert all(np.isnan(answer.second_score) for answer in each.answers)  # no second network is on


def test_what_is_found_elsewhere_than_the_true_box_is_not_the_target() -> None:
    looks = list(look_at_clips(ClipLooker(Tracker(calibrated())), [clip("a", 6, centre=(215, 120))]))
    assert looks[0].answers
    assert not any(answer.is_target for answer in looks[0].answers)


def test_the_same_seed_looks_in_the_same_places() -> None:
    first, again, other = (
        [
            answer.parts
            for each in look_at_clips(ClipLooker(Tracker(calibrated())), [clip("a", 6)], seed)
            for answer in each.answers
        ]
        for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first[0], other[0])


@pytest.mark.parametrize("target", [clip("", 6), clip("short", 2)])
def test_stills_and_clips_of_two_pictures_are_left_out(target: ShardTarget) -> None:
    assert not list(look_at_clips(ClipLooker(Tracker(calibrated())), [target]))


def test_real_pictures_and_the_bundled_model_give_answers(shards: Path) -> None:
    pytest.importorskip("onnxruntime")
    clips = [target for target in read_shards(shards) if target.clip][:2]
    with Tracker("eatrack_s", backend="onnxruntime") as tracker:
        looks = list(look_at_clips(ClipLooker(tracker), clips))
    assert len(looks) == 2
    assert any(answer.is_target for each in looks for answer in each.answers)
    assert all(0 <= answer.second_score <= 1 for each in looks for answer in each.answers)
