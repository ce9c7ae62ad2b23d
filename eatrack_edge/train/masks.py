"""Where the target is, as weights on cells: what "target-aware" means in the distillation (EATrack, section 2)."""

from __future__ import annotations

import torch
from torch import Tensor

from eatrack_edge.model.foreground_embedding import cover
from eatrack_edge.train.losses import centre_cell


def overlap_mask(boxes: Tensor, grid: int) -> Tensor:
    """Share of each cell that the box covers.

    Args:
        boxes: (cx, cy, w, h) as fractions of the crop, shape (B, 4).
        grid: Cells per side, F.

    Returns:
        Shape (B, F, F), in [0, 1]; sums to the box's area in cells. A box too small to cover one cell in all, or
        outside the crop, weighs its centre's cell 1.
    """
    centre, half = boxes[:, :2], boxes[:, 2:] / 2
    mask = cover(centre - half, centre + half, grid)
    is_small = mask.sum((1, 2)) < 1
    return torch.where(is_small[:, None, None], _cell_mask(boxes, grid, reach=0), mask)


def box_mask(boxes: Tensor, grid: int) -> Tensor:
    """1 on cells that the box touches, and on the 3x3 about its centre; else 0.

    Args:
        boxes: (cx, cy, w, h) as fractions of the crop, shape (B, 4).
        grid: Cells per side, F.

    Returns:
        Shape (B, F, F).
    """
    touched = (overlap_mask(boxes, grid) > 0).to(boxes.dtype)
    return torch.maximum(touched, _cell_mask(boxes, grid, reach=1))


def _cell_mask(boxes: Tensor, grid: int, reach: int) -> Tensor:
    cell = centre_cell(boxes, grid)
    index = torch.arange(grid, device=boxes.device)
    across = (index - cell[:, :1]).abs() <= reach  # (B, F)
    down = (index - cell[:, 1:]).abs() <= reach
    return (down[:, :, None] & across[:, None, :]).to(boxes.dtype)
