"""OSTrack's CENTER head: where the target's centre is, where in its cell, and how large. Module names are OSTrack's."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

from torch import Tensor, nn


class HeadLogits(NamedTuple):
    """The head's raw outputs, for losses that want logits."""

    score: Tensor  # (B, 1, F, F), logit that the target's centre is in the cell
    offset: Tensor  # (B, 2, F, F), centre within its cell, (dx, dy) in cells; no squashing, as OSTrack's
    size: Tensor  # (B, 2, F, F), logit of the target's (w, h) as a fraction of the search crop

    def to_maps(self) -> Maps:
        """Apply the sigmoids."""
        # OSTrack clamps to [1e-4, 1 - 1e-4] for its loss; at run time that only makes ties among sure cells.
        return Maps(self.score.sigmoid(), self.offset, self.size.sigmoid())


class Maps(NamedTuple):
    """What a frame is decoded from."""

    score_map: Tensor  # (B, 1, F, F), probability, in [0, 1]
    offset_map: Tensor  # (B, 2, F, F), (dx, dy) in cells
    size_map: Tensor  # (B, 2, F, F), (w, h) as a fraction of the search crop, in [0, 1]


class CenterHead(nn.Module):
    """Three branches of four 3x3 convolutions, halving their channels, and a 1x1."""

    def __init__(self, dim: int, width: int, *, bias: bool) -> None:
        super().__init__()
        channels = [dim, width, width // 2, width // 4, width // 8]
        for branch, outputs in (("ctr", 1), ("offset", 2), ("size", 2)):
            for layer, (before, after) in enumerate(pairwise(channels), start=1):
                self.add_module(
                    f"conv{layer}_{branch}",
                    nn.Sequential(
                        nn.Conv2d(before, after, kernel_size=3, padding=1, bias=bias), nn.BatchNorm2d(after), nn.ReLU()
                    ),
                )
            self.add_module(f"conv5_{branch}", nn.Conv2d(channels[-1], outputs, kernel_size=1))

    def forward(self, x: Tensor) -> HeadLogits:
        """Search tokens as a picture (B, dim, F, F) in."""
        return HeadLogits(self._branch(x, "ctr"), self._branch(x, "offset"), self._branch(x, "size"))

    def _branch(self, x: Tensor, name: str) -> Tensor:
        for layer in range(1, 6):
            x = self.get_submodule(f"conv{layer}_{name}")(x)
        return x
