"""What a student learns from its teacher: Stage-2 features and score maps, on the target alone (EATrack, section 2).

The paper leaves much open; each choice here is a field with its reason.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from eatrack_edge.core.errors import ConfigError
from eatrack_edge.model.architecture import Architecture
from eatrack_edge.train.forward import Trace
from eatrack_edge.train.losses import decode_peak, generalised_iou
from eatrack_edge.train.masks import box_mask, overlap_mask
from eatrack_edge.train.sampling import Sample

_MASKS = ("target", "none")


@dataclass(frozen=True, slots=True)
class DistillationRecipe:
    """Which teacher, and how much of it."""

    teacher: str = ""  # a name in eatrack_edge.model.registry; empty is no distillation
    weights: str = ""  # its checkpoint
    feature: float = 1.0  # weight of the feature term; the paper's
    prediction: float = 1.0  # weight of the prediction term; the paper's
    # (student, teacher) blocks, counted from the end of each Stage 2. Last with last, because the head reads the last
    # block and the prediction term uses the teacher's head; same numbers from the front would pull the student's last
    # block to a middle one of its teacher's.
    layer_pairs: tuple[tuple[int, int], ...] = ((-2, -2), (-1, -1))
    # "target": share of a cell that the box covers. The target is some 4x4 cells, so that rounding to whole ones would
    # change its area by up to a half; the paper calls this mask a weight, and the other binary.
    feature_mask: str = "target"
    prediction_mask: str = "target"  # "target": 1 on cells that the box touches; "none" is every cell
    # Stage 2 updates template tokens too, and only they carry the target into its second block.
    template_share: float = 0.5  # weight of template tokens beside the search's; 0 leaves them out
    temperature: float = 2.0  # of the softmax over score logits; softmax of scores in [0, 1] would be nearly flat
    # The teacher fails on some samples, and its errors would be copied.
    least_teacher_iou: float = 0.5  # samples with a lower overlap of teacher and truth are left out; 0 keeps all

    def __post_init__(self) -> None:
        for mask in (self.feature_mask, self.prediction_mask):
            if mask not in _MASKS:
                raise ConfigError(f"a distillation mask must be `target` or `none`, got `{mask}`")
        if not self.temperature > 0:
            raise ConfigError(f"distillation temperature must be above 0, got {self.temperature:g}")


class DistillationLoss(NamedTuple):
    """The terms before weighting, their weighted sum, and the share of samples that the teacher could teach."""

    total: Tensor
    feature: Tensor
    prediction: Tensor
    taught: Tensor


class Distillation(nn.Module):
    """The two terms, and the training-only projectors that they need where widths differ.

    Args:
        student: Its architecture.
        teacher: Its architecture; both must see crops of the same sizes.
        recipe: All choices.

    Raises:
        ConfigError: Crop sizes differ, or a layer pair names a block that Stage 2 does not have.
    """

    def __init__(self, student: Architecture, teacher: Architecture, recipe: DistillationRecipe) -> None:
        super().__init__()
        _check(student, teacher, recipe)
        self.recipe = recipe
        self.grid = student.grid
        self.template_grid = student.template_grid
        # A teacher of one template has no tokens for the second slot: then only the first is compared.
        self.slots = min(student.template_slots, teacher.template_slots)
        self.projectors = nn.ModuleList(
            nn.Identity() if student.dim == teacher.dim else nn.Linear(student.dim, teacher.dim)
            for _ in recipe.layer_pairs
        )

    def forward(self, student: Trace, teacher: Trace, sample: Sample) -> DistillationLoss:
        """Both terms on a batch. No gradient reaches the teacher's trace."""
        taught = self.taught(teacher, sample)
        feature = self._feature(student, teacher, sample, taught)
        prediction = self._prediction(student, teacher, sample, taught)
        total = self.recipe.feature * feature + self.recipe.prediction * prediction
        return DistillationLoss(total, feature, prediction, taught.mean())

    def taught(self, teacher: Trace, sample: Sample) -> Tensor:
        """1 where the target is there and the teacher finds it, shape (B,)."""
        boxes, _ = decode_peak(teacher.logits)
        overlap = generalised_iou(boxes.detach(), sample.box, dim=1)  # at most the IoU, and equal where it is high
        return (overlap >= self.recipe.least_teacher_iou).float() * sample.is_present

    def _feature(self, student: Trace, teacher: Trace, sample: Sample, taught: Tensor) -> Tensor:
        weight = self._token_weight(sample)  # (B, N)
        terms = []
        for projector, (ours, theirs) in zip(self.projectors, self.recipe.layer_pairs, strict=True):
            mine = self._tokens(projector(student.features[ours]))
            target = self._tokens(teacher.features[theirs].detach())
            # Without the norm the sum over 16 x 192 values would dwarf a tracking loss of about 1, and the few outlier
            # channels of a ViT would be all that is learned.
            error = (_channel_norm(mine) - _channel_norm(target)).square().mean(-1)  # (B, N)
            terms.append((error * weight).sum(1) / weight.sum(1))
        return (torch.stack(terms).mean(0) * taught).mean()

    def _prediction(self, student: Trace, teacher: Trace, sample: Sample, taught: Tensor) -> Tensor:
        mask = box_mask(sample.box, self.grid)
        if self.recipe.prediction_mask == "none":
            mask = torch.ones_like(mask)
        # The softmax runs over the mask's cells alone. Terms of a softmax over all cells, summed over some, would be no
        # divergence: they can be negative.
        outside = (mask == 0).flatten(1)
        temperature = self.recipe.temperature
        mine, target = (
            (logits.score.float().flatten(1) / temperature).masked_fill(outside, -1e4).log_softmax(1)
            for logits in (student.logits, teacher.logits)
        )
        target = target.detach()
        divergence = F.kl_div(mine, target, reduction="none", log_target=True).sum(1) * temperature**2
        return (divergence * taught).mean()

    def _token_weight(self, sample: Sample) -> Tensor:
        """Weight of each compared token, shape (B, slots * (Z/16)^2 + F*F)."""
        search = overlap_mask(sample.box, self.grid).flatten(1)
        templates = [
            overlap_mask(sample.template_boxes[:, s], self.template_grid).flatten(1) for s in range(self.slots)
        ]
        if self.recipe.feature_mask == "none":
            search, templates = torch.ones_like(search), [torch.ones_like(each) for each in templates]
        return torch.cat([self.recipe.template_share * each for each in templates] + [search], dim=1)

    def _tokens(self, features: Tensor) -> Tensor:
        """The tokens that both networks have: the first ``slots`` templates and the search."""
        return torch.cat([features[:, : self.slots * self.template_grid**2], features[:, -(self.grid**2) :]], dim=1)


def _channel_norm(tokens: Tensor) -> Tensor:
    return F.layer_norm(tokens.float(), tokens.shape[-1:])


def _check(student: Architecture, teacher: Architecture, recipe: DistillationRecipe) -> None:
    ours, theirs = ((a.template_size, a.search_size, a.patch) for a in (student, teacher))
    if ours != theirs:
        raise ConfigError(
            f"teacher and student must see the same crops, got template, search and patch of {theirs} and {ours} px"
        )
    for mine, other in recipe.layer_pairs:
        for place, blocks, whose in ((mine, student.joint_blocks, "student"), (other, teacher.joint_blocks, "teacher")):
            if not -blocks <= place < blocks:
                raise ConfigError(f"layer pair ({mine}, {other}): the {whose}'s Stage 2 has {blocks} blocks")
    if not recipe.layer_pairs and not math.isclose(recipe.feature, 0.0):
        raise ConfigError("layer_pairs is empty, but the feature term has a weight")
