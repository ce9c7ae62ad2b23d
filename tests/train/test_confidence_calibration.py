from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch

from eatrack_edge.datasets.shards import read_shards
from eatrack_edge.model.eatrack import EATrack
from eatrack_edge.model.registry import architecture
from eatrack_edge.train.augment import AugmentRecipe
from eatrack_edge.train.confidence_calibration import (
    area_under_curve,
    calibrate,
    calibration_sampling,
    expected_calibration_error,
    fit,
)
from eatrack_edge.train.sampling import Sampler, SamplingRecipe
from eatrack_edge.train.shard_pool import ShardPool

pytestmark = pytest.mark.torch


def test_the_curve_that_made_the_answers_is_found_again() -> None:
    generator = torch.Generator().manual_seed(0)
    logits = torch.randn(20_000, generator=generator) * 2
    rights = (torch.rand(20_000, generator=generator) < (1.7 * logits - 0.6).sigmoid()).float()
    scale, shift = fit(logits, rights)
    assert scale == pytest.approx(1.7, abs=0.1)
    assert shift == pytest.approx(-0.6, abs=0.1)
    assert expected_calibration_error((scale * logits + shift).sigmoid(), rights) < 0.01
    assert expected_calibration_error(logits.sigmoid(), rights) > 0.05


def test_the_calibration_error_by_hand() -> None:
    probabilities, rights = torch.tensor([0.95, 0.95, 0.15, 0.15]), torch.tensor([1.0, 0.0, 0.0, 0.0])
    assert expected_calibration_error(probabilities, rights) == pytest.approx((0.9 + 0.3) / 4)


@pytest.mark.parametrize(
    ("values", "expected"), [([3.0, 2.0, 1.0, 0.0], 1.0), ([0.0, 1.0, 2.0, 3.0], 0.0), ([1.0] * 4, 0.5)]
)
def test_the_area_under_the_curve_by_hand(values: list[float], expected: float) -> None:
    assert area_under_curve(torch.tensor(values), torch.tensor([True, True, False, False])) == expected


def test_with_one_kind_alone_there_is_no_curve() -> None:
    assert math.isnan(area_under_curve(torch.ones(3), torch.ones(3, dtype=torch.bool)))


def test_a_network_is_calibrated_on_held_out_samples(shards: Path) -> None:
    targets = read_shards(shards)
    sampling = calibration_sampling(SamplingRecipe())
    samples = Sampler(ShardPool(targets, [1.0] * len(targets)), sampling, AugmentRecipe(), 64, 128, seed=1)
    torch.manual_seed(0)
    found = calibrate(EATrack(architecture("eatrack_tiny")).eval(), samples, 16, batch=8)
    assert found.scale > 0
    assert 0 <= found.error_after <= 1
    assert found.to_metadata().keys() == {"confidence_scale", "confidence_shift"}
