from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch

from eatrack_edge.datasets.shards import read_shards
from eatrack_edge.model.eatrack import EATrack
from eatrack_edge.model.registry import architecture
from eatrack_edge.train.pairs import LOG_SCALES, judge, make_pairs, score_pairs
from eatrack_edge.train.sampling import SamplingRecipe
from eatrack_edge.train.shard_pool import ShardPool, balance

pytestmark = pytest.mark.torch


def truth(count: int = 5) -> torch.Tensor:
    sides = torch.tensor([0.25 * math.exp(scale) for scale in LOG_SCALES])
    boxes = torch.stack([torch.full((3,), 0.5), torch.full((3,), 0.55), sides, sides], dim=1)
    return boxes.expand(count, 3, 4)


def test_the_truth_itself_scores_full_marks() -> None:
    scores = score_pairs(truth().flatten(0, 1), truth(), torch.ones(15), 16)
    assert scores.iou == pytest.approx(1, abs=1e-5)
    assert scores.hit == 1
    assert scores.slope == pytest.approx(1, abs=1e-5)
    assert scores.bias == pytest.approx(0, abs=1e-6)


def test_a_size_that_follows_half_way_and_ten_percent_small_shows_as_such() -> None:
    predicted = truth().clone()
    predicted[..., 2:] = 0.9 * 0.25 * (predicted[..., 2:] / 0.25) ** 0.5
    scores = score_pairs(predicted.flatten(0, 1), truth(), torch.ones(15), 16)
    assert scores.slope == pytest.approx(0.5, abs=1e-4)
    assert scores.bias == pytest.approx(math.log(0.9), abs=1e-4)


def test_a_centre_two_cells_off_is_no_hit() -> None:
    predicted = truth().clone()
    predicted[..., 0] += 2 / 16
    scores = score_pairs(predicted.flatten(0, 1), truth(), torch.ones(15), 16)
    assert scores.hit == 0
    assert math.isnan(scores.slope)
    assert math.isnan(scores.bias)


def test_pairs_are_the_same_at_every_call_and_judging_keeps_the_mode(shards: Path) -> None:
    targets = read_shards(shards)
    shape = architecture("eatrack_tiny")
    one, other = (
        make_pairs(ShardPool(targets, balance(targets)), 6, SamplingRecipe(), shape.template_size, shape.search_size)
        for _ in range(2)
    )
    assert torch.equal(one.searches, other.searches)
    assert one.searches.shape == (6, 3, 128, 128, 3)
    ratio = one.boxes[:, 2, 2] / one.boxes[:, 0, 2]
    torch.testing.assert_close(ratio, torch.full((6,), math.exp(0.6)), rtol=1e-4, atol=0)
    torch.manual_seed(0)
    network = EATrack(shape).train()
    assert judge(network, one) == judge(network, one, batch=4)
    assert network.training
