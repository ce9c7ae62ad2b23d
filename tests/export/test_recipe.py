from __future__ import annotations

from pathlib import Path

import pytest

from eatrack_edge.core import config
from eatrack_edge.core.errors import CheckpointError, ConfigError, UsageError
from eatrack_edge.core.model_spec import Cropping, ModelSpec
from eatrack_edge.core.resources import DEFAULT_MODEL, material
from eatrack_edge.export.recipe import ExportRecipe, plan
from eatrack_edge.model.checkpoints import build, write_checkpoint
from eatrack_edge.model.eatrack import EATrack
from eatrack_edge.model.registry import MODELS, architecture

pytestmark = pytest.mark.torch

RECIPES = [path for path in sorted(material("export/recipes").glob("*.toml")) if path.stem in MODELS]


def saved(folder: Path, metadata: dict[str, str]) -> str:
    path = folder / "mine.safetensors"
    write_checkpoint(path, EATrack(architecture("eatrack_tiny")), metadata, half=False)
    return str(path)


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_every_shipped_recipe_loads_and_is_named_after_its_model(path: Path) -> None:
    assert config.load(ExportRecipe, path).model == path.stem


def test_the_default_models_own_weights_are_found() -> None:
    found = plan(DEFAULT_MODEL)
    assert found.name == DEFAULT_MODEL
    assert build(found.architecture, found.checkpoint).architecture.dim == found.model_spec.dim


def test_a_checkpoint_that_names_its_model_needs_no_option(tmp_path: Path) -> None:
    assert plan(saved(tmp_path, {"model": "eatrack_tiny"})).model_spec.model == "eatrack_tiny"


def test_what_a_checkpoint_of_ours_says_leads_over_the_recipe(tmp_path: Path) -> None:
    said = ModelSpec(
        "eatrack_tiny", 48, 64, 128, 1, Cropping(search_factor=5.0, window="integer"), confidence_scale=2.5
    )
    found = plan(saved(tmp_path, said.to_metadata()))
    assert found.model_spec.template_slots == found.architecture.template_slots == 1
    assert found.model_spec.cropping == said.cropping
    assert found.model_spec.confidence_scale == 2.5


def test_an_argument_leads_over_the_checkpoint(tmp_path: Path) -> None:
    said = ModelSpec("eatrack_tiny", 48, 64, 128, 1)
    found = plan(saved(tmp_path, said.to_metadata()), slots=2, name="other", opset=18)
    assert (found.model_spec.template_slots, found.name, found.opset) == (2, "other", 18)


def test_a_checkpoint_of_an_unnamed_network_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="does not say which network it is\nhint: name it: --model eatrack_deit"):
        plan(saved(tmp_path, {}))


def test_a_model_without_weights_asks_for_a_checkpoint() -> None:
    with pytest.raises(UsageError) as caught:
        plan("ostrack_vitb_256")
    assert str(caught.value) == (
        "no weights ship for `ostrack_vitb_256`\n"
        "hint: give a checkpoint: eatrack-edge export CHECKPOINT --model ostrack_vitb_256"
    )


def test_an_unknown_name_lists_the_recipes() -> None:
    with pytest.raises(UsageError, match=r"no recipe called `yolo`\nhint: known recipes: .*eatrack_s"):
        plan("yolo")
    with pytest.raises(UsageError, match="no recipe called `eatrack-s`\nhint: did you mean `eatrack_s`"):
        plan("eatrack-s")


def test_weights_of_another_network_are_refused(tmp_path: Path) -> None:
    found = plan(saved(tmp_path, {}), model="eatrack_deit")
    with pytest.raises(CheckpointError, match="does not fit this network"):
        build(found.architecture, found.checkpoint)


def test_an_opset_without_layer_norm_is_refused() -> None:
    with pytest.raises(ConfigError, match="opset must be at least 17, got 16"):
        ExportRecipe(model="eatrack_s", opset=16)
