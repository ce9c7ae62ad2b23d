"""The whole network: Stage 1 apart, Stage 2 together, head (EATrack, section 3)."""

from __future__ import annotations

from torch import Tensor, nn

from eatrack_edge.model.architecture import Architecture
from eatrack_edge.model.backbone import Backbone
from eatrack_edge.model.head import CenterHead, HeadLogits, Maps


class EATrack(nn.Module):
    """A tracker's network.

    ``encode_template`` once and ``track`` every frame is how it flies; ``forward`` does both and is how it trains.
    The two give the same maps, because Stage 1 never mixes template and search.
    """

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.architecture = architecture
        self.backbone = Backbone(architecture)
        self.box_head = CenterHead(architecture.dim, architecture.head_width, bias=architecture.head_bias)

    def encode_template(self, crop: Tensor) -> Tensor:
        """Template crop (B, 3, Z, Z), normalised RGB, in; tokens (B, (Z/16)^2, dim) to cache out."""
        return self.backbone.encode_template(crop)

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

    def forward(self, search: Tensor, templates: list[Tensor]) -> Maps:
        """Both stages at once: crops (B, 3, X, X) and one (B, 3, Z, Z) per slot in, maps out."""
        return self.track(search, [self.encode_template(template) for template in templates])[0]
