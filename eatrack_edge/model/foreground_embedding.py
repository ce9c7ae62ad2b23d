"""Marks: which of a template's tokens show the target, and how far it reaches.

A template crop is cut about the target's box, and from the picture alone a network cannot know which box was meant: a
rider or the bicycle with him, a house or its wing. So each token learns how much of its cell the box covers. EATrack
does not do this; LoRAT (ECCV 2024) tells the foreground of a template from its background in the same place.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def cover(low: Tensor, high: Tensor, grid: int) -> Tensor:
    """Share of each cell that a box covers.

    Args:
        low: Left and top edge as fractions of the crop, shape (B, 2).
        high: Right and bottom edge, likewise.
        grid: Cells per side, F.

    Returns:
        Shape (B, F, F), in [0, 1]; sums to the area, in cells, of what lies inside the crop.
    """
    edges = torch.tensor([cell / grid for cell in range(grid + 1)], device=low.device)  # a constant in the graph
    covered = torch.minimum(high[..., None], edges[1:]) - torch.maximum(low[..., None], edges[:-1])
    across, down = (covered.relu() * grid).unbind(1)  # (B, F) each
    return down[:, :, None] * across[:, None, :]


class TargetMarks(nn.Module):
    """Two vectors per template slot, added to its Stage-1 tokens: what shows the target, and what lies beside it.

    A slot has its own, so that what a user drew can be told from what the tracker predicted. At first all are 0, and
    the network answers as it did without.

    Args:
        slots: Rows; at least two, so that the weights fit however many slots an export keeps.
        dim: Width of a token.
    """

    def __init__(self, slots: int, dim: int) -> None:
        super().__init__()
        self.inside = nn.Parameter(torch.zeros(max(slots, 2), dim))
        self.outside = nn.Parameter(torch.zeros(max(slots, 2), dim))

    def forward(self, tokens: Tensor, extent: Tensor, slot: Tensor) -> Tensor:
        """Marked tokens.

        Args:
            tokens: Stage 1's, shape (B, N, dim), row-major.
            extent: Width and height of the target's box, in the crop's middle, as fractions of the crop, (B, 2).
            slot: Which slot each is for, shape (B,), integer.
        """
        grid = round(tokens.shape[1] ** 0.5)
        share = cover(0.5 - extent / 2, 0.5 + extent / 2, grid).flatten(1)[..., None]  # (B, N, 1)
        inside, outside = (F.embedding(slot, table)[:, None] for table in (self.inside, self.outside))  # (B, 1, dim)
        return tokens + outside + share * (inside - outside)
