"""``eatrack-edge train``: trains a network from a recipe; an interrupted run resumes where it stopped."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from eatrack_edge.cli.console import Progress
from eatrack_edge.cli.stopping import Stopped, stop_requests

if TYPE_CHECKING:
    from eatrack_edge.train.loop import Progress as TrainState
    from eatrack_edge.train.parallel import World
    from eatrack_edge.train.recipe import TrainRecipe


def train(
    recipe: Annotated[str, typer.Argument(help="A recipe's name, e.g. eatrack_s, or the path of a TOML file.")],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Folder of the run, which resumes from it; runs/RECIPE by default."),
    ] = None,
    stop_after: Annotated[
        int | None, typer.Option(min=1, help="Stop after this many samples; the same command resumes.")
    ] = None,
    minutes: Annotated[
        float | None,
        typer.Option(min=0.001, help="Train for so long instead of the recipe's samples; the schedule ends with it."),
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help="Folder that holds the recipe's data folders, in place of its own paths.")
    ] = None,
) -> None:
    """Train a network from a recipe. Start it with torchrun to use several processes or GPUs."""
    from eatrack_edge.core.imports import require

    for module in ("torch", "safetensors"):
        require(module, to="train")
    from eatrack_edge.core.config import load
    from eatrack_edge.core.errors import InputError
    from eatrack_edge.train.parallel import world
    from eatrack_edge.train.recipe import TrainRecipe

    path = _recipe_path(recipe)
    plan = load(TrainRecipe, path)
    if data is not None:
        from eatrack_edge.train.run import data_below

        plan = data_below(plan, data)
    folder = output or Path("runs") / path.stem.removeprefix("train_")
    with world() as among:
        try:
            result = _run(plan, folder, among, stop_after, None if minutes is None else 60 * minutes)
        except InputError as error:
            if data is not None or not any(each.folder in error.message for each in plan.data.sets):
                raise
            named = f"the training data is named in {path}, under [[data.sets]]"
            raise InputError(error.message, hint="; ".join(filter(None, [error.hint, named]))) from error
    if among.is_first:
        print(f"{result}  {result.stat().st_size / 1e6:.1f} MB")
        print(f"{folder / 'log.csv'}")
        print(f"{folder / 'curve.svg'}")
        print(f"next: eatrack-edge export {shlex.quote(str(result))} -o {shlex.quote(str(folder / 'graphs'))}")


def _run(plan: TrainRecipe, folder: Path, among: World, stop_after: int | None, limit_s: float | None) -> Path:
    """Train, until the end or until the command is stopped."""
    from eatrack_edge.train.run import StopTraining
    from eatrack_edge.train.run import train as run_training

    done, total = 0, plan.samples
    with Progress("samples", is_quiet=not among.is_first) as display, stop_requests() as is_stop_requested:

        def report(state: TrainState) -> None:
            nonlocal done, total
            done, total = state.done, state.samples
            _show(display, plan.model, state)
            if is_stop_requested():
                raise StopTraining

        try:
            return run_training(plan, folder, among, report, stop_after, limit_s)
        except StopTraining:
            kept = f"{folder / 'last.pt'} holds the run after {done} of {total} samples"
            raise Stopped(f"{kept}; the same command goes on") from None


def _recipe_path(recipe: str) -> Path:
    """Path of a recipe: ``eatrack_s`` is ``export/recipes/train_eatrack_s.toml``; a path is returned as it is."""
    from eatrack_edge.core.errors import UsageError, did_you_mean
    from eatrack_edge.core.resources import resource_folder

    if recipe.endswith(".toml"):
        return Path(recipe)
    folder = resource_folder("export/recipes")
    path = folder / f"train_{recipe}.toml"
    if not path.is_file():
        known = sorted(found.stem.removeprefix("train_") for found in folder.glob("train_*.toml"))
        raise UsageError(f"no training recipe called `{recipe}`", hint=did_you_mean(recipe, known, "known recipes: {}"))
    return path


def _show(display: Progress, name: str, state: TrainState) -> None:
    """Show one training step, and every validation as a line of its own."""
    validated = {key.removeprefix("pair_"): value for key, value in state.row.items() if key.startswith("pair_")}
    scores = "".join(f", {key} {value:.3f}" for key, value in validated.items())
    detail = f"loss {state.loss:.3f}{scores}"
    display.show(name, state.done, state.samples, detail, rate=state.rate, is_due=bool(state.row))
