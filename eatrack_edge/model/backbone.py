"""The vision transformer: patches in, tokens out. Module names are timm's, so that its checkpoints load."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from eatrack_edge.model.architecture import Architecture
from eatrack_edge.model.foreground_embedding import ForegroundEmbedding


class PatchEmbed(nn.Module):
    """One token per patch."""

    def __init__(self, patch: int, dim: int) -> None:
        super().__init__()
        self.proj = nn.Conv2d(3, dim, kernel_size=patch, stride=patch)

    def forward(self, crop: Tensor) -> Tensor:
        """Crop (B, 3, S, S) in; tokens (B, (S/patch)^2, dim) out, row-major."""
        return self.proj(crop).flatten(2).transpose(1, 2)


class Attention(nn.Module):
    """Multi-head self-attention."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.qkv = nn.Linear(dim, 3 * dim)
        self.proj = nn.Linear(dim, dim)

    def forward(self, x: Tensor) -> Tensor:
        """Tokens (B, N, dim) in and out."""
        return self.mix(*self.split(self.qkv(x)))

    def split(self, qkv: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, keys and values side by side (B, N, 3 * dim) in; (B, heads, N, dim / heads) each out."""
        q, k, v = qkv.unflatten(2, (3, self.heads, -1)).permute(2, 0, 3, 1, 4).unbind(0)
        return q, k, v

    def by_head(self, x: Tensor) -> Tensor:
        """Queries, keys or values (B, N, dim) in; (B, heads, N, dim / heads) out."""
        return x.unflatten(2, (self.heads, -1)).transpose(1, 2)

    def mix(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """Let M queries look at N keys and take their values, by head; tokens (B, M, dim) out."""
        return self.proj(self.look(q, k, v))

    def look(self, q: Tensor, k: Tensor, v: Tensor) -> Tensor:
        """What each head takes, side by side, before the projection: (B, M, dim)."""
        # Written out rather than scaled_dot_product_attention: its backward on CPU is slower, and the exporter
        # would write the same three nodes.
        weights = (q * q.shape[-1] ** -0.5) @ k.transpose(-2, -1)  # (B, heads, M, N)
        return (weights.softmax(dim=-1) @ v).transpose(1, 2).flatten(2)


class Mlp(nn.Module):
    """Two linear layers with an exact GELU between."""

    def __init__(self, dim: int, ratio: int) -> None:
        super().__init__()
        self.fc1 = nn.Linear(dim, ratio * dim)
        self.act = nn.GELU()
        self.fc2 = nn.Linear(ratio * dim, dim)

    def forward(self, x: Tensor) -> Tensor:
        """Tokens (B, N, dim) in and out."""
        return self.fc2(self.act(self.fc1(x)))


class Block(nn.Module):
    """A pre-norm transformer block.

    Attributes:
        drop_path: Probability of skipping a branch for a sample, in training only; 0 at first.
    """

    def __init__(self, dim: int, heads: int, mlp_ratio: int) -> None:
        super().__init__()
        self.drop_path = 0.0
        self.norm1 = nn.LayerNorm(dim, eps=1e-6)
        self.attn = Attention(dim, heads)
        self.norm2 = nn.LayerNorm(dim, eps=1e-6)
        self.mlp = Mlp(dim, mlp_ratio)

    def forward(self, x: Tensor) -> Tensor:
        """Tokens (B, N, dim) in and out."""
        x = x + self._drop(self.attn(self.norm1(x)))
        return x + self._drop(self.mlp(self.norm2(x)))

    def _drop(self, branch: Tensor) -> Tensor:
        if not self.training or self.drop_path == 0.0:
            return branch
        kept = 1.0 - self.drop_path
        return branch * (torch.rand(branch.shape[0], 1, 1, device=branch.device) < kept) / kept


class Backbone(nn.Module):
    """Both stages of the network, and the two position tables."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        dim = architecture.dim
        self.separate_blocks = architecture.separate_blocks
        self.search_tokens = architecture.grid**2
        self.patch_embed = PatchEmbed(architecture.patch, dim)
        # Both template slots share one table: a slot is the same window on the target at another time.
        self.pos_embed_z = nn.Parameter(torch.zeros(1, architecture.template_grid**2, dim))
        self.pos_embed_x = nn.Parameter(torch.zeros(1, self.search_tokens, dim))
        self.foreground_embedding = (
            ForegroundEmbedding(architecture.template_slots, dim) if architecture.foreground_embedding else None
        )
        self.blocks = nn.ModuleList(
            Block(dim, architecture.heads, architecture.mlp_ratio) for _ in range(architecture.blocks)
        )
        self.norm = nn.LayerNorm(dim, eps=1e-6)
        for table in (self.pos_embed_z, self.pos_embed_x):
            nn.init.trunc_normal_(table, std=0.02)

    def encode_template(self, crop: Tensor, extent: Tensor, slot: Tensor) -> Tensor:
        """Stage 1 on a template crop (B, 3, Z, Z), normalised; tokens (B, (Z/patch)^2, dim) out, to be cached.

        ``extent`` and ``slot`` are those of ``embed_foreground``.
        """
        return self.embed_foreground(self._separate(self.patch_embed(crop) + self.pos_embed_z), extent, slot)

    def embed_foreground(self, tokens: Tensor, extent: Tensor, slot: Tensor) -> Tensor:
        """Add the foreground embedding to a template's Stage-1 tokens, where the network has one."""
        return tokens if self.foreground_embedding is None else self.foreground_embedding(tokens, extent, slot)

    def encode_search(self, crop: Tensor) -> Tensor:
        """Stage 1 on a search crop (B, 3, X, X), normalised; tokens (B, F*F, dim) out."""
        return self._separate(self.patch_embed(crop) + self.pos_embed_x)

    def join(self, templates: list[Tensor], search: Tensor) -> Tensor:
        """Stage 2 on [template 0; template 1; ...; search].

        Args:
            templates: Stage-1 tokens, one tensor (B, (Z/patch)^2, dim) per slot.
            search: Stage-1 tokens, shape (B, F*F, dim).

        Returns:
            All tokens after the last block, without the final norm, shape (B, slots * (Z/patch)^2 + F*F, dim).
        """
        x = torch.cat([*templates, search], dim=1)
        for block in self.blocks[self.separate_blocks :]:
            x = block(x)
        return x

    def finish(self, tokens: Tensor) -> Tensor:
        """The final norm, on the search tokens alone: the last F*F of Stage 2's, shape (B, F*F, dim)."""
        return self.norm(tokens[:, -self.search_tokens :])

    def _separate(self, x: Tensor) -> Tensor:
        for block in self.blocks[: self.separate_blocks]:
            x = block(x)
        return x
