from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from eatrack_edge.model.checkpoints import build, read_checkpoint, write_checkpoint
from eatrack_edge.model.eatrack import EATrack
from eatrack_edge.model.foreground_embedding import ForegroundEmbedding, cover
from eatrack_edge.model.registry import architecture
from eatrack_edge.train.pretrained import start
from model.embedding_weights import draw_foreground_embedding

pytestmark = pytest.mark.torch

TINY = architecture("eatrack_tiny")
SLOT = torch.tensor([0])


def embedding() -> ForegroundEmbedding:
    made = ForegroundEmbedding(slots=2, dim=1)
    with torch.no_grad():
        made.inside.copy_(torch.tensor([[1.0], [10.0]]))
    return made


def test_a_token_gets_as_much_of_the_embedding_as_the_box_covers_of_its_patch() -> None:
    tokens = embedding()(torch.zeros(1, 16, 1), torch.tensor([[0.5, 0.75]]), SLOT)
    column = [0.5, 1.0, 1.0, 0.5]  # the box is three of four cells high, in the middle
    assert tokens.view(4, 4).T.tolist() == [[0.0] * 4, column, column, [0.0] * 4]


def test_a_box_larger_than_its_crop_covers_all_of_it() -> None:
    assert (cover(torch.tensor([[-0.2, -1.0]]), torch.tensor([[1.3, 2.0]]), 4) == 1).all()


def test_each_slot_has_its_own_embedding() -> None:
    tokens = embedding()(torch.zeros(2, 4, 1), torch.ones(2, 2), torch.tensor([0, 1], dtype=torch.int32))
    assert tokens[:, 0, 0].tolist() == [1.0, 10.0]


def answer(network: EATrack, extent: float) -> torch.Tensor:
    torch.manual_seed(1)
    crops = torch.randn(1, 3, 128, 128), [torch.randn(1, 3, 64, 64)] * 2
    with torch.no_grad():
        return torch.cat(network.eval()(*crops, [torch.tensor([[0.5, extent]])] * 2)[::2], dim=1)


def test_another_extent_gives_another_output() -> None:
    network = draw_foreground_embedding(EATrack(TINY))
    assert not torch.equal(answer(network, 0.5), answer(network, 0.75))


def test_weights_without_an_embedding_are_deployed_without_and_trained_with_one(
    tmp_path: Path,
) -> None:
    plain = EATrack(replace(TINY, foreground_embedding=False))
    write_checkpoint(tmp_path / "plain.safetensors", plain, {}, half=False)
    deployed = build(TINY, read_checkpoint(tmp_path / "plain.safetensors"))
    trained = start(TINY, tmp_path / "plain.safetensors", "checkpoint")
    assert (deployed.architecture.foreground_embedding, trained.architecture.foreground_embedding) == (False, True)
    assert torch.equal(answer(trained, 0.75), answer(plain, 0.5))


def test_a_checkpoint_that_calls_the_embedding_target_marks_still_loads(tmp_path: Path) -> None:
    network = draw_foreground_embedding(EATrack(TINY)).eval()
    named = {key.replace("foreground_embedding", "target_marks"): value for key, value in network.state_dict().items()}
    torch.save(named, tmp_path / "old.pth")
    assert torch.equal(answer(build(TINY, read_checkpoint(tmp_path / "old.pth")), 0.75), answer(network, 0.75))
