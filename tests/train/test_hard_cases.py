from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from eatrack_edge.datasets.shards import read_shards
from eatrack_edge.train import hard_cases
from eatrack_edge.train.augment import AugmentRecipe
from eatrack_edge.train.hard_cases import ThermalLook
from eatrack_edge.train.pool import MixedPool, three_moments
from eatrack_edge.train.recipe import TrainRecipe
from eatrack_edge.train.run import open_data
from eatrack_edge.train.sampling import Sample, Sampler, SamplingRecipe
from eatrack_edge.train.shard_pool import ShardPool

pytestmark = pytest.mark.torch
CLEAN = AugmentRecipe(0, 0, 0, 0, 0, 9, 0, 15, 0, 14, 0, 0, 0, 0, 0, background=0)
STILL = SamplingRecipe(still_rotation=0, clip_rotation=0, still_tilt=0, aspect_jitter=0, absent=0, mirror=0)


def batch(shards: Path, hard: AugmentRecipe, count: int = 24) -> Sample:
    targets = read_shards(shards)
    return Sampler(ShardPool(targets, [1.0] * len(targets)), STILL, hard, 128, 256, seed=3).batch(range(count))


def test_hard_cases_that_are_off_change_no_sample(shards: Path) -> None:
    # The one recipe names what is off by default, the other does not.
    off = replace(CLEAN, look_alike_same_source=0.0, exits=0.0, returns=0.0, thermal=0.0)
    for one, other in zip(batch(shards, CLEAN), batch(shards, off), strict=True):
        assert torch.equal(one, other)


def test_a_thermal_look_is_shared_by_templates_and_search(shards: Path) -> None:
    plain, thermal = batch(shards, CLEAN, 8), batch(shards, replace(CLEAN, thermal=1.0), 8)
    assert torch.equal(thermal.search[..., 0], thermal.search[..., 2])
    for place in range(8):
        signs = [
            np.corrcoef(before[place].float().mean(-1).ravel(), after[place, ..., 0].float().ravel())[0, 1] > 0
            for before, after in ((plain.search, thermal.search), (plain.templates[:, 0], thermal.templates[:, 0]))
        ]
        assert signs[0] == signs[1]


@pytest.mark.parametrize("is_inverted", [False, True], ids=["hot is white", "hot is black"])
def test_a_thermal_look_sets_polarity_contrast_and_level(is_inverted: bool) -> None:
    crop = np.full((64, 64, 3), 40, np.uint8)
    crop[16:32, 16:32] = 200
    look = ThermalLook(is_inverted, contrast=0.5, level=120, blur=0, noise=0)
    out = hard_cases.thermal(crop, look, np.random.default_rng(0)).astype(int)
    assert out[24, 24, 0] - out[5, 5, 0] == pytest.approx(-80 if is_inverted else 80, abs=1)
    assert out.mean() == pytest.approx(120, abs=1)


def test_a_target_that_left_is_no_longer_seen(shards: Path) -> None:
    gone = batch(shards, replace(CLEAN, exits=1.0))
    assert float(gone.is_present.sum()) == 0
    crop = np.full((256, 256, 3), 90, np.uint8)
    crop[118:138, 108:148] = 250
    out = hard_cases.remove_target(crop, np.array([128, 128, 40, 20], np.float32), np.random.default_rng(1))
    assert out.max() < 150


def test_a_target_as_large_as_the_crop_leaves_its_mean_colour_behind() -> None:
    crop = np.full((64, 64, 3), 50, np.uint8)
    out = hard_cases.remove_target(crop, np.array([32, 32, 60, 60], np.float32), np.random.default_rng(1))
    assert out.shape == crop.shape
    assert abs(out.astype(int) - 50).max() <= 1


def test_a_target_comes_back_off_the_middle_beside_a_look_alike(shards: Path) -> None:
    back = batch(shards, replace(CLEAN, returns=1.0))
    assert float(back.is_present.min()) == 1
    off = (back.box[:, :2] - 0.5).abs().max(1).values * 4  # nominal sides
    assert 0.9 - 1e-4 <= float(off.min()) <= float(off.max()) <= 1.6 + 1e-4
    crop = np.full((256, 256, 3), 90, np.uint8)
    other = np.full((20, 20, 3), 250, np.uint8)
    out = hard_cases.look_alike_in_the_middle(
        crop, np.array([220, 128, 50, 50], np.float32), other, np.random.default_rng(2)
    )
    assert out[128, 128].min() > 200
    touching = np.array([140, 128, 50, 50], np.float32)
    assert (hard_cases.look_alike_in_the_middle(crop, touching, other, np.random.default_rng(2)) == crop).all()


def test_look_alikes_come_from_the_targets_own_source(shards: Path) -> None:
    targets = read_shards(shards)
    pool = MixedPool([ShardPool(targets, [1.0] * len(targets))], [1.0])
    rng = np.random.default_rng(4)
    for _ in range(12):
        target = pool.draw(rng).search
        other = pool.draw_alike(target, rng)
        assert other is not None
        assert other.source == target.source
        assert other.name != target.name
    only = [target for target in targets if target.clip][:1]
    alone = ShardPool(only, [1.0])
    assert alone.draw_alike(alone.draw(rng).search, rng) is None  # there is no other


def test_moments_far_apart_span_most_of_what_the_gap_allows() -> None:
    rng, times = np.random.default_rng(5), list(range(0, 400, 2))
    spans = []
    for _ in range(50):
        places = three_moments(times, 100, rng, is_far_apart=True)
        assert sorted(places) == places or sorted(places, reverse=True) == places
        spans.append(abs(places[0] - places[2]))
    assert min(spans) >= 24  # of 50 to 100 pictures within the gap, at least half
    assert max(spans) <= 100


def test_a_recipe_asks_for_moments_far_apart(tiny_recipe: Callable[..., TrainRecipe]) -> None:
    base = tiny_recipe().data
    one, far = (open_data(replace(base, far_apart=share))[0] for share in (0.0, 1.0))
    rows = [pool.draw(np.random.default_rng(seed)) for pool in (one, far) for seed in range(12)]
    assert len({row.search.box for row in rows}) > 1
