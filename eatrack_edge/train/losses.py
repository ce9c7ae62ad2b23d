"""The tracking loss: where the centre is (focal), and how the box lies (L1, GIoU, log size).

All terms are means over samples, so that a batch shared among processes has the loss of the whole.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F

from eatrack_edge.model.head import HeadLogits


@dataclass(frozen=True, slots=True)
class LossRecipe:
    """Weights of the terms. Focal has 1; 5 and 2 are the paper's (section 2.3) and OSTrack's."""

    l1: float = 5.0  # on (cx, cy, w, h) as fractions of the crop
    giou: float = 2.0
    # Not in the paper; 0 leaves it out. L1 counts an error of 10 % of a small target little, so a network saves by
    # predicting the mean size: the study's first student followed the true log size with slope 0.47 only.
    log_size: float = 2.0  # on log w and log h
    score_spread: float = 0.1  # sigma of the score's Gaussian per side of the target; the study's
    score_sigma_least: float = 0.45  # cells
    score_sigma_most: float = 1.3  # cells
    # OSTrack learns the box at one cell only. At run time the peak may lie one cell off, so the neighbours learn too.
    box_sigma: float = 0.8  # cells, of the weight of a cell's box loss; 0 is the centre's cell alone


class TrackingLoss(NamedTuple):
    """The terms before weighting, and their weighted sum; each a scalar."""

    total: Tensor
    focal: Tensor
    l1: Tensor
    giou: Tensor
    log_size: Tensor


def tracking_loss(logits: HeadLogits, boxes: Tensor, is_present: Tensor, recipe: LossRecipe) -> TrackingLoss:
    """Loss of the head's maps.

    Args:
        logits: The head's raw outputs.
        boxes: True (cx, cy, w, h) as fractions of the crop, shape (B, 4).
        is_present: 1 where the search shows the target, shape (B,). Elsewhere all scores are to be low.
        recipe: Weights.
    """
    grid = logits.score.shape[-1]
    heat = score_target(boxes, grid, recipe) * is_present[:, None, None]  # (B, F, F)
    focal = penalty_reduced_focal(logits.score[:, 0], heat).mean()
    weight = _box_weight(boxes, grid, recipe.box_sigma) * is_present[:, None, None]  # (B, F, F), sums to 1 or 0
    predicted = decode_every_cell(logits)  # (B, 4, F, F)
    truth = boxes[:, :, None, None].expand_as(predicted)
    l1 = _weighted((predicted - truth).abs().mean(1), weight)
    giou = _weighted(1 - generalised_iou(predicted, truth, dim=1), weight)
    # logsigmoid rather than log(sigmoid): exact for small sizes, and its gradient never dies.
    log_error = (F.logsigmoid(logits.size.float()) - truth[:, 2:].log()).abs().mean(1)
    log_size = _weighted(log_error, weight)
    total = focal + recipe.l1 * l1 + recipe.giou * giou + recipe.log_size * log_size
    return TrackingLoss(total, focal, l1, giou, log_size)


def score_target(boxes: Tensor, grid: int, recipe: LossRecipe) -> Tensor:
    """A Gaussian about the centre's cell, 1 there, as wide as the target.

    Args:
        boxes: (cx, cy, w, h) as fractions of the crop, shape (B, 4).
        grid: Cells per side, F.
        recipe: Its width.

    Returns:
        Shape (B, F, F), in [0, 1], exactly 1 at one cell.
    """
    cell = centre_cell(boxes, grid)
    sigma = (boxes[:, 2:] * grid * recipe.score_spread).clamp(recipe.score_sigma_least, recipe.score_sigma_most)
    return _gaussian(cell.float(), sigma, grid)


def centre_cell(boxes: Tensor, grid: int) -> Tensor:
    """Column and row of the cell that holds the centre, int64, shape (B, 2)."""
    return (boxes[:, :2] * grid).floor().long().clamp(0, grid - 1)


def penalty_reduced_focal(score: Tensor, heat: Tensor) -> Tensor:
    """CornerNet's focal loss, alpha 2 and beta 4, of logits.

    Args:
        score: Logits, shape (B, F, F).
        heat: Target in [0, 1]; 1 marks the positive cell, shape (B, F, F).

    Returns:
        Summed over cells, shape (B,).
    """
    score = score.float()
    probability = score.sigmoid()
    positive = (heat == 1).float()
    hit = (1 - probability) ** 2 * F.logsigmoid(score) * positive
    miss = probability**2 * F.logsigmoid(-score) * (1 - heat) ** 4 * (1 - positive)
    return -(hit + miss).sum((1, 2))


def decode_every_cell(logits: HeadLogits) -> Tensor:
    """The box that each cell predicts: (cx, cy, w, h) as fractions of the crop, shape (B, 4, F, F)."""
    grid = logits.score.shape[-1]
    index = torch.arange(grid, device=logits.score.device, dtype=torch.float32)
    cells = torch.stack([index.expand(grid, grid), index[:, None].expand(grid, grid)])  # (2, F, F): column, row
    return torch.cat([(cells + logits.offset.float()) / grid, logits.size.float().sigmoid()], dim=1)


def decode_peak(logits: HeadLogits) -> tuple[Tensor, Tensor]:
    """The box at the highest score, no window.

    Returns:
        Boxes (cx, cy, w, h) as fractions of the crop, shape (B, 4); their confidence, shape (B,).
    """
    flat = logits.score.flatten(1)  # (B, F*F)
    peak = flat.argmax(1)
    boxes = decode_every_cell(logits).flatten(2)  # (B, 4, F*F)
    picked = boxes.gather(2, peak[:, None, None].expand(-1, 4, 1))[..., 0]
    return picked, flat.float().sigmoid().gather(1, peak[:, None])[:, 0]


def generalised_iou(one: Tensor, other: Tensor, dim: int) -> Tensor:
    """GIoU of boxes (cx, cy, w, h) along ``dim``, in (-1, 1]; other dimensions as they are."""
    low, high, area = _corners(one, dim)
    other_low, other_high, other_area = _corners(other, dim)
    inside = (torch.minimum(high, other_high) - torch.maximum(low, other_low)).clamp(min=0).prod(dim)
    hull = (torch.maximum(high, other_high) - torch.minimum(low, other_low)).prod(dim)
    union = area + other_area - inside
    return inside / union.clamp(min=1e-9) - (hull - union) / hull.clamp(min=1e-9)


def _corners(boxes: Tensor, dim: int) -> tuple[Tensor, Tensor, Tensor]:
    centre, size = boxes.narrow(dim, 0, 2), boxes.narrow(dim, 2, 2)
    return centre - size / 2, centre + size / 2, size.prod(dim)


def _box_weight(boxes: Tensor, grid: int, sigma: float) -> Tensor:
    cell = centre_cell(boxes, grid).float()
    # A millionth of a cell stands for "this cell alone".
    weight = _gaussian(cell, torch.full_like(cell, max(sigma, 1e-6)), grid)
    weight = weight * (weight > 0.03)
    return weight / weight.sum((1, 2), keepdim=True)


def _gaussian(centre: Tensor, sigma: Tensor, grid: int) -> Tensor:
    index = torch.arange(grid, device=centre.device, dtype=torch.float32)
    across = ((index[None] - centre[:, :1]) / sigma[:, :1]) ** 2  # (B, F)
    down = ((index[None] - centre[:, 1:]) / sigma[:, 1:]) ** 2
    return torch.exp(-(across[:, None, :] + down[:, :, None]) / 2)


def _weighted(error: Tensor, weight: Tensor) -> Tensor:
    return (error * weight).sum((1, 2)).mean()
