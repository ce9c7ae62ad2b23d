"""A confidence that means something: the probability that the box is on the target, learned on held-out samples.

A focal loss leaves the score's peak a good order and a poor probability. A logistic curve through the peak's logit,
two numbers, mends that; temperature alone, one number, could not move the point where right and wrong are even.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Protocol

import torch
from torch import Tensor
from torch.nn import functional as F

from eatrack_edge.model.eatrack import EATrack
from eatrack_edge.train.forward import trace
from eatrack_edge.train.losses import decode_peak, generalised_iou
from eatrack_edge.train.sampling import Sample, SamplingRecipe, normalised

ABSENT = 0.25  # share of samples without the target: "lost" has to be met to be told
_RIGHT_IOU = 0.5
_BINS = 10


class _Samples(Protocol):
    def batch(self, indices: range) -> Sample: ...


@dataclass(frozen=True, slots=True)
class Calibration:
    """``probability = sigmoid(scale * logit(peak) + shift)``.

    Attributes:
        scale: Above 0, so that the order of confidences stays.
        shift: Of the logit.
        error_before: Expected calibration error of the peak itself, [0, 1], on samples not fitted to.
        error_after: The same of the calibrated peak.
        lost_told: Area under the curve of telling samples with the target missed or absent by a low peak, [0, 1].
        samples: How many were fitted to, and as many judged on.
    """

    scale: float
    shift: float
    error_before: float
    error_after: float
    lost_told: float
    samples: int

    def to_metadata(self) -> dict[str, str]:
        """As text, to be kept beside the weights: ``confidence_scale`` and ``confidence_shift``."""
        return {"confidence_scale": f"{self.scale:.6g}", "confidence_shift": f"{self.shift:.6g}"}


def calibration_sampling(recipe: SamplingRecipe) -> SamplingRecipe:
    """The recipe to draw calibration samples by: as trained, with the target away more often."""
    return replace(recipe, absent=ABSENT)


def calibrate(network: EATrack, samples: _Samples, count: int, batch: int = 16) -> Calibration:
    """Fit on ``count`` held-out samples, and judge on as many others.

    Args:
        network: In evaluation mode.
        samples: A sampler over held-out targets, see ``calibration_sampling``.
        count: Samples to fit to; a multiple of ``batch``.
        batch: Samples a forward pass.
    """
    peaks, rights = _answers(network, samples, 2 * count, batch)
    scale, shift = fit(peaks[:count], rights[:count])
    peaks, rights = peaks[count:], rights[count:]
    return Calibration(
        scale=scale,
        shift=shift,
        error_before=expected_calibration_error(peaks.sigmoid(), rights),
        error_after=expected_calibration_error((scale * peaks + shift).sigmoid(), rights),
        lost_told=area_under_curve(-peaks, ~rights.bool()),
        samples=count,
    )


@torch.no_grad()
def _answers(network: EATrack, samples: _Samples, count: int, batch: int) -> tuple[Tensor, Tensor]:
    """Logit of each sample's peak, and whether its box was right, shape (count,) each."""
    peaks, rights = [], []
    device = network.backbone.pos_embed_x.device
    for start in range(0, count, batch):
        sample = samples.batch(range(start, start + batch))
        sample = Sample(*(part.to(device) for part in sample))
        logits = trace(network, normalised(sample.templates), sample.extents, normalised(sample.search)).logits
        boxes, _ = decode_peak(logits)
        is_right = (generalised_iou(boxes, sample.box, dim=1) >= _RIGHT_IOU) & (sample.is_present > 0)
        peaks.append(logits.score.flatten(1).amax(1))
        rights.append(is_right.float())
    return torch.cat(peaks).cpu(), torch.cat(rights).cpu()


def fit(logits: Tensor, rights: Tensor) -> tuple[float, float]:
    """Scale and shift of the likeliest logistic curve.

    Args:
        logits: Of the peaks, shape (N,).
        rights: 1 where the box was right, else 0, shape (N,).
    """
    log_scale, shift = torch.zeros((), requires_grad=True), torch.zeros((), requires_grad=True)
    optimiser = torch.optim.LBFGS([log_scale, shift], max_iter=100, line_search_fn="strong_wolfe")
    # Platt's: as if one more of each kind had been seen, so that few samples cannot make the curve a step.
    many, few = float(rights.sum()), float((1 - rights).sum())
    target = torch.where(rights > 0, (many + 1) / (many + 2), 1 / (few + 2))

    def loss() -> float:
        optimiser.zero_grad()
        value = F.binary_cross_entropy_with_logits(log_scale.exp() * logits + shift, target)
        torch.autograd.backward(value)
        return value.item()

    optimiser.step(loss)
    return log_scale.exp().item(), shift.item()


def expected_calibration_error(probabilities: Tensor, rights: Tensor) -> float:
    """Mean gap between probability and share of right ones, over ten equal bins, weighted by how many fall in."""
    place = (probabilities * _BINS).long().clamp(0, _BINS - 1)
    gap = torch.zeros(_BINS).index_add_(0, place, rights - probabilities)
    return float(gap.abs().sum() / len(rights))


def area_under_curve(values: Tensor, is_positive: Tensor) -> float:
    """Probability that a positive has a higher value than a negative; ``nan`` where either kind is missing."""
    positives, negatives = values[is_positive], values[~is_positive]
    if not len(positives) or not len(negatives):
        return math.nan
    higher = (positives[:, None] > negatives).float() + (positives[:, None] == negatives).float() / 2
    return float(higher.mean())
