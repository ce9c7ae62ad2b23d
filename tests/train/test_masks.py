from __future__ import annotations

import pytest
import torch

from eatrack_edge.train.masks import box_mask, overlap_mask

pytestmark = pytest.mark.torch


def boxes(count: int = 200) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    centre = torch.rand(count, 2, generator=generator) * 0.5 + 0.25
    return torch.cat([centre, torch.rand(count, 2, generator=generator) * 0.3 + 0.1], dim=1)


def test_the_overlap_masks_area_is_the_boxs() -> None:
    torch.testing.assert_close(overlap_mask(boxes(), 16).sum((1, 2)), boxes()[:, 2:].prod(1) * 256)


def test_a_nominal_target_covers_sixteen_cells() -> None:
    assert float(overlap_mask(torch.tensor([[0.513, 0.47, 0.25, 0.25]]), 16).sum()) == pytest.approx(16, rel=1e-4)


@pytest.mark.parametrize("mask", [overlap_mask, box_mask], ids=["overlap", "box"])
def test_a_mask_is_never_empty(mask: object) -> None:
    odd = torch.tensor([[0.5, 0.5, 0.001, 0.001], [1.3, -0.2, 0.1, 0.1], [0.0, 1.0, 0.02, 0.02]])
    assert (mask(odd, 16).sum((1, 2)) >= 1).all()  # type: ignore[operator]


@pytest.mark.parametrize("mask", [overlap_mask, box_mask], ids=["overlap", "box"])
def test_a_mask_follows_a_flip(mask: object) -> None:
    flipped = boxes() * torch.tensor([-1.0, 1.0, 1.0, 1.0]) + torch.tensor([1.0, 0, 0, 0])
    torch.testing.assert_close(mask(flipped, 16), mask(boxes(), 16).flip(2), atol=1e-4, rtol=0)  # type: ignore[operator]


def test_the_box_mask_holds_at_least_three_by_three_inside_the_crop() -> None:
    assert float(box_mask(torch.tensor([[0.5, 0.5, 0.01, 0.01]]), 16).sum()) == 9
