from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from eatrack_edge.model import inference_graph as flying
from eatrack_edge.model.architecture import Architecture
from eatrack_edge.model.eatrack import EATrack
from eatrack_edge.model.registry import architecture
from model.embedded import draw_marks

pytestmark = pytest.mark.torch

TINY = architecture("eatrack_tiny")


@pytest.mark.parametrize(
    "architecture",
    [
        pytest.param(replace(TINY, joint_blocks=3), id="a first, a middle and a last joint block"),
        pytest.param(replace(TINY, separate_blocks=0, joint_blocks=2, template_slots=1), id="all blocks joint"),
        pytest.param(TINY, id="one joint block"),
    ],
)
@pytest.mark.parametrize("kept", [2, 1], ids=["tokens and projections", "tokens alone"])
@torch.no_grad()
def test_it_answers_as_the_plain_network_does(architecture: Architecture, kept: int) -> None:
    torch.manual_seed(0)
    network = EATrack(architecture).eval()
    for block in network.backbone.blocks:  # fresh weights are small: let attention and GELU leave their linear part
        block.attn.qkv.weight.mul_(8)
        block.mlp.fc1.weight.mul_(8)
        block.attn.qkv.bias.normal_()
    search = torch.randn(2, 3, 128, 128)
    templates = [torch.randn(2, 3, 64, 64) for _ in range(architecture.template_slots)]
    marks = [(torch.rand(2, 2), torch.full((2,), slot)) for slot in range(architecture.template_slots)]
    draw_marks(network)
    given = [(template, *mark) for template, mark in zip(templates, marks, strict=True)]
    maps, tokens = network.track(search, [network.encode_template(*each) for each in given])
    slots = [flying.encode_template(network, *each)[:kept] for each in given]
    flown_maps, flown_tokens = flying.track(network, search, slots)
    for flown, plain in zip((*flown_maps, flown_tokens), (*maps, tokens), strict=True):
        torch.testing.assert_close(flown, plain, atol=1e-5, rtol=0)
