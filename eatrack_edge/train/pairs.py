"""Judging a network on fixed pairs: overlap, hits, and how the predicted size follows the true one.

Whole-video scores of short runs are noisy; these are not. The pairs come from held-out training clips and stills,
never from a benchmark: each search is cut at three scales about the nominal one, at a fixed displacement.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from eatrack_edge.model.eatrack import EATrack
from eatrack_edge.train.forward import trace
from eatrack_edge.train.losses import decode_peak
from eatrack_edge.train.pool import Pool, Sighting
from eatrack_edge.train.sampling import PADDING_BGR, SamplingRecipe, extent, normalised
from eatrack_edge.train.warp import Pose, warp

LOG_SCALES = (-0.3, 0.0, 0.3)  # log of the target's side over the nominal one; a closed loop strays about so far
_HIT_CELLS = 1.5  # the study's


@dataclass(frozen=True, slots=True)
class PairScores:
    """What a network reaches on the pairs.

    Attributes:
        iou: Mean overlap at the score's peak, no window, [0, 1].
        hit: Share with the predicted centre within 1.5 cells of the true one.
        slope: Median slope of log predicted size over log true size; 1 is right. Below 1 the crop shrinks or grows
            in closed loop.
        bias: Median of log predicted minus log true size among hits; 0 is right.
        confidence: Mean of the score's peak.
    """

    iou: float
    hit: float
    slope: float
    bias: float
    confidence: float

    def row(self) -> dict[str, float]:
        """For a log, rounded to four digits."""
        return {f"pair_{key}": round(value, 4) for key, value in asdict(self).items()}


@dataclass(frozen=True)
class Pairs:
    """Crops and truth. P pairs, three scales each, the scales of a pair side by side.

    Attributes:
        templates: (P, Z, Z, 3) uint8 BGR.
        extents: (P, 2), width and height of the target's box as fractions of the template.
        searches: (P, 3, X, X, 3) uint8 BGR.
        boxes: (P, 3, 4), cx, cy, w, h as fractions of the search crop.
    """

    templates: Tensor
    extents: Tensor
    searches: Tensor
    boxes: Tensor


def make_pairs(pool: Pool, count: int, sampling: SamplingRecipe, template_size: int, search_size: int) -> Pairs:
    """Pairs of held-out targets, the same ones at every call, without any augmentation."""
    rng = np.random.default_rng(2026)
    templates, extents, searches, boxes = [], [], [], []
    for _ in range(count):
        template, _, search, _ = pool.draw(rng)
        moved = rng.uniform(-0.5, 0.5, 2)
        pose = _pose(template, template_size, sampling.template_factor, 0.0, np.zeros(2))
        templates.append(warp(template, pose, template_size, PADDING_BGR)[0])
        extents.append(extent(template.box[2] / template.box[3], sampling.template_factor))
        for log_scale in LOG_SCALES:
            pose = _pose(search, search_size, sampling.search_factor, log_scale, moved)
            searches.append(warp(search, pose, search_size, PADDING_BGR)[0])
            boxes.append(pose.box_in_crop(search.box[2], search.box[3]) / search_size)
    return Pairs(
        torch.from_numpy(np.stack(templates)),
        torch.tensor(extents),
        torch.from_numpy(np.stack(searches).reshape(count, len(LOG_SCALES), search_size, search_size, 3)),
        torch.from_numpy(np.stack(boxes).reshape(count, len(LOG_SCALES), 4)),
    )


def _pose(sighting: Sighting, size: int, factor: float, log_scale: float, moved: NDArray[np.float64]) -> Pose:
    _, _, w, h = sighting.box
    side = size / factor
    centre = size / 2 + moved * side
    return Pose((float(centre[0]), float(centre[1])), side * math.exp(log_scale) / math.sqrt(w * h))


@torch.no_grad()
def judge(network: EATrack, pairs: Pairs, batch: int = 8) -> PairScores:
    """Run a network on pairs, both template slots equal, and score it. The network is left in its mode."""
    was_training = network.training
    network.eval()
    predicted, confidence = [], []
    device = network.backbone.pos_embed_x.device
    for start in range(0, len(pairs.templates), batch):
        some = slice(start, start + batch)
        count = network.architecture.template_slots
        # All slots equal, and a template anew for each scale.
        templates = normalised(pairs.templates[some].to(device))[:, None].expand(-1, count, -1, -1, -1)
        extents = pairs.extents[some, None].to(device).expand(-1, count, -1)
        templates, extents = (each.repeat_interleave(len(LOG_SCALES), 0) for each in (templates, extents))
        crops = normalised(pairs.searches[some].flatten(0, 1).to(device))
        boxes, peak = decode_peak(trace(network, templates, extents, crops).logits)
        predicted.append(boxes.cpu())
        confidence.append(peak.cpu())
    network.train(was_training)
    return score_pairs(torch.cat(predicted), pairs.boxes, torch.cat(confidence), network.architecture.grid)


def score_pairs(predicted: Tensor, truth: Tensor, confidence: Tensor, grid: int) -> PairScores:
    """Scores of predictions.

    Args:
        predicted: Boxes (cx, cy, w, h) as fractions of the crop, shape (P*3, 4), a pair's scales side by side.
        truth: The same, shape (P, 3, 4).
        confidence: Shape (P*3,).
        grid: Cells per side of the crop.
    """
    predicted = predicted.reshape(truth.shape)
    hit = (predicted[..., :2] - truth[..., :2]).norm(dim=-1) * grid < _HIT_CELLS  # (P, 3)
    logs = predicted[..., 2:].clamp(min=1e-4).log().mean(-1)
    true_logs = truth[..., 2:].log().mean(-1)
    spread = true_logs - true_logs.mean(1, keepdim=True)
    slopes = (spread * logs).sum(1) / (spread**2).sum(1)
    all_hit = hit.all(1)
    return PairScores(
        iou=float(_iou(predicted, truth).mean()),
        hit=float(hit.float().mean()),
        slope=float(slopes[all_hit].median()) if all_hit.any() else math.nan,
        bias=float((logs - true_logs)[hit].median()) if hit.any() else math.nan,
        confidence=float(confidence.mean()),
    )


def _iou(predicted: Tensor, truth: Tensor) -> Tensor:
    low = torch.maximum(predicted[..., :2] - predicted[..., 2:] / 2, truth[..., :2] - truth[..., 2:] / 2)
    high = torch.minimum(predicted[..., :2] + predicted[..., 2:] / 2, truth[..., :2] + truth[..., 2:] / 2)
    inside = (high - low).clamp(min=0).prod(-1)
    return inside / (predicted[..., 2:].prod(-1) + truth[..., 2:].prod(-1) - inside)
