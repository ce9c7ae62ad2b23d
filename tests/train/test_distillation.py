from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from eatrack_edge.core.errors import ConfigError
from eatrack_edge.model.eatrack import EATrack
from eatrack_edge.model.registry import architecture
from eatrack_edge.train.distillation import Distillation, DistillationRecipe
from eatrack_edge.train.forward import Trace, trace
from eatrack_edge.train.masks import box_mask, overlap_mask
from eatrack_edge.train.sampling import Sample

pytestmark = pytest.mark.torch
TINY = architecture("eatrack_tiny")
ALL = DistillationRecipe(teacher="eatrack_tiny", layer_pairs=((-1, -1),), least_teacher_iou=-1.0)


def sample(count: int = 2) -> Sample:
    box = torch.tensor([[0.5, 0.5, 0.25, 0.25], [0.3, 0.6, 0.2, 0.3]])[:count]
    inner = torch.tensor([0.5, 0.5, 0.5, 0.5]).expand(count, 2, 4)
    crops = torch.zeros(count, 2, 64, 64, 3), torch.zeros(count, 128, 128, 3)
    return Sample(*crops, box, inner[..., 2:], inner, torch.ones(count))


def crops(count: int = 2) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(3)
    templates = torch.randn(count, 2, 3, 64, 64, generator=generator)
    return templates, torch.full((count, 2, 2), 0.5), torch.randn(count, 3, 128, 128, generator=generator)


def network(seed: int, name: str = "eatrack_tiny") -> EATrack:
    torch.manual_seed(seed)
    return EATrack(architecture(name)).eval()


def test_a_student_equal_to_its_teacher_costs_nothing() -> None:
    one = trace(network(0), *crops())
    loss = Distillation(TINY, TINY, ALL)(one, one, sample())
    assert loss.feature.item() == pytest.approx(0, abs=1e-6)
    assert loss.prediction.item() == pytest.approx(0, abs=1e-6)


def test_another_student_costs_something_in_both_terms() -> None:
    loss = Distillation(TINY, TINY, ALL)(trace(network(0), *crops()), trace(network(1), *crops()), sample())
    assert loss.feature.item() > 0.01
    assert loss.prediction.item() > 0


def leaves(source: Trace) -> Trace:
    """The same numbers with gradients of their own."""
    logits = type(source.logits)(*(part.detach().requires_grad_() for part in source.logits))
    return Trace(logits, [part.detach().requires_grad_() for part in source.features])


def test_no_gradient_leaves_the_mask() -> None:
    mine, batch = leaves(trace(network(0), *crops())), sample()
    Distillation(TINY, TINY, ALL)(mine, trace(network(1), *crops()), batch).total.backward()
    score, features = mine.logits.score.grad, mine.features[-1].grad
    assert score is not None
    assert features is not None
    outside = box_mask(batch.box, 8) == 0
    assert not score[:, 0][outside].any()
    assert score[:, 0][~outside].any()
    search = features[:, -64:].unflatten(1, (8, 8))
    assert not search[overlap_mask(batch.box, 8) == 0].any()
    assert search[overlap_mask(batch.box, 8) > 0].any()
    template = features[:, :16].unflatten(1, (4, 4))
    assert not template[overlap_mask(batch.template_boxes[:, 0], 4) == 0].any()


def test_no_gradient_reaches_the_teacher() -> None:
    teacher = leaves(trace(network(1), *crops()))
    mine = leaves(trace(network(0), *crops()))
    Distillation(TINY, TINY, ALL)(mine, teacher, sample()).total.backward()
    assert teacher.logits.score.grad is None
    assert all(part.grad is None for part in teacher.features)


def test_without_masks_every_cell_is_taught() -> None:
    recipe = DistillationRecipe(
        layer_pairs=((-1, -1),), feature_mask="none", prediction_mask="none", least_teacher_iou=-1.0
    )
    mine = leaves(trace(network(0), *crops()))
    Distillation(TINY, TINY, recipe)(mine, trace(network(1), *crops()), sample()).total.backward()
    assert mine.logits.score.grad is not None
    assert bool((mine.logits.score.grad != 0).all())


def test_samples_on_which_the_teacher_fails_are_left_out() -> None:
    recipe = DistillationRecipe(layer_pairs=((-1, -1),), least_teacher_iou=0.99)
    loss = Distillation(TINY, TINY, recipe)(trace(network(0), *crops()), trace(network(1), *crops()), sample())
    assert loss.taught.item() == 0
    assert loss.total.item() == 0


def test_a_wider_teacher_is_met_through_projectors() -> None:
    wide = replace(TINY, dim=96, separate_blocks=0, joint_blocks=3, template_slots=1)
    torch.manual_seed(2)
    distillation = Distillation(TINY, wide, ALL)
    loss = distillation(trace(network(0), *crops()), trace(EATrack(wide).eval(), *crops()), sample())
    loss.total.backward()
    assert all(parameter.grad is not None for parameter in distillation.parameters())
    assert len(list(distillation.parameters())) == 2


@pytest.mark.parametrize(
    ("recipe", "teacher", "message"),
    [
        (DistillationRecipe(), "eatrack_tiny", r"layer pair \(-2, -2\): the student's Stage 2 has 1 blocks"),
        (ALL, "eatrack_s", "teacher and student must see the same crops"),
    ],
    ids=["no such block", "other crops"],
)
def test_a_teacher_that_does_not_fit_is_refused(recipe: DistillationRecipe, teacher: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        Distillation(TINY, architecture(teacher), recipe)


def test_a_wrong_mask_is_refused() -> None:
    with pytest.raises(ConfigError, match="mask must be `target` or `none`, got `soft`"):
        DistillationRecipe(feature_mask="soft")


def test_a_sample_without_its_target_teaches_nothing() -> None:
    mine, teacher, batch = leaves(trace(network(0), *crops())), trace(network(1), *crops()), sample()
    present = Distillation(TINY, TINY, ALL)(mine, teacher, batch)
    assert present.taught.item() == 1
    absent = batch._replace(is_present=torch.zeros(2))
    loss = Distillation(TINY, TINY, ALL)(mine, teacher, absent)
    assert (loss.total.item(), loss.feature.item(), loss.prediction.item(), loss.taught.item()) == (0, 0, 0, 0)
    loss.total.backward()
    for part in (*mine.logits, *mine.features):
        assert part.grad is None or not part.grad.any()
    half = Distillation(TINY, TINY, ALL)(mine, teacher, batch._replace(is_present=torch.tensor([1.0, 0.0])))
    assert half.taught.item() == 0.5
    assert 0 < half.feature.item() < present.feature.item()
