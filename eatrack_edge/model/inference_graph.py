"""The inference graph: the same outputs as ``EATrack.forward``, without arithmetic that does not affect them.

Training and the parity check of every graph use the plain network; graphs are exported from here. Nothing is
approximated: what is moved or left out is constant from frame to frame, or never read. The gain of each change, and
what was tried without gain, is in ``export/cards/eatrack_s.md``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor
from torch.nn import functional as F

from eatrack_edge.model.backbone import Block, Mlp
from eatrack_edge.model.eatrack import EATrack
from eatrack_edge.model.head import Maps


def encode_template(network: EATrack, crop: Tensor, extent: Tensor, slot: Tensor) -> tuple[Tensor, Tensor]:
    """Everything of a template that no frame changes.

    Args:
        network: In evaluation mode.
        crop: Normalised RGB, shape (B, 3, Z, Z).
        extent: Width and height of the target's box as fractions of the crop, shape (B, 2).
        slot: The template slot that it is for, shape (B,), integer.

    Returns:
        tokens: Of Stage 1, with the foreground embedding, shape (B, (Z/16)^2, dim).
        projections: Their queries, keys and values in the first joint block, shape (B, (Z/16)^2, 3 * dim).
    """
    backbone = network.backbone
    tokens = _encode(network, backbone.patch_embed(crop) + backbone.pos_embed_z)
    tokens = backbone.embed_foreground(tokens, extent, slot)
    return tokens, _project(_joint(network)[0], tokens)


def track(network: EATrack, search: Tensor, slots: Sequence[Sequence[Tensor]]) -> tuple[Maps, Tensor]:
    """Find the target in a search crop, as ``EATrack.track`` does.

    Args:
        network: In evaluation mode.
        search: Crop, normalised RGB, shape (B, 3, X, X).
        slots: Of each template slot the tokens, or both results of ``encode_template``. The last block has no use
            for projections, so a network with a single joint block ignores them.

    Returns:
        The maps, and the search crop's Stage-1 tokens, shape (B, F*F, dim).
    """
    backbone = network.backbone
    search_tokens = _encode(network, backbone.patch_embed(search) + backbone.pos_embed_x)
    tokens = torch.cat([*(slot[0] for slot in slots), search_tokens], dim=1)
    *inner, last = _joint(network)
    for block in inner:
        if block is inner[0] and len(slots[0]) > 1:
            projections = torch.cat([*(slot[1] for slot in slots), _project(block, search_tokens)], dim=1)
        else:
            projections = _project(block, tokens)
        tokens = _update(block, tokens, projections)
    tokens = backbone.norm(_update_search(last, tokens, backbone.search_tokens))
    return network.predict(tokens).to_maps(), search_tokens


def _blocks(network: EATrack) -> list[Block]:
    return cast("list[Block]", list(network.backbone.blocks))


def _joint(network: EATrack) -> list[Block]:
    return _blocks(network)[network.backbone.separate_blocks :]


def _encode(network: EATrack, tokens: Tensor) -> Tensor:
    for block in _blocks(network)[: network.backbone.separate_blocks]:
        tokens = _update(block, tokens, _project(block, tokens))
    return tokens


def _project(block: Block, tokens: Tensor) -> Tensor:
    """Queries, keys and values side by side, (B, N, 3 * dim)."""
    return block.attn.qkv(block.norm1(tokens))


def _update(block: Block, tokens: Tensor, projections: Tensor) -> Tensor:
    tokens = tokens + block.attn.mix(*block.attn.split(projections))
    return tokens + _mlp(block.mlp, block.norm2(tokens))


def _update_search(block: Block, tokens: Tensor, count: int) -> Tensor:
    """The last ``count`` tokens alone, which look at all: of the others only keys and values are computed."""
    attention, dim = block.attn, tokens.shape[-1]
    weight, bias = attention.qkv.weight, attention.qkv.bias
    normed = block.norm1(tokens)
    queries = F.linear(normed[:, -count:], weight[:dim], bias[:dim])
    keys = F.linear(normed, weight[dim : 2 * dim], bias[dim : 2 * dim])
    values = F.linear(normed, weight[2 * dim :], bias[2 * dim :])
    search = tokens[:, -count:] + attention.mix(*(attention.by_head(part) for part in (queries, keys, values)))
    return search + _mlp(block.mlp, block.norm2(search))


def _mlp(mlp: Mlp, x: Tensor) -> Tensor:
    x = mlp.fc1(x)
    # The exact GELU, in the one order of its factors that ONNX Runtime finds and runs as a single step.
    return mlp.fc2(x * (torch.erf(x / math.sqrt(2.0)) + 1.0) * 0.5)
