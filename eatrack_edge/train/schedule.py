"""Rates and freezing as functions of the share of the run that is done. No state, so nothing to save."""

from __future__ import annotations

import math
from typing import cast

from torch import nn
from torch.optim import AdamW

from eatrack_edge.model.backbone import Block
from eatrack_edge.model.eatrack import EATrack
from eatrack_edge.train.recipe import OptimiserRecipe


def rate_factor(done: float, recipe: OptimiserRecipe) -> float:
    """The rate over its peak, in (0, 1].

    Args:
        done: Share of the run, in [0, 1].
        recipe: Warm-up and decay.
    """
    if done < recipe.warm_up:
        return max(done / recipe.warm_up, 0.01)
    if recipe.decay == "drop":
        return 0.1 if done >= recipe.drop_at else 1.0
    through = min((done - recipe.warm_up) / max(1 - recipe.warm_up, 1e-9), 1.0)
    return recipe.final_rate + (1 - recipe.final_rate) * (1 + math.cos(math.pi * through)) / 2


def make_optimiser(network: EATrack, recipe: OptimiserRecipe, projectors: nn.Module | None = None) -> AdamW:
    """AdamW with rates for head, foreground embedding, Stage 2 and Stage 1; no decay of norms, biases and tables.

    Args:
        network: To be trained.
        recipe: Rates and decay.
        projectors: Trained beside it at the head's rate, being as new.
    """
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, parameter in network.named_parameters():
        decay = 0.0 if parameter.ndim < 2 or _is_table(name) else recipe.weight_decay
        groups.setdefault((_rate(name, network, recipe), decay), []).append(parameter)
    if projectors is not None:
        groups.setdefault((recipe.head_rate, 0.0), []).extend(projectors.parameters())
    return AdamW(
        [{"params": held, "lr": rate, "peak": rate, "weight_decay": decay} for (rate, decay), held in groups.items()],
        betas=recipe.betas,
    )


def _rate(name: str, network: EATrack, recipe: OptimiserRecipe) -> float:
    if name.startswith("box_head."):
        is_score = name.split(".")[1].endswith("_ctr")
        return recipe.score_rate if is_score and recipe.score_rate is not None else recipe.head_rate
    if ".foreground_embedding." in name:
        return recipe.marks_rate
    block = _block(name)
    is_joint = name.startswith("backbone.norm.") or block >= network.backbone.separate_blocks
    return recipe.joint_rate if is_joint else recipe.separate_rate


def _is_table(name: str) -> bool:
    """Vectors that are added to tokens, not matrices that multiply them."""
    return "pos_embed" in name or ".foreground_embedding." in name


def set_rate(optimiser: AdamW, factor: float) -> None:
    """Set each group's rate to ``factor`` times its peak."""
    for group in optimiser.param_groups:
        group["lr"] = group["peak"] * factor


def freeze(network: EATrack, done: float, recipe: OptimiserRecipe) -> int:
    """Freeze what has a rate of 0 and the lowest blocks as the share of the run asks, and release all else.

    Returns:
        How many blocks are frozen now by their share of the run.
    """
    count = recipe.freeze_blocks if done < recipe.freeze_until else recipe.freeze_always
    for name, parameter in network.named_parameters():
        place = name.removeprefix("backbone.")
        is_below = place.startswith(("patch_embed.", "pos_embed")) or 0 <= _block(name) < count
        parameter.requires_grad_(not (count and is_below) and _rate(name, network, recipe) > 0)
        if not parameter.requires_grad:
            parameter.grad = None  # a stale gradient would go on moving it
    for module in network.modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            module.train(module.weight.requires_grad)  # statistics would move a frozen branch as surely as a gradient
    return count


def set_drop_path(network: EATrack, largest: float) -> None:
    """Drop path rising linearly from 0 at the first block to ``largest`` at the last."""
    blocks = list(network.backbone.blocks)
    for place, block in enumerate(cast("list[Block]", blocks)):
        block.drop_path = largest * place / max(len(blocks) - 1, 1)


def _block(name: str) -> int:
    """Number of the block that a parameter belongs to; -1 if to none."""
    prefix = "backbone.blocks."
    return int(name[len(prefix) :].partition(".")[0]) if name.startswith(prefix) else -1
