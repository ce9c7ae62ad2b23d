from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from eatrack_edge.core.errors import ConfigError, UsageError
from eatrack_edge.model.architecture import Architecture
from eatrack_edge.model.eatrack import EATrack
from eatrack_edge.model.registry import architecture
from model.embedding_weights import draw_foreground_embedding

pytestmark = pytest.mark.torch

TINY = architecture("eatrack_tiny")
EXTENTS = [torch.full((1, 2), 0.5)] * 2


def parameters(name: str) -> int:
    named = EATrack(architecture(name)).named_parameters()
    return sum(value.numel() for key, value in named if "pos_embed" not in key and "foreground_embedding" not in key)


@pytest.mark.parametrize(("name", "count"), [("eatrack_deit", 6_199_749), ("eatrack_deit_teacher", 7_979_205)])
def test_the_papers_networks_have_the_papers_parameters(name: str, count: int) -> None:
    assert parameters(name) == count


@torch.no_grad()
def test_the_cached_template_path_equals_the_full_joint_forward() -> None:
    network = EATrack(architecture("eatrack_deit")).eval()
    search, templates = torch.randn(2, 3, 256, 256), [torch.randn(2, 3, 128, 128) for _ in range(2)]
    extents = [torch.rand(2, 2) for _ in templates]
    draw_foreground_embedding(network)
    full = network(search, templates, extents)
    cached = [
        network.encode_template(template, extent, torch.full((2,), slot))
        for slot, (template, extent) in enumerate(zip(templates, extents, strict=True))
    ]
    for part, expected in zip(network.track(search, cached)[0], full, strict=True):
        assert (part - expected).abs().max() <= 1e-5


@torch.no_grad()
def test_maps_have_the_grid_of_the_search_crop() -> None:
    maps = EATrack(TINY).eval()(torch.randn(3, 3, 128, 128), [torch.randn(3, 3, 64, 64)] * 2, [torch.rand(3, 2)] * 2)
    assert [tuple(part.shape) for part in maps] == [(3, 1, 8, 8), (3, 2, 8, 8), (3, 2, 8, 8)]
    assert 0 <= float(maps.score_map.min()) <= float(maps.score_map.max()) <= 1
    assert 0 <= float(maps.size_map.min()) <= float(maps.size_map.max()) <= 1


@torch.no_grad()
def test_stage_two_looks_at_every_template_slot() -> None:
    network = EATrack(TINY).eval()
    search, a, b = torch.randn(1, 3, 128, 128), torch.randn(1, 3, 64, 64), torch.randn(1, 3, 64, 64)
    maps = [network(search, slots, EXTENTS).score_map for slots in ([a, a], [a, b], [b, a])]
    assert not torch.equal(maps[0], maps[1])
    assert torch.allclose(maps[1], maps[2], atol=1e-6), (
        "slots share one position table: only the foreground embedding, here 0, differs"
    )


@torch.no_grad()
def test_a_position_decides_where_a_token_is() -> None:
    network = EATrack(TINY).eval()
    search, template = torch.randn(1, 3, 128, 128), torch.randn(1, 3, 64, 64)
    before = network(search, [template] * 2, EXTENTS).score_map
    network.backbone.pos_embed_x.copy_(network.backbone.pos_embed_x.roll(1, dims=1))
    assert not torch.allclose(before, network(search, [template] * 2, EXTENTS).score_map)


def test_drop_path_acts_in_training_alone() -> None:
    network = EATrack(TINY)
    for block in network.backbone.blocks:
        block.drop_path = 0.9
    x = torch.randn(4, 16, TINY.dim)
    block = network.backbone.blocks[0]
    assert torch.equal(block.eval()(x), block.eval()(x))
    torch.manual_seed(0)
    kept = [block.train()(x) for _ in range(2)]
    assert not torch.equal(kept[0], kept[1])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"template_size": 100}, "crop sizes must be multiples of 16 px, got 100 and 128"),
        ({"heads": 5}, "dim must be a multiple of heads, got 48 and 5"),
        ({"template_slots": 0}, "template_slots must be at least 1, got 0"),
    ],
)
def test_an_architecture_that_cannot_be_is_refused(change: dict[str, int], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        replace(TINY, **change)


def test_an_unknown_name_is_refused_with_a_suggestion() -> None:
    with pytest.raises(UsageError, match=r"no model called `eatrack_diet`\nhint: did you mean `eatrack_deit`"):
        architecture("eatrack_diet")
    with pytest.raises(UsageError, match="hint: known models: eatrack_deit, "):
        architecture("zzz")


def test_depth_and_split_are_fields() -> None:
    assert Architecture(dim=64, heads=1, separate_blocks=3, joint_blocks=2).blocks == 5
