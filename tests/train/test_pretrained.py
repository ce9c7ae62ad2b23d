from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch.nn import functional as F

from eatrack_edge.core.errors import CheckpointError
from eatrack_edge.model.backbone import Block
from eatrack_edge.model.eatrack import EATrack
from eatrack_edge.model.registry import architecture
from eatrack_edge.train.pretrained import from_vit, resize_patch_kernel, start

pytestmark = pytest.mark.torch
TINY = architecture("eatrack_tiny")


def vit(depth: int = 3, patch: int = 14, dim: int = 48, grid: int = 5) -> dict[str, torch.Tensor]:
    """A plain ViT with LayerScale and a class token, timm's keys."""
    torch.manual_seed(0)
    tensors = {
        "cls_token": torch.randn(1, 1, dim),
        "pos_embed": torch.randn(1, grid**2 + 1, dim),
        "patch_embed.proj.weight": torch.randn(dim, 3, patch, patch),
        "patch_embed.proj.bias": torch.randn(dim),
        "norm.weight": torch.rand(dim),
        "norm.bias": torch.rand(dim),
    }
    for number in range(depth):
        block = Block(dim, 3, 4)
        tensors |= {f"blocks.{number}.{key}": value for key, value in block.state_dict().items()}
        tensors |= {f"blocks.{number}.ls{k}.gamma": torch.rand(dim) + 0.1 for k in (1, 2)}
    return tensors


def test_an_enlarged_patch_gives_the_old_token() -> None:
    kernel, picture = torch.randn(8, 3, 14, 14), torch.randn(4, 3, 14, 14)
    before = F.conv2d(picture, kernel)
    larger = F.interpolate(picture, size=(16, 16), mode="bilinear", align_corners=False)
    torch.testing.assert_close(F.conv2d(larger, resize_patch_kernel(kernel, 16)), before, atol=1e-3, rtol=1e-3)


def test_a_kernel_that_fits_stays_as_it_is() -> None:
    kernel = torch.randn(8, 3, 16, 16)
    assert resize_patch_kernel(kernel, 16) is kernel


def test_folded_layer_scale_changes_nothing() -> None:
    tensors = vit()
    folded = from_vit(tensors, TINY, Path("vit.pth"))
    block = Block(48, 3, 4)
    x = torch.randn(2, 10, 48)
    block.load_state_dict(
        {key[9:]: value for key, value in tensors.items() if key.startswith("blocks.0.") and ".ls" not in key}
    )
    scales = tensors["blocks.0.ls1.gamma"], tensors["blocks.0.ls2.gamma"]
    expected = x + scales[0] * block.attn(block.norm1(x))
    expected = expected + scales[1] * block.mlp(block.norm2(expected))
    block.load_state_dict({key[9:]: value for key, value in folded.items() if key.startswith("blocks.0.")})
    torch.testing.assert_close(block(x), expected, atol=1e-5, rtol=1e-5)


def test_a_vit_of_any_patch_and_grid_starts_the_backbone(tmp_path: Path) -> None:
    torch.save(vit(), tmp_path / "vit.pth")
    network = start(TINY, tmp_path / "vit.pth", "vit")
    assert network.backbone.pos_embed_x.shape == (1, 64, 48)
    assert network.backbone.pos_embed_z.shape == (1, 16, 48)
    assert torch.equal(network.backbone.norm.weight, vit()["norm.weight"])
    maps = network.eval()(torch.randn(1, 3, 128, 128), [torch.randn(1, 3, 64, 64)] * 2, [torch.rand(1, 2)] * 2)
    assert maps.score_map.mean() < 0.2  # a new head says "unlikely"


@pytest.mark.parametrize(
    ("tensors", "message"),
    [
        (vit(depth=1), "a ViT of 1 blocks, the network needs 2"),
        (vit(dim=96), "a ViT of width 96, the network needs 48"),
        ({"blocks.0.x": torch.zeros(1), "blocks.1.x": torch.zeros(1)}, "not a ViT: `pos_embed`"),
    ],
    ids=["shallow", "wide", "no ViT"],
)
def test_a_vit_that_does_not_fit_is_refused(tensors: dict[str, torch.Tensor], message: str, tmp_path: Path) -> None:
    torch.save(tensors, tmp_path / "vit.pth")
    with pytest.raises(CheckpointError, match=message):
        start(TINY, tmp_path / "vit.pth", "vit")


def test_a_teacher_gives_its_lowest_and_last_blocks_and_its_head(tmp_path: Path) -> None:
    torch.manual_seed(1)
    teacher = EATrack(replace(TINY, separate_blocks=0, joint_blocks=5))
    torch.save(teacher.state_dict(), tmp_path / "teacher.pth")
    student = start(TINY, tmp_path / "teacher.pth", "teacher")
    for mine, theirs in ((0, 0), (1, 4)):
        for key, value in student.backbone.blocks[mine].state_dict().items():
            assert torch.equal(value, teacher.backbone.blocks[theirs].state_dict()[key])
    assert torch.equal(student.box_head.conv1_ctr[0].weight, teacher.box_head.conv1_ctr[0].weight)


def test_a_teacher_shallower_than_its_student_is_refused(tmp_path: Path) -> None:
    torch.save(EATrack(replace(TINY, separate_blocks=0, joint_blocks=1)).state_dict(), tmp_path / "teacher.pth")
    with pytest.raises(CheckpointError, match="a teacher of 1 blocks, the student has 2"):
        start(TINY, tmp_path / "teacher.pth", "teacher")


def test_a_checkpoint_of_the_same_network_is_taken_whole(tmp_path: Path) -> None:
    network = EATrack(TINY)
    torch.save(network.state_dict(), tmp_path / "own.pth")
    again = start(TINY, tmp_path / "own.pth", "checkpoint")
    assert all(torch.equal(value, again.state_dict()[key]) for key, value in network.state_dict().items())
