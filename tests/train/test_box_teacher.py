from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from eatrack_edge.core.errors import ConfigError, UsageError
from eatrack_edge.datasets.shards import ShardTarget, read_shards
from eatrack_edge.evaluation.tracker_protocol import SingleObjectTracker
from eatrack_edge.train.box_teacher import BoxTeacherRecipe, mean_box, teach

pytestmark = pytest.mark.torch
RECIPE = BoxTeacherRecipe("fake", share=0.5)


class Teacher:
    """Repeats the first box, ``grown`` times as large about its centre and ``moved`` px to the right."""

    def __init__(self, grown: float = 1.0, moved: float = 0.0) -> None:
        self.grown, self.moved = grown, moved

    def init(self, _frame: object, box: tuple[float, float, float, float]) -> None:
        self.box = box

    def update(self, _frame: object) -> Any:
        x, y, w, h = self.box
        wide, high = w * self.grown, h * self.grown
        return SimpleNamespace(box=(x + (w - wide) / 2 + self.moved, y + (h - high) / 2, wide, high))


@pytest.fixture
def targets(shards: Path) -> list[ShardTarget]:
    return [target for target in read_shards(shards) if target.clip][:2] + read_shards(shards)[-1:]


def taught(targets: list[ShardTarget], teacher: Teacher, recipe: BoxTeacherRecipe = RECIPE) -> list[ShardTarget]:
    return teach(targets, recipe, cast("SingleObjectTracker", teacher))


def test_without_a_teacher_labels_stay(targets: list[ShardTarget]) -> None:
    assert teach(targets, BoxTeacherRecipe()) == targets


def test_a_teacher_that_agrees_moves_the_label_half_way(targets: list[ShardTarget]) -> None:
    for before, after in zip(targets[:2], taught(targets, Teacher(grown=1.1))[:2], strict=True):
        assert after.crops[0] == before.crops[0]  # the template's own box is what the teacher was given
        for label, soft in zip(before.crops[1:], after.crops[1:], strict=True):
            assert soft.box[2] == pytest.approx(label.box[2] * 1.1**0.5, rel=1e-4)
            assert soft.box[0] + soft.box[2] / 2 == pytest.approx(label.box[0] + label.box[2] / 2, abs=1e-3)


def test_a_teacher_that_follows_something_else_is_not_believed(targets: list[ShardTarget]) -> None:
    assert taught(targets, Teacher(moved=40)) == targets


def test_stills_keep_their_labels(targets: list[ShardTarget]) -> None:
    assert taught(targets, Teacher(grown=1.1))[2] == targets[2]


def test_a_share_of_one_takes_the_taught_box() -> None:
    for got, wanted in zip(mean_box((0, 0, 10, 20), (2, 2, 8, 16), 1.0), (2, 2, 8, 16), strict=True):
        assert got == pytest.approx(wanted)


def test_a_teacher_that_cannot_be_is_refused(targets: list[ShardTarget]) -> None:
    with pytest.raises(UsageError, match="no tracker called `fake`"):
        teach(targets, RECIPE)
    with pytest.raises(ConfigError, match="share must be in"):
        replace(RECIPE, share=1.5)
