from __future__ import annotations

import pytest
import torch

from eatrack_edge.core.errors import ConfigError
from eatrack_edge.model.backbone import Block
from eatrack_edge.model.eatrack import EATrack
from eatrack_edge.model.registry import architecture
from eatrack_edge.train.recipe import OptimiserRecipe
from eatrack_edge.train.schedule import freeze, make_optimiser, rate_factor, set_drop_path, set_rate

pytestmark = pytest.mark.torch


@pytest.mark.parametrize(
    ("decay", "done", "expected"),
    [
        ("cosine", 0.02, 0.5),
        ("cosine", 0.04, 1.0),
        ("cosine", 0.52, 0.505),
        ("cosine", 1.0, 0.01),
        ("drop", 0.79, 1.0),
        ("drop", 0.8, 0.1),
    ],
    ids=["warming up", "peak", "half way", "end", "before the drop", "after the drop"],
)
def test_the_rate_follows_the_share_that_is_done(decay: str, done: float, expected: float) -> None:
    assert rate_factor(done, OptimiserRecipe(decay=decay)) == pytest.approx(expected)


def test_an_unknown_decay_is_refused() -> None:
    with pytest.raises(ConfigError, match="decay must be `cosine` or `drop`, got `steps`"):
        OptimiserRecipe(decay="steps")


def test_head_marks_stage_two_and_stage_one_have_their_own_rates() -> None:
    network = EATrack(architecture("eatrack_tiny"))
    recipe = OptimiserRecipe(head_rate=1.0, marks_rate=3.0, joint_rate=0.1, separate_rate=0.01)
    optimiser = make_optimiser(network, recipe)
    rate = {id(p): (group["lr"], group["weight_decay"]) for group in optimiser.param_groups for p in group["params"]}
    assert rate[id(network.box_head.conv1_ctr[0].weight)] == (1.0, 0.02)
    assert rate[id(network.backbone.blocks[1].attn.qkv.weight)] == (0.1, 0.02)
    assert rate[id(network.backbone.norm.weight)] == (0.1, 0.0)
    assert rate[id(network.backbone.blocks[0].attn.qkv.weight)] == (0.01, 0.02)
    assert rate[id(network.backbone.pos_embed_x)] == (0.01, 0.0)
    assert rate[id(network.backbone.foreground_embedding.inside)] == (3.0, 0.0)
    assert len(rate) == len(list(network.parameters()))
    set_rate(optimiser, 0.5)
    assert sorted({group["lr"] for group in optimiser.param_groups}) == [0.005, 0.05, 0.5, 1.5]


def test_the_lowest_blocks_are_frozen_at_first_and_released_later() -> None:
    network = EATrack(architecture("eatrack_tiny"))
    recipe = OptimiserRecipe(freeze_blocks=1, freeze_until=0.5)
    network.backbone.pos_embed_x.grad = torch.zeros_like(network.backbone.pos_embed_x)
    assert freeze(network, 0.2, recipe) == 1
    frozen = {name.split(".")[0] for name, p in network.backbone.named_parameters() if not p.requires_grad}
    assert frozen == {"pos_embed_z", "pos_embed_x", "patch_embed", "blocks"}
    assert network.backbone.pos_embed_x.grad is None
    assert all(p.requires_grad for p in network.backbone.blocks[1].parameters())
    assert freeze(network, 0.5, recipe) == 0
    assert all(p.requires_grad for p in network.parameters())


def test_what_has_a_rate_of_0_is_frozen_with_the_statistics_of_its_batch_norms() -> None:
    network = EATrack(architecture("eatrack_tiny")).train()
    recipe = OptimiserRecipe(score_rate=0.0, joint_rate=0.0, separate_rate=0.0, marks_rate=0.0)
    freeze(network, 0.5, recipe)
    trained = {name.rpartition("_")[2].split(".")[0] for name, p in network.named_parameters() if p.requires_grad}
    assert trained == {"offset", "size"}
    before = {name: value.clone() for name, value in network.state_dict().items()}
    network.box_head(torch.randn(2, network.backbone.norm.weight.numel(), 8, 8))
    moved = {name for name, value in network.state_dict().items() if not torch.equal(value, before[name])}
    assert moved
    assert not any("_ctr" in name for name in moved)
    freeze(network, 0.5, OptimiserRecipe())
    assert all(p.requires_grad for p in network.parameters())
    assert all(module.training for module in network.box_head.modules())


def test_the_score_branch_has_the_rate_of_the_head_unless_it_is_given_one() -> None:
    network = EATrack(architecture("eatrack_tiny"))

    def rates(recipe: OptimiserRecipe) -> tuple[float, float]:
        group_of = {
            id(p): group["lr"] for group in make_optimiser(network, recipe).param_groups for p in group["params"]
        }
        head = dict(network.box_head.named_parameters())
        return group_of[id(head["conv5_ctr.weight"])], group_of[id(head["conv5_size.weight"])]

    assert rates(OptimiserRecipe(head_rate=0.5)) == (0.5, 0.5)
    assert rates(OptimiserRecipe(head_rate=0.5, score_rate=0.1)) == (0.1, 0.5)


def test_drop_path_rises_to_the_last_block() -> None:
    network = EATrack(architecture("eatrack_deit"))
    set_drop_path(network, 0.14)
    drops = [block.drop_path for block in network.backbone.blocks if isinstance(block, Block)]
    assert drops == pytest.approx([0.02 * n for n in range(8)])
