from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from eatrack_edge.core.errors import InputError
from eatrack_edge.datasets.shards import ShardCrop, ShardTarget, read_shards
from eatrack_edge.tracking.tracker import Tracker
from eatrack_edge.train.verifier_looks import ClipLooker, look_at_clips
from tracking.simulated import SimulatedBackend, scene


def calibrated() -> SimulatedBackend:
    backend = SimulatedBackend()
    backend.model_spec = replace(backend.model_spec, confidence_scale=1.01)
    return backend


def crop(place: int, centre: tuple[float, float] | None = None, red: tuple[int, int, int] = (0, 0, 255)) -> ShardCrop:
    """A picture of a red target, or with its red patch elsewhere than its box says."""
    cx, cy = 160 + 2 * place, 120
    picture = scene(*(centre or (cx, cy)))
    picture[(picture == (0, 0, 255)).all(-1)] = red
    encoded = cv2.imencode(".png", picture)[1].tobytes()
    return ShardCrop(f"clip/{place}", (cx - 15, cy - 10, 30, 20), place, encoded)


def clip(name: str, frames: int, centre: tuple[float, float] | None = None) -> ShardTarget:
    return ShardTarget("source", name, "", tuple(crop(place, centre) for place in range(frames)))


def test_looks_at_the_target_find_it_and_looks_at_another_do_not() -> None:
    alone = next(look_at_clips(ClipLooker(Tracker(calibrated())), [clip("a", 6)]))
    assert sum(answer.is_target for answer in alone) >= 5  # once in each frame after the first
    assert all(answer.latest > 0.9 for answer in alone if answer.is_target)
    beside_another = next(look_at_clips(ClipLooker(Tracker(calibrated())), [clip("a", 6), clip("b", 1)]))
    assert beside_another[: len(alone)] == alone
    others = beside_another[len(alone) :]
    assert others
    assert not any(answer.is_target for answer in others)  # as red, and still not the clip's target
    assert all(math.isnan(answer.second) for answer in beside_another)  # no second network is on


def test_what_is_found_elsewhere_than_the_true_box_is_not_the_target() -> None:
    answers = next(look_at_clips(ClipLooker(Tracker(calibrated())), [clip("a", 6, centre=(215, 120))]))
    assert answers
    assert not any(answer.is_target for answer in answers)


def test_the_latest_look_follows_what_was_found_and_the_first_does_not() -> None:
    """The target's colour fades frame by frame."""
    crops = [crop(0, red=(0, 0, 255)), *(crop(place, red=(60, 60, 255)) for place in range(1, 12))]
    answers = next(look_at_clips(ClipLooker(Tracker(calibrated())), [ShardTarget("source", "a", "", tuple(crops))]))
    found = [answer for answer in answers if answer.is_target]
    assert found[0].latest == pytest.approx(found[0].first, abs=1e-5)
    assert found[-1].latest > found[-1].first + 0.01


def test_the_same_seed_looks_in_the_same_places() -> None:
    first, again, other = (
        [answer.first for answer in next(look_at_clips(ClipLooker(Tracker(calibrated())), [clip("a", 6)], seed))]
        for seed in (0, 0, 1)
    )
    assert first == again
    assert first != other


def test_a_clip_that_is_there_twice_is_refused_because_its_copy_would_be_another_target() -> None:
    with pytest.raises(InputError, match="clip `a` of source was given 2 times"):
        next(look_at_clips(ClipLooker(Tracker(calibrated())), [clip("a", 6), clip("a", 6)]))


def test_a_picture_that_shows_no_target_is_named() -> None:
    grey = cv2.imencode(".png", np.full((240, 320, 3), 90, np.uint8))[1].tobytes()
    flat = ShardTarget(
        "source", "a", "", tuple(ShardCrop(f"clip/{place}", (50, 50, 30, 20), place, grey) for place in range(4))
    )
    with pytest.raises(InputError, match="clip/0: the box shows one flat colour"):
        next(look_at_clips(ClipLooker(Tracker(calibrated())), [flat]))


@pytest.mark.parametrize("target", [clip("", 6), clip("short", 2)])
def test_stills_and_clips_of_two_pictures_are_left_out(target: ShardTarget) -> None:
    assert not list(look_at_clips(ClipLooker(Tracker(calibrated())), [target]))


def test_real_pictures_and_the_bundled_model_give_answers(shards: Path) -> None:
    pytest.importorskip("onnxruntime")
    clips = [target for target in read_shards(shards) if target.clip][:2]
    with Tracker("eatrack_s", backend="onnxruntime") as tracker:
        looks = list(look_at_clips(ClipLooker(tracker), clips))
    assert len(looks) == 2
    assert any(answer.is_target for each in looks for answer in each)
    assert all(0 <= answer.second <= 1 for each in looks for answer in each)
