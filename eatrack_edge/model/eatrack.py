"""The whole network: Stage 1 apart, Stage 2 together, head (EATrack, section 3)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from eatrack_edge.model.architecture import Architecture
from eatrack_edge.model.backbone import Backbone
from eatrack_edge.model.head import CenterHead, HeadLogits, Maps


class EATrack(nn.Module):
    """A tracker's network.

    Deployed, it runs ``encode_template`` once and ``track`` every frame; training calls ``forward``, which does both.
    The two give the same maps, because Stage 1 never mixes template and search.
    """

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.architecture = architecture
        self.backbone = Backbone(architecture)
        self.box_head = CenterHead(architecture.dim, architecture.head_width, bias=architecture.head_bias)

    def encode_template(self, crop: Tensor, extent: Tensor, slot: Tensor) -> Tensor:
        """What of a template is cached.

        Args:
            crop: Normalised RGB, shape (B, 3, Z, Z).
            extent: Width and height of the target's box as fractions of the crop, shape (B, 2).
            slot: The template slot that it is for, shape (B,), integer.

        Returns:
            Tokens, shape (B, (Z/16)^2, dim).
        """
        return self.backbone.encode_template(crop, extent, slot)

    def track(self, search: Tensor, templates: list[Tensor]) -> tuple[Maps, Tensor]:
        """Find the target in a search crop.

        Args:
            search: Crop, normalised RGB, shape (B, 3, X, X).
            templates: Cached tokens, one tensor (B, (Z/16)^2, dim) per slot.

        Returns:
            The maps, and the search crop's Stage-1 tokens, shape (B, F*F, dim).
        """
        search_tokens = self.backbone.encode_search(search)
        tokens = self.backbone.finish(self.backbone.join(templates, search_tokens))
        return self.predict(tokens).to_maps(), search_tokens

    def predict(self, tokens: Tensor) -> HeadLogits:
        """The head on finished search tokens, shape (B, F*F, dim)."""
        grid = self.architecture.grid
        return self.box_head(tokens.transpose(1, 2).unflatten(2, (grid, grid)))  # (B, dim, F, F)

    def forward(self, search: Tensor, templates: list[Tensor], extents: list[Tensor]) -> Maps:
        """Both stages at once: crops (B, 3, X, X) and one (B, 3, Z, Z) per slot with its extent (B, 2) in, maps out."""
        slots = [torch.full((len(search),), slot, device=search.device) for slot in range(len(templates))]
        cached = [self.encode_template(*each) for each in zip(templates, extents, slots, strict=True)]
        return self.track(search, cached)[0]
