from __future__ import annotations

from pathlib import Path

import pytest

from eatrack_edge.core.config import load
from eatrack_edge.core.errors import ConfigError
from eatrack_edge.core.resources import resource_folder
from eatrack_edge.model.registry import architecture
from eatrack_edge.train.distillation import Distillation
from eatrack_edge.train.recipe import DataRecipe, SetRecipe, TrainRecipe

pytestmark = pytest.mark.torch
RECIPES = sorted(resource_folder("export/recipes").glob("train_*.toml"))
DATA = DataRecipe(sets=(SetRecipe("data"),))


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_every_shipped_recipe_loads_and_its_teacher_fits(path: Path) -> None:
    recipe = load(TrainRecipe, path)
    shape = architecture(recipe.model)
    assert f"#   eatrack-edge train {path.stem.removeprefix('train_')}\n" in path.read_text()
    if recipe.distillation.teacher:
        Distillation(shape, architecture(recipe.distillation.teacher), recipe.distillation)


def test_the_papers_recipe_is_the_papers() -> None:
    recipe = load(TrainRecipe, resource_folder("export/recipes") / "train_eatrack_deit_paper.toml")
    assert (recipe.optimiser.batch, recipe.samples, recipe.optimiser.drop_at) == (128, 300 * 60_000, 240 / 300)
    assert (recipe.loss.l1, recipe.loss.giou, recipe.loss.log_size) == (5, 2, 0)
    assert (recipe.distillation.feature, recipe.distillation.prediction) == (1, 1)


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"precision": "fp8"}, "precision must be `fp32`, `bf16` or `auto`, got `fp8`"),
        ({"start_kind": "onnx"}, "start_kind must be one of checkpoint, vit, teacher, wider, got `onnx`"),
        ({"start_kind": "wide"}, "got `wide`\nhint: did you mean `wider`"),
        ({"start_kind": "wider"}, "start_kind `wider` and start_model go together"),
        ({"start_kind": "vit"}, "start_kind `vit` needs weights to start from, and start is empty\nhint: name their"),
        ({"start_kind": "teacher"}, "start_kind `teacher` needs weights to start from"),
        ({"start_kind": "wider", "start_model": "eatrack_s"}, "start_kind `wider` needs weights to start from"),
        ({"samples": 5}, "samples must be at least one batch of 16, got 5"),
    ],
    ids=["precision", "start", "misspelt", "no wide network", "vit", "teacher", "wider", "samples"],
)
def test_a_choice_that_cannot_be_is_refused(fields: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        TrainRecipe(**({"model": "eatrack_tiny", "data": DATA, "samples": 160} | fields))


def test_a_recipe_without_data_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"at least one \[\[data\.sets\]\]"):
        DataRecipe(sets=())
