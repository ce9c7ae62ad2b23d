from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from eatrack_edge.core.errors import ConfigError
from eatrack_edge.datasets.shards import ShardCrop, ShardTarget, read_shards
from eatrack_edge.train import augment
from eatrack_edge.train.augment import AugmentRecipe
from eatrack_edge.train.loader import batches
from eatrack_edge.train.parallel import World
from eatrack_edge.train.pool import Chooser, MixedPool, three_moments
from eatrack_edge.train.sampling import Sampler, SamplingRecipe, normalised
from eatrack_edge.train.shard_pool import ShardPool, balance, split_held_out, weigh

pytestmark = pytest.mark.torch
CLEAN = AugmentRecipe(0, 0, 0, 0, 0, 9, 0, 15, 0, 14, 0, 0, 0, 0, 0)


def sampler(shards: Path, sampling: SamplingRecipe | None = None, hard: AugmentRecipe | None = None) -> Sampler:
    targets = read_shards(shards)
    pool = ShardPool(targets, [1.0] * len(targets))
    return Sampler(pool, sampling or SamplingRecipe(), hard or AugmentRecipe(), 128, 256, seed=3)


def test_a_sample_is_a_function_of_seed_and_index(shards: Path) -> None:
    one, other = sampler(shards), sampler(shards)
    other.sample(5)
    for left, right in zip(one.sample(9), other.sample(9), strict=True):
        assert torch.equal(left, right)
    assert not torch.equal(one.sample(9).search, one.sample(10).search)


def test_samples_have_the_promised_shapes_and_ranges(shards: Path) -> None:
    batch = sampler(shards).batch(range(60))
    assert batch.templates.shape == (60, 2, 128, 128, 3)
    assert batch.search.shape == (60, 256, 256, 3)
    assert batch.search.dtype == torch.uint8
    assert 0 < float(batch.box[:, :2].min()) < float(batch.box[:, :2].max()) < 1
    assert 0.8 < float(batch.is_present.mean()) <= 1


def test_the_scale_in_the_search_is_log_uniform(shards: Path) -> None:
    recipe = SamplingRecipe(steady_scale=0, still_rotation=0, clip_rotation=0)
    batch = sampler(shards, recipe, CLEAN).batch(range(300))
    logs = (batch.box[:, 2:].log().mean(1) - math.log(0.25)).numpy()
    assert abs(logs).max() <= 0.6 + 1e-4
    counts = np.histogram(logs, bins=4, range=(-0.6, 0.6))[0]
    assert counts.min() > 45


def test_the_first_template_fills_half_of_its_crop(shards: Path) -> None:
    batch = sampler(shards, hard=CLEAN).batch(range(40))
    side = batch.template_boxes[:, 0, 2:].prod(1).sqrt()
    assert float((side - 0.5).abs().max()) < 0.12


def test_a_tenth_of_samples_have_equal_slots(shards: Path) -> None:
    batch = sampler(shards, SamplingRecipe(equal_templates=1.0)).batch(range(4))
    assert torch.equal(batch.templates[:, 0], batch.templates[:, 1])
    batch = sampler(shards, SamplingRecipe(equal_templates=0.0)).batch(range(4))
    assert not torch.equal(batch.templates[:, 0], batch.templates[:, 1])


def test_normalised_crops_are_rgb() -> None:
    blue = torch.zeros(1, 2, 2, 3, dtype=torch.uint8)
    blue[..., 0] = 255
    out = normalised(blue)
    assert out.shape == (1, 3, 2, 2)
    torch.testing.assert_close(out[0, :, 0, 0], torch.tensor([-0.485 / 0.229, -0.456 / 0.224, (1 - 0.406) / 0.225]))


@pytest.mark.parametrize("workers", [0, 2], ids=["here", "in workers"])
def test_processes_share_each_batch_and_miss_no_sample(shards: Path, workers: int) -> None:
    whole = sampler(shards)
    parts = [list(batches(whole, 8, 21, 4, World(rank, 2), workers)) for rank in (0, 1)]
    assert [len(part) for part in parts] == [3, 3]
    expected = whole.batch(range(12, 16))
    assert torch.equal(parts[0][1].box, expected.box[0::2])
    assert torch.equal(parts[1][1].search, expected.search[1::2])


def crop_with_target() -> tuple[np.ndarray, np.ndarray]:
    crop = np.full((256, 256, 3), 90, np.uint8)
    cv2.rectangle(crop, (96, 96), (159, 159), (200, 40, 20), -1)
    return crop, np.float32([128, 128, 64, 64])


HARD: dict[str, Callable[[np.ndarray, np.ndarray, np.random.Generator], np.ndarray]] = {
    "photometric": lambda crop, _box, rng: augment.photometric(crop, AugmentRecipe(), rng),
    "motion blur": lambda crop, _box, rng: augment.camera(crop, 64, replace(CLEAN, motion_blur=1.0), rng),
    "low resolution": lambda crop, _box, rng: augment.camera(crop, 64, replace(CLEAN, low_resolution=1.0), rng),
    "noise": lambda crop, _box, rng: augment.camera(crop, 64, replace(CLEAN, noise=1.0), rng),
    "compression": lambda crop, _box, rng: augment.camera(crop, 64, replace(CLEAN, compression=1.0), rng),
    "occluder": lambda crop, box, rng: augment.occlude(crop, box, np.full((9, 9, 3), 255, np.uint8), rng),
    "cover": lambda crop, box, rng: augment.hide(crop, box, np.full((9, 9, 3), 255, np.uint8), rng),
    "look-alike": lambda crop, box, rng: augment.place_look_alike(crop, box, crop[96:160, 96:160], rng),
}


@pytest.mark.parametrize("name", HARD)
def test_every_hard_case_changes_the_crop_and_keeps_its_form(name: str) -> None:
    crop, box = crop_with_target()
    out = HARD[name](crop.copy(), box, np.random.default_rng(1))
    assert out.shape == crop.shape
    assert out.dtype == np.uint8
    assert (out != crop).any()


def test_an_occluder_covers_part_of_the_target_and_not_all() -> None:
    crop, box = crop_with_target()
    for seed in range(20):
        out = augment.occlude(crop, box, np.full((9, 9, 3), 255, np.uint8), np.random.default_rng(seed))
        covered = (out[96:160, 96:160] == 255).all(-1).mean()
        assert 0.2 < covered < 0.75


def test_a_cover_leaves_nothing_of_the_target() -> None:
    crop, box = crop_with_target()
    for seed in range(20):
        out = augment.hide(crop, box, np.full((9, 9, 3), 255, np.uint8), np.random.default_rng(seed))
        # With another picture or with the ground, never with the target's own colour.
        assert ((out[96:160, 96:160] == 255).all(-1) | (out[96:160, 96:160] == 90).all(-1)).all()


def test_a_search_with_a_hidden_target_counts_as_one_without_it(shards: Path) -> None:
    sometimes = sampler(shards, hard=replace(CLEAN, hidden=0.5)).batch(range(40)).is_present
    assert 8 <= float(sometimes.sum()) <= 32
    assert not sampler(shards, hard=replace(CLEAN, hidden=1.0)).batch(range(4)).is_present.any()


def test_a_look_alike_stays_clear_of_the_target() -> None:
    crop, box = crop_with_target()
    for seed in range(20):
        out = augment.place_look_alike(crop, box, np.full((30, 30, 3), 255, np.uint8), np.random.default_rng(seed))
        assert (out[96:160, 96:160] == crop[96:160, 96:160]).all()


def test_padding_can_show_another_picture() -> None:
    crop, _ = crop_with_target()
    shown = np.full((256, 256), 255, np.uint8)
    shown[:, :50] = 0
    out = augment.fill_padding(crop, shown, np.full((10, 10, 3), 7, np.uint8))
    assert (out[:, :50] == 7).all()
    assert (out[:, 50:] == crop[:, 50:]).all()


def test_three_moments_lie_within_the_largest_gap() -> None:
    rng = np.random.default_rng(0)
    times = list(range(0, 1000, 10))
    drawn = [three_moments(times, 60, rng) for _ in range(300)]
    assert max(abs(times[a] - times[c]) for a, _, c in drawn) <= 120
    assert all(a <= b <= c or a >= b >= c for a, b, c in drawn)
    assert 0.35 < sum(a > c for a, _, c in drawn) / 300 < 0.65


def test_held_out_targets_are_apart_from_the_training_ones(shards: Path) -> None:
    targets = read_shards(shards)
    train, held = split_held_out(targets, ["moving"], every_clip=3, every_still=4)
    assert len(train) + len(held) == len(targets)
    assert {target.clip for target in held} == {"c2", "c5", ""}
    assert sum(not target.clip for target in held) == 10
    assert sum(balance(held)[:2]) == pytest.approx(sum(balance(held)[2:]))


def test_a_source_is_drawn_by_its_weight(shards: Path) -> None:
    targets = read_shards(shards)
    pool = ShardPool(targets, weigh(targets, {"still": 0.0}, default=1.0))
    rng = np.random.default_rng(0)
    assert not any(pool.draw(rng).is_still for _ in range(50))


def test_an_unknown_source_is_refused(shards: Path) -> None:
    with pytest.raises(ConfigError, match="unknown source `bikes`") as caught:
        weigh(read_shards(shards), {"bikes": 1.0}, default=1.0)
    assert caught.value.hint == "sources in the data: moving, still"
    with pytest.raises(ConfigError, match="unknown source `stil`\nhint: did you mean `still`"):
        weigh(read_shards(shards), {"stil": 1.0}, default=1.0)


def test_data_without_any_weight_is_refused() -> None:
    with pytest.raises(ConfigError, match="no training target is left"):
        MixedPool([], [])


def pool_of_colours(targets: int) -> MixedPool:
    """Squares of pure blue, green and red on black, so that each is known wherever it is shown."""
    made = []
    for number in range(targets):
        picture = np.zeros((160, 160, 3), np.uint8)
        picture[60:100, 60:100, number] = 255
        crop = ShardCrop("", (60.0, 60.0, 40.0, 40.0), 0, cv2.imencode(".png", picture)[1].tobytes())
        made.append(ShardTarget("colours", f"c{number}", "", (crop, crop, crop)))
    return MixedPool([ShardPool(made, [1.0] * targets)], [1.0])


def colours_in(crop: torch.Tensor) -> set[int]:
    pixels = crop.numpy().reshape(-1, 3).astype(int)
    return {
        channel
        for channel in range(3)
        if ((pixels[:, channel] > 150) & (np.delete(pixels, channel, 1) < 60).all(1)).any()
    }


STILL = SamplingRecipe(clip_rotation=0.0, aspect_jitter=0.0, scale_jitter=0.2, fast_motion=0.0, absent=0.0)
BESIDE = replace(CLEAN, background=1.0, look_alike=1.0, look_alike_itself=0.5)


@pytest.mark.parametrize(
    ("hard", "absent"),
    [
        pytest.param(CLEAN, 1.0, id="another scene is shown"),
        pytest.param(BESIDE, 1.0, id="with a look-alike and a backdrop"),
        pytest.param(replace(BESIDE, occluder=1.0), 1.0, id="with an occluder"),
        pytest.param(replace(BESIDE, exits=1.0), 0.0, id="it has left"),
        pytest.param(replace(BESIDE, hidden=1.0), 0.0, id="it is hidden"),
        pytest.param(replace(CLEAN, exits=1.0, look_alike_same_source=1.0), 0.0, id="beside one of its own source"),
    ],
)
def test_a_search_without_the_target_shows_it_nowhere(hard: AugmentRecipe, absent: float) -> None:
    """A third of the draws of any of three targets would be the target itself."""
    made = Sampler(pool_of_colours(3), replace(STILL, absent=absent), hard, 128, 256, seed=3)
    shown: set[int] = set()
    for index in range(24):
        sample = made.sample(index)
        (target,) = colours_in(sample.templates[0, 48:80, 48:80])
        assert not sample.is_present
        assert target not in colours_in(sample.search)
        shown |= colours_in(sample.search)
    assert shown == {0, 1, 2}  # the others are


def test_data_of_one_scene_has_searches_without_the_target_all_the_same() -> None:
    made = Sampler(pool_of_colours(1), replace(STILL, absent=0.5), BESIDE, 128, 256, seed=3)
    samples = [made.sample(index) for index in range(24)]
    assert 4 < sum(not sample.is_present for sample in samples) < 20
    assert all(bool(colours_in(sample.search)) == bool(sample.is_present) for sample in samples)


def test_stills_of_one_source_may_show_each_other_and_are_one_scene(shards: Path) -> None:
    targets = read_shards(shards)
    pool, rng = ShardPool(targets, [1.0] * len(targets)), np.random.default_rng(0)
    still = next(draw.search for draw in iter(lambda: pool.draw(rng), None) if draw.is_still)
    others = [pool.draw_other(still, rng) for _ in range(20)]
    assert {other.source for other in others if other} == {"moving"}


def test_rare_other_scenes_are_found() -> None:
    rng = np.random.default_rng(0)
    assert Chooser([1e9, 1.0, 0.0]).choose_other(rng, lambda place: place != 0) == 1
    assert Chooser([1.0, 0.0]).choose_other(rng, lambda place: place != 0) is None
