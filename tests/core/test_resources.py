from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest

from eatrack_edge.core.errors import UsageError
from eatrack_edge.core.resources import bundled, bundled_models, recipe_path, resource_folder

CARDS = resource_folder("export/cards")


def test_a_checkout_uses_its_own_resources() -> None:
    assert resource_folder("export/recipes") == Path(__file__).parents[2] / "export" / "recipes"


def test_a_missing_resource_folder_is_named() -> None:
    with pytest.raises(UsageError, match="the folder `export/poems` is not installed"):
        resource_folder("export/poems")


def test_a_recipe_may_be_a_path() -> None:
    assert recipe_path("mine/own.toml") == Path("mine/own.toml")


def test_an_unknown_recipe_lists_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="hint: known recipes: eatrack_deit, eatrack_s, eatrack_tiny, "):
        recipe_path(str(tmp_path))


def test_a_model_that_ships_in_two_precisions_is_one_model() -> None:
    assert bundled("eatrack_s.fp16.track.onnx") is not None
    assert [model for model in bundled_models() if model.startswith("eatrack_s")] == ["eatrack_s"]


@pytest.mark.parametrize("model", bundled_models())
def test_every_bundled_model_has_a_card_that_names_its_weights_by_hash(model: str) -> None:
    weights = bundled(f"{model}.safetensors")
    assert weights is not None
    assert weights.stat().st_size < 30e6
    card = (CARDS / f"{model}.md").read_text(encoding="utf-8")
    assert re.search(r"sha256[^0-9a-f]*([0-9a-f]{64})", card)
    assert hashlib.sha256(weights.read_bytes()).hexdigest() in card
    assert "research data" in card.lower()
