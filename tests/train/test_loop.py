from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from eatrack_edge.core.config import load
from eatrack_edge.core.errors import CheckpointError, EATrackError
from eatrack_edge.core.model_spec import ModelSpec
from eatrack_edge.core.resources import resource_folder
from eatrack_edge.model.checkpoints import build, read_checkpoint
from eatrack_edge.model.registry import architecture
from eatrack_edge.train.distillation import DistillationRecipe
from eatrack_edge.train.log import read_log
from eatrack_edge.train.loop import Progress, Trainer
from eatrack_edge.train.parallel import World
from eatrack_edge.train.recipe import TrainRecipe
from eatrack_edge.train.run import open_trainer, train

pytestmark = pytest.mark.torch
Recipe = Callable[..., TrainRecipe]


def quiet(_progress: Progress) -> None:
    pass


def opened(recipe: TrainRecipe, folder: Path) -> Trainer:
    folder.mkdir(exist_ok=True)
    return open_trainer(recipe, folder, World())


def test_an_interrupted_run_ends_as_an_uninterrupted_one(tiny_recipe: Recipe, tmp_path: Path) -> None:
    base = tiny_recipe()
    recipe = replace(base, optimiser=replace(base.optimiser, drop_path=0.2, freeze_blocks=1, freeze_until=0.4))
    whole = opened(recipe, tmp_path / "whole")
    whole.run(quiet)
    first = opened(recipe, tmp_path / "parts")
    first.run(quiet, until=24)
    torch.rand(7)  # chance used elsewhere meanwhile must not matter
    second = opened(recipe, tmp_path / "parts")
    assert second.resume()
    assert second.done == 24
    second.run(quiet)
    for one, other in ((whole.network, second.network), (whole.average.network, second.average.network)):
        for key, value in one.state_dict().items():
            assert torch.equal(value, other.state_dict()[key]), key


def test_two_hundred_steps_of_the_shipped_tiny_recipe_clearly_lower_the_loss(tmp_path: Path) -> None:
    recipe = load(TrainRecipe, resource_folder("export/recipes") / "train_eatrack_tiny.toml")
    opened(recipe, tmp_path).run(quiet)
    rows = read_log(tmp_path / "log.csv")
    assert rows[-1]["samples"] == 200 * recipe.optimiser.batch
    assert rows[-1]["total"] < 0.75 * rows[0]["total"]


def test_a_run_leaves_weights_that_load_a_log_and_a_curve(tiny_recipe: Recipe, tmp_path: Path) -> None:
    seen: list[Progress] = []
    result = train(tiny_recipe(), tmp_path / "run", World(), seen.append)
    checkpoint = read_checkpoint(result)
    build(architecture("eatrack_tiny"), checkpoint)
    model_spec = ModelSpec.from_metadata(checkpoint.metadata, str(result))
    assert (model_spec.model, model_spec.template_slots, model_spec.cropping.window) == ("eatrack_tiny", 2, "subpixel")
    assert model_spec.cropping.padding_rgb == (124, 116, 104)
    assert float(checkpoint.metadata["confidence_scale"]) > 0
    assert 0 <= json.loads((tmp_path / "run" / "calibration.json").read_text())["error_after"] <= 1
    assert [progress.done for progress in seen] == [8, 16, 24, 32, 40, 48]
    assert [bool(progress.row) for progress in seen] == [False, False, True, False, False, True]
    assert (tmp_path / "run" / "curve.svg").read_text().startswith("<svg")


def test_going_on_with_another_recipe_is_refused(tiny_recipe: Recipe, tmp_path: Path) -> None:
    opened(tiny_recipe(), tmp_path).run(quiet, until=8)
    with pytest.raises(CheckpointError, match="of another recipe: `seed` was 0, now 1") as caught:
        opened(tiny_recipe(seed=1), tmp_path).resume()
    assert caught.value.hint == "train into another folder: --output FOLDER"


def test_a_longer_run_may_go_on_from_a_shorter_one(tiny_recipe: Recipe, tmp_path: Path) -> None:
    opened(tiny_recipe(), tmp_path).run(quiet)
    longer = opened(tiny_recipe(samples=56), tmp_path)
    assert longer.resume()
    longer.run(quiet)
    assert longer.done == 56


def test_a_run_goes_on_after_its_recipe_got_a_new_choice(tiny_recipe: Recipe, tmp_path: Path) -> None:
    recipe = tiny_recipe()
    opened(recipe, tmp_path).run(quiet, until=8)
    state = torch.load(tmp_path / "last.pt", weights_only=True)
    del state["recipe"]["data.far_apart"]
    torch.save(state, tmp_path / "last.pt")
    assert opened(recipe, tmp_path).resume()
    with pytest.raises(CheckpointError, match=r"`data\.far_apart` was 0\.0, now 0\.5"):
        opened(replace(recipe, data=replace(recipe.data, far_apart=0.5)), tmp_path).resume()


def test_a_file_that_is_no_state_is_refused(tiny_recipe: Recipe, tmp_path: Path) -> None:
    (tmp_path / "last.pt").write_bytes(b"nothing")
    with pytest.raises(CheckpointError, match="cannot be read as the state of a run"):
        opened(tiny_recipe(), tmp_path).resume()


def test_a_run_that_diverges_stops_with_its_last_good_state_named(tiny_recipe: Recipe, tmp_path: Path) -> None:
    trainer = opened(tiny_recipe(), tmp_path)
    with torch.no_grad():
        trainer.network.backbone.norm.weight.fill_(math.nan)
    with pytest.raises(EATrackError, match="training diverged at sample 0: the gradient's norm is nan"):
        trainer.run(quiet)


def test_a_student_learns_from_a_teacher(tiny_recipe: Recipe, tmp_path: Path) -> None:
    weights = train(tiny_recipe(), tmp_path / "teacher", World(), quiet)
    distillation = DistillationRecipe("eatrack_tiny", str(weights), layer_pairs=((-1, -1),), least_teacher_iou=-1.0)
    recipe = tiny_recipe(distillation=distillation, seed=5)
    student = opened(recipe, tmp_path / "student")
    assert student.teacher is not None
    before = {key: value.clone() for key, value in student.teacher.state_dict().items()}
    student.run(quiet)
    rows = read_log(tmp_path / "student" / "log.csv")
    assert {"feature", "prediction", "taught"} <= rows[0].keys()
    assert rows[-1]["feature"] < rows[0]["feature"]
    for key, value in student.teacher.state_dict().items():
        assert torch.equal(before[key], value), key
