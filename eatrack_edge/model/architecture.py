"""The shape of a network: everything that decides its parameters, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass

from eatrack_edge.core.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Architecture:
    """A two-stage ViT with a CENTER head (EATrack, section 3; OSTrack's when ``separate_blocks`` is 0)."""

    dim: int  # width of a token
    heads: int  # attention heads; dim / heads is 64 in every published ViT
    separate_blocks: int  # Stage 1: template and search apart, shared weights
    joint_blocks: int  # Stage 2: all tokens together
    head_width: int = 256  # channels of the head's first convolution; each next one has half
    head_bias: bool = True  # 3x3 convolutions with a bias: OSTrack's have one, though batch norm makes it useless
    template_slots: int = 2  # templates seen together in Stage 2
    foreground_embedding: bool = True  # template tokens say whether they show the target, see that module
    template_size: int = 128  # px
    search_size: int = 256  # px
    patch: int = 16  # px per token side
    mlp_ratio: int = 4

    def __post_init__(self) -> None:
        if self.template_size % self.patch or self.search_size % self.patch:
            raise ConfigError(
                f"crop sizes must be multiples of {self.patch} px, got {self.template_size} and {self.search_size}"
            )
        if self.dim % self.heads:
            raise ConfigError(f"dim must be a multiple of heads, got {self.dim} and {self.heads}")
        if self.template_slots < 1:
            raise ConfigError(f"template_slots must be at least 1, got {self.template_slots}")

    @property
    def blocks(self) -> int:
        """Blocks in all."""
        return self.separate_blocks + self.joint_blocks

    @property
    def template_grid(self) -> int:
        """Template tokens per side."""
        return self.template_size // self.patch

    @property
    def grid(self) -> int:
        """Search tokens per side, F."""
        return self.search_size // self.patch
