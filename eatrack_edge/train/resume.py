"""The state of a run in a file: weights, average, optimiser and place. Chance needs none, see loop."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.optim import AdamW

from eatrack_edge.core.errors import CheckpointError
from eatrack_edge.core.io import write_whole
from eatrack_edge.train.average import Average
from eatrack_edge.train.recipe import DataRecipe, TrainRecipe

# What may change between a stop and going on: how long, how fast and how often, but not what is learned.
_MAY_CHANGE = ("samples", "threads", "workers", "compile", "judge_every", "save_every_s", "data.decode_once")
_MAY_CHANGE_UNDER = "validate_closed_loop."


def write_state(
    path: Path, modules: Mapping[str, nn.Module], average: Average, optimiser: AdamW, done: int, recipe: TrainRecipe
) -> None:
    """Write a run's state, whole or not at all.

    Args:
        path: Where to.
        modules: What is trained, by name.
        average: The averaged weights.
        optimiser: Moments and steps.
        done: Samples learned from.
        recipe: Kept beside them, so that another recipe does not go on from here.

    Raises:
        OutputError: It cannot be written.
    """
    state = {
        "modules": {name: module.state_dict() for name, module in modules.items()},
        "average": average.network.state_dict(),
        "average_steps": average.steps,
        "optimiser": optimiser.state_dict(),
        "done": done,
        "recipe": _plain(recipe),
    }
    data = io.BytesIO()  # costs the state's size in memory: torch itself would hide that a disk is full
    torch.save(state, data)
    write_whole(path, data.getbuffer())


def read_state(
    path: Path, modules: Mapping[str, nn.Module], average: Average, optimiser: AdamW, recipe: TrainRecipe
) -> int:
    """Read a run's state back in place.

    Returns:
        Samples learned from.

    Raises:
        CheckpointError: The file is no state of a run, or of a run by another recipe.
    """
    try:
        held: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        theirs = held["recipe"]
    except Exception as error:  # torch raises bare errors of many kinds here
        raise CheckpointError(f"{path}: cannot be read as the state of a run: {type(error).__name__}") from error
    # A choice that the recipe did not have yet when the run began was at its default.
    defaults = _plain(TrainRecipe(recipe.model, DataRecipe(recipe.data.sets), samples=2**31))
    for key, value in _plain(recipe).items():
        was = theirs.get(key, defaults.get(key))
        if was != value and key not in _MAY_CHANGE and not key.startswith(_MAY_CHANGE_UNDER):
            raise CheckpointError(
                f"{path}: of another recipe: `{key}` was {was!r}, now {value!r}",
                hint="train into another folder: --output FOLDER",
            )
    for name, module in modules.items():
        module.load_state_dict(held["modules"][name])
    average.network.load_state_dict(held["average"])
    average.steps = held["average_steps"]
    optimiser.load_state_dict(held["optimiser"])
    return int(held["done"])


def _plain(recipe: TrainRecipe) -> dict[str, Any]:
    """A recipe as flat keys and plain values, ``optimiser.batch`` and the like."""
    return dict(_flat("", asdict(recipe)))


def _flat(prefix: str, table: Mapping[str, Any]) -> list[tuple[str, Any]]:
    rows: list[tuple[str, Any]] = []
    for key, value in table.items():
        rows += _flat(f"{prefix}{key}.", value) if isinstance(value, dict) else [(prefix + key, value)]
    return rows
