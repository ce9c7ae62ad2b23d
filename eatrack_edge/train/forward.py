"""The network's forward pass as training sees it: logits rather than maps, and what each Stage-2 block gives."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor

from eatrack_edge.model.eatrack import EATrack
from eatrack_edge.model.head import HeadLogits


class Trace(NamedTuple):
    """One forward pass."""

    logits: HeadLogits
    # After each Stage-2 block, before the final norm: (B, slots * (Z/16)^2 + F*F, dim), templates first.
    features: list[Tensor]


def trace(network: EATrack, templates: Tensor, extents: Tensor, search: Tensor) -> Trace:
    """Run a network and keep its Stage-2 features.

    Args:
        network: Any architecture.
        templates: Crops, normalised RGB, shape (B, slots, 3, Z, Z). Spare slots are left out: a teacher of one
            template takes the first.
        extents: Width and height of the target's box as fractions of each template crop, shape (B, slots, 2).
        search: Crops, normalised RGB, shape (B, 3, X, X).
    """
    backbone = network.backbone
    templates = templates[:, : network.architecture.template_slots]
    batch, slots = templates.shape[:2]
    # One pass for all slots: Stage 1 never mixes crops, and one large batch is faster than two small ones.
    slot = torch.arange(slots, device=search.device).repeat(batch)
    tokens = backbone.encode_template(templates.flatten(0, 1), extents[:, :slots].flatten(0, 1), slot)
    tokens = tokens.reshape(batch, slots * tokens.shape[1], tokens.shape[2])
    x = torch.cat([tokens, backbone.encode_search(search)], dim=1)
    features = []
    for block in backbone.blocks[backbone.separate_blocks :]:
        x = block(x)
        features.append(x)
    return Trace(network.predict(backbone.finish(x)), features)
