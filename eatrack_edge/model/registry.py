"""The networks by name."""

from __future__ import annotations

from eatrack_edge.core.registry import Registry
from eatrack_edge.model.architecture import Architecture

MODELS: Registry[Architecture] = Registry(
    "model",
    {
        # The paper's student: 6,199,749 parameters without position tables.
        "eatrack_deit": Architecture(dim=192, heads=3, separate_blocks=6, joint_blocks=2),
        # Its teacher: the same class, all twelve blocks joint; 7,979,205 parameters.
        "eatrack_deit_teacher": Architecture(dim=192, heads=3, separate_blocks=0, joint_blocks=12),
        # The accurate one, as wide as DINOv2 ViT-S, from which it starts.
        "eatrack_s": Architecture(dim=384, heads=6, separate_blocks=4, joint_blocks=2, head_width=96, head_bias=False),
        # Two blocks more in Stage 1, under test: frozen features of DINOv2 ViT-S separate a target from a look-alike of
        # its own source best after six to eight blocks (training log, 2026-11-28).
        "eatrack_s_deep": Architecture(
            dim=384, heads=6, separate_blocks=6, joint_blocks=2, head_width=96, head_bias=False
        ),
        # Its teacher, on all twelve blocks of DINOv2 ViT-S. Stage 1 stays apart in the lower eight, so that they can be
        # frozen as they were pretrained: on single pictures.
        "eatrack_s_teacher": Architecture(
            dim=384, heads=6, separate_blocks=8, joint_blocks=4, head_width=96, head_bias=False
        ),
        # OSTrack's own, to load published checkpoints; without its candidate elimination, which has no parameters.
        "ostrack_vitb_256": Architecture(
            dim=768, heads=12, separate_blocks=0, joint_blocks=12, template_slots=1, foreground_embedding=False
        ),
        # Small enough for a test to train.
        "eatrack_tiny": Architecture(
            dim=48, heads=3, separate_blocks=1, joint_blocks=1, head_width=16, template_size=64, search_size=128
        ),
    },
)


def architecture(name: str) -> Architecture:
    """The architecture called ``name``.

    Raises:
        UsageError: There is none.
    """
    return MODELS.get(name)
