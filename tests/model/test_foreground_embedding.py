from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from eatrack_edge.model.checkpoints import build, read_checkpoint, write_checkpoint
from eatrack_edge.model.eatrack import EATrack
from eatrack_edge.model.foreground_embedding import TargetMarks, cover
from eatrack_edge.model.registry import architecture
from eatrack_edge.train.pretrained import start
from model.embedded import draw_marks

pytestmark = pytest.mark.torch

TINY = architecture("eatrack_tiny")
SLOT = torch.tensor([0])


def marks() -> TargetMarks:
    made = TargetMarks(slots=2, dim=1)
    with torch.no_grad():
        made.inside.copy_(torch.tensor([[1.0], [10.0]]))
    return made


def test_a_token_is_marked_by_as_much_of_it_as_the_box_covers() -> None:
    tokens = marks()(torch.zeros(1, 16, 1), torch.tensor([[0.5, 0.75]]), SLOT)
    column = [0.5, 1.0, 1.0, 0.5]  # the box is three of four cells high, in the middle
    assert tokens.view(4, 4).T.tolist() == [[0.0] * 4, column, column, [0.0] * 4]


def test_a_box_larger_than_its_crop_covers_all_of_it() -> None:
    assert (cover(torch.tensor([[-0.2, -1.0]]), torch.tensor([[1.3, 2.0]]), 4) == 1).all()


def test_each_slot_has_marks_of_its_own() -> None:
    tokens = marks()(torch.zeros(2, 4, 1), torch.ones(2, 2), torch.tensor([0, 1], dtype=torch.int32))
    assert tokens[:, 0, 0].tolist() == [1.0, 10.0]


def answer(network: EATrack, extent: float) -> torch.Tensor:
    torch.manual_seed(1)
    crops = torch.randn(1, 3, 128, 128), [torch.randn(1, 3, 64, 64)] * 2
    with torch.no_grad():
        return torch.cat(network.eval()(*crops, [torch.tensor([[0.5, extent]])] * 2)[::2], dim=1)


def test_a_network_that_is_told_another_box_answers_otherwise() -> None:
    network = draw_marks(EATrack(TINY))
    assert not torch.equal(answer(network, 0.5), answer(network, 0.75))


def test_weights_without_marks_stay_without_where_they_fly_and_learn_some_where_they_are_trained(
    tmp_path: Path,
) -> None:
    plain = EATrack(replace(TINY, target_marks=False))
    write_checkpoint(tmp_path / "plain.safetensors", plain, {}, half=False)
    flown = build(TINY, read_checkpoint(tmp_path / "plain.safetensors"))
    trained = start(TINY, tmp_path / "plain.safetensors", "checkpoint")
    assert (flown.architecture.target_marks, trained.architecture.target_marks) == (False, True)
    assert torch.equal(answer(trained, 0.75), answer(plain, 0.5))
