"""Foreground embedding: tells a template's tokens how much of their patch the target's box covers.

A template crop is cut around the target's box, and from the image alone a network cannot know which box was meant: a
rider or the bicycle with him, a house or its wing. EATrack does not do this; LoRAT (ECCV 2024) adds an embedding of
foreground and background to its template tokens in the same place.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def cover(low: Tensor, high: Tensor, grid: int) -> Tensor:
    """Share of each patch that a box covers.

    Args:
        low: Left and top edge as fractions of the crop, shape (B, 2).
        high: Right and bottom edge, likewise.
        grid: Patches per side, F.

    Returns:
        Shape (B, F, F), in [0, 1]; sums to the area of the box inside the crop, in patches.
    """
    edges = torch.tensor([cell / grid for cell in range(grid + 1)], device=low.device)  # a constant in the graph
    covered = torch.minimum(high[..., None], edges[1:]) - torch.maximum(low[..., None], edges[:-1])
    across, down = (covered.relu() * grid).unbind(1)  # (B, F) each
    return down[:, :, None] * across[:, None, :]


class ForegroundEmbedding(nn.Module):
    """Two vectors per template slot, added to its Stage-1 tokens: one for the target, one for the background.

    Each slot has its own, so that the network can tell a box that the user drew from one that the tracker predicted.
    All begin at 0, which leaves the network's output as it was.

    Args:
        slots: Rows; at least two, so that the weights fit however many slots an export keeps.
        dim: Width of a token.
    """

    def __init__(self, slots: int, dim: int) -> None:
        super().__init__()
        self.inside = nn.Parameter(torch.zeros(max(slots, 2), dim))
        self.outside = nn.Parameter(torch.zeros(max(slots, 2), dim))

    def forward(self, tokens: Tensor, extent: Tensor, slot: Tensor) -> Tensor:
        """Add the embedding to a template's tokens.

        Args:
            tokens: Stage 1's, shape (B, N, dim), row-major.
            extent: Width and height of the target's box, in the crop's middle, as fractions of the crop, (B, 2).
            slot: Which slot each is for, shape (B,), integer.
        """
        grid = round(tokens.shape[1] ** 0.5)
        share = cover(0.5 - extent / 2, 0.5 + extent / 2, grid).flatten(1)[..., None]  # (B, N, 1)
        inside, outside = (F.embedding(slot, table)[:, None] for table in (self.inside, self.outside))  # (B, 1, dim)
        return tokens + outside + share * (inside - outside)
