from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from eatrack_edge.core.errors import ConfigError
from eatrack_edge.model.architecture import Architecture
from eatrack_edge.model.eatrack import EATrack
from eatrack_edge.model.registry import architecture
from eatrack_edge.train.narrow import narrow

pytestmark = pytest.mark.torch
TINY = architecture("eatrack_tiny")
WIDE = replace(TINY, dim=96, heads=6, head_width=16)


@pytest.fixture(scope="module")
def crops() -> tuple[Tensor, Tensor, Tensor]:
    torch.manual_seed(3)
    return torch.randn(64, 2, 3, 64, 64), 0.3 + 0.4 * torch.rand(64, 2, 2), torch.randn(64, 3, 128, 128)


@pytest.fixture(scope="module")
def wide() -> EATrack:
    """Its stream keeps to a third of its directions, as a trained network's nearly does."""
    torch.manual_seed(4)
    network = EATrack(WIDE).eval()
    few = torch.linalg.qr(torch.randn(96, 30)).Q
    keep = few @ few.T
    with torch.no_grad():
        backbone = network.backbone
        backbone.patch_embed.proj.weight.copy_(torch.einsum("wchk,wd->dchk", backbone.patch_embed.proj.weight, keep))
        backbone.patch_embed.proj.bias.zero_()
        for table in (backbone.pos_embed_x, backbone.pos_embed_z):
            table.copy_(table @ keep)
        for block in backbone.blocks:
            for layer in (block.attn.proj, block.mlp.fc2):
                layer.weight.copy_(keep @ layer.weight)
                layer.bias.copy_(layer.bias @ keep)
        for mark in backbone.foreground_embedding.parameters():
            mark.copy_(torch.randn_like(mark) @ keep)
    return network


def answer(network: EATrack, crops: tuple[Tensor, Tensor, Tensor]) -> Tensor:
    templates, extents, search = crops
    with torch.no_grad():
        maps = network.eval()(search, list(templates.unbind(1)), list(extents.unbind(1)))
    return torch.cat([maps.score_map, maps.size_map], dim=1)


def unlike(one: Tensor, other: Tensor) -> float:
    """Share of the variance from crop to crop and cell to cell that is not common."""
    return float((one - other).square().sum() / (other - other.mean((0, 2, 3), keepdim=True)).square().sum())


@pytest.mark.parametrize(
    "shape", [TINY, replace(TINY, separate_blocks=2, joint_blocks=2)], ids=["as deep", "twice as deep"]
)
def test_a_network_cut_to_half_its_width_answers_nearly_as_before(
    shape: Architecture, wide: EATrack, crops: tuple[Tensor, Tensor, Tensor]
) -> None:
    slim = narrow(wide, shape, *crops)
    assert slim.architecture == shape
    torch.manual_seed(5)
    fresh = (
        torch.randn(4, 2, 3, 64, 64),
        0.3 + 0.4 * torch.rand(4, 2, 2),
        torch.randn(4, 3, 128, 128),
    )  # not those it was fitted to
    assert unlike(answer(slim, fresh), answer(wide, fresh)) < 0.1
    assert unlike(answer(EATrack(shape), fresh), answer(wide, fresh)) > 1.0


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        (replace(TINY, heads=6), "an attention head must stay as wide as it is, got 16 and 8"),
        (replace(TINY, dim=96, heads=6), "only a wider network can be cut to a width of 96, got 96"),
        (replace(TINY, separate_blocks=0), r"must be as deep, 1\+1 blocks, got 0\+1"),
        (replace(TINY, head_width=8), "as many template slots and a head as wide"),
        (replace(TINY, search_size=64), "both networks must see the same crops"),
    ],
    ids=["heads", "width", "depth", "head", "crops"],
)
def test_shapes_that_do_not_go_together_are_refused(shape: Architecture, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        narrow(EATrack(WIDE), shape, torch.zeros(1, 2, 3, 64, 64), torch.zeros(1, 2, 2), torch.zeros(1, 3, 128, 128))
