from __future__ import annotations

import math

import pytest
import torch

from eatrack_edge.model.head import HeadLogits
from eatrack_edge.train.losses import (
    LossRecipe,
    decode_peak,
    generalised_iou,
    penalty_reduced_focal,
    score_target,
    tracking_loss,
)

pytestmark = pytest.mark.torch
GRID = 16


def logit(value: torch.Tensor) -> torch.Tensor:
    return torch.log(value / (1 - value))


def right_answer(boxes: torch.Tensor) -> HeadLogits:
    """What a network that knows the boxes would say in every cell."""
    count = len(boxes)
    index = torch.arange(GRID, dtype=torch.float32)
    cells = torch.stack([index.expand(GRID, GRID), index[:, None].expand(GRID, GRID)])
    offset = boxes[:, :2, None, None] * GRID - cells
    size = logit(boxes[:, 2:])[:, :, None, None].expand(count, 2, GRID, GRID)
    score = torch.where(score_target(boxes, GRID, LossRecipe())[:, None] == 1, 20.0, -20.0)
    return HeadLogits(score, offset, size)


BOXES = torch.tensor([[0.52, 0.48, 0.25, 0.2], [0.1, 0.9, 0.05, 0.3]])
PRESENT = torch.ones(2)


def test_the_right_answer_costs_nothing_and_decodes_to_the_truth() -> None:
    logits = right_answer(BOXES)
    loss = tracking_loss(logits, BOXES, PRESENT, LossRecipe())
    assert loss.total.item() == pytest.approx(0, abs=1e-4)
    boxes, confidence = decode_peak(logits)
    torch.testing.assert_close(boxes, BOXES, atol=1e-5, rtol=0)
    assert float(confidence.min()) > 0.99


def test_the_score_target_is_one_at_the_centres_cell_alone() -> None:
    target = score_target(BOXES, GRID, LossRecipe())
    assert (target == 1).sum((1, 2)).tolist() == [1, 1]
    assert target[0, math.floor(0.48 * GRID), math.floor(0.52 * GRID)] == 1


def test_the_focal_loss_is_cornernets_by_hand() -> None:
    score = torch.tensor([[[0.3, -1.2]]])
    heat = torch.tensor([[[1.0, 0.4]]])
    p, q = torch.sigmoid(score)[0, 0].tolist()
    expected = -((1 - p) ** 2 * math.log(p) + (1 - 0.4) ** 4 * q**2 * math.log(1 - q))
    assert float(penalty_reduced_focal(score, heat)[0]) == pytest.approx(expected, rel=1e-5)


def test_an_absent_target_teaches_low_scores_and_no_box() -> None:
    logits = HeadLogits(*(torch.randn(2, n, GRID, GRID, requires_grad=True) for n in (1, 2, 2)))
    tracking_loss(logits, BOXES, torch.zeros(2), LossRecipe()).total.backward()
    assert logits.score.grad is not None
    assert bool((logits.score.grad > 0).all())
    assert logits.size.grad is None or not logits.size.grad.any()


def test_box_losses_reach_cells_near_the_centre_alone() -> None:
    logits = HeadLogits(*(torch.randn(1, n, GRID, GRID, requires_grad=True) for n in (1, 2, 2)))
    tracking_loss(logits, BOXES[:1], torch.ones(1), LossRecipe()).total.backward()
    assert logits.size.grad is not None
    touched = logits.size.grad.abs().sum((0, 1)) > 0
    rows, columns = touched.nonzero(as_tuple=True)
    assert 9 <= int(touched.sum()) <= 25
    assert (rows - 7).abs().max() <= 2
    assert (columns - 8).abs().max() <= 2


def test_a_sigma_of_zero_teaches_the_centres_cell_alone() -> None:
    logits = HeadLogits(*(torch.randn(1, n, GRID, GRID, requires_grad=True) for n in (1, 2, 2)))
    tracking_loss(logits, BOXES[:1], torch.ones(1), LossRecipe(box_sigma=0)).total.backward()
    assert logits.size.grad is not None
    assert int((logits.size.grad.abs().sum((0, 1)) > 0).sum()) == 1


def test_the_log_size_term_counts_a_ratio_the_same_at_every_size() -> None:
    losses = []
    for side in (0.05, 0.4):
        box = torch.tensor([[0.5, 0.5, side, side]])
        logits = right_answer(box)._replace(size=logit(torch.full((1, 2, GRID, GRID), side * 1.1)))
        losses.append(tracking_loss(logits, box, torch.ones(1), LossRecipe()).log_size.item())
    assert losses == pytest.approx([math.log(1.1)] * 2, rel=1e-4)


@pytest.mark.parametrize(
    ("other", "expected"),
    [((0.5, 0.5, 0.2, 0.2), 1.0), ((0.6, 0.5, 0.2, 0.2), 1 / 3), ((0.8, 0.5, 0.2, 0.2), -0.2)],
    ids=["same", "half over", "apart"],
)
def test_generalised_iou_by_hand(other: tuple[float, ...], expected: float) -> None:
    got = generalised_iou(torch.tensor([[0.5, 0.5, 0.2, 0.2]]), torch.tensor([other]), dim=1)
    assert float(got) == pytest.approx(expected, abs=1e-5)
