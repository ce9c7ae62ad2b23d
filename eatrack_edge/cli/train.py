"""``eatrack-edge train``: a recipe becomes weights; an unfinished run goes on where it stopped."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from eatrack_edge.cli.progress import Display

if TYPE_CHECKING:
    from eatrack_edge.train.loop import Progress


def train(
    recipe: Annotated[str, typer.Argument(help="A recipe's name, e.g. eatrack_s, or the path of a TOML file.")],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Folder of the run, and to go on from; runs/RECIPE by default."),
    ] = None,
    stop_after: Annotated[
        int | None, typer.Option(min=1, help="Samples to stop after; the same command goes on later.")
    ] = None,
) -> None:
    """Train a network by a recipe. Start it with torchrun to share the work among processes or GPUs."""
    from eatrack_edge.core.imports import require

    for module in ("torch", "safetensors"):
        require(module, to="train")
    from eatrack_edge.core.config import load
    from eatrack_edge.train.parallel import world
    from eatrack_edge.train.recipe import TrainRecipe
    from eatrack_edge.train.run import train as carry_out

    path = _recipe_path(recipe)
    wanted = load(TrainRecipe, path)
    folder = output or Path("runs") / path.stem.removeprefix("train_")
    with world() as among, TrainProgress(wanted.model, wanted.samples, is_quiet=not among.is_first) as shown:
        result = carry_out(wanted, folder, among, shown.show, until=stop_after)
    if among.is_first:
        print(f"{result}  {result.stat().st_size / 1e6:.1f} MB")
        print(f"{folder / 'log.csv'}")
        print(f"{folder / 'curve.svg'}")


def _recipe_path(recipe: str) -> Path:
    """``eatrack_s`` is ``export/recipes/train_eatrack_s.toml``; a path is itself."""
    from eatrack_edge.core.errors import UsageError, did_you_mean
    from eatrack_edge.core.resources import material

    if recipe.endswith(".toml"):
        return Path(recipe)
    folder = material("export/recipes")
    path = folder / f"train_{recipe}.toml"
    if not path.is_file():
        known = sorted(found.stem.removeprefix("train_") for found in folder.glob("train_*.toml"))
        raise UsageError(f"no training recipe called `{recipe}`", hint=did_you_mean(recipe, known, "known recipes: {}"))
    return path


class TrainProgress(Display):
    """Progress of a run: a bar on a terminal, a line now and then elsewhere, and every judgement."""

    def __init__(self, name: str, samples: int, *, is_quiet: bool) -> None:
        from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeRemainingColumn

        super().__init__(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]:.1f} samples/s  loss {task.fields[loss]:.3f}"),
            TimeRemainingColumn(),
            is_quiet=is_quiet,
        )
        self._name, self._is_quiet = name, is_quiet
        self._task = self.bar.add_task(name, total=samples, rate=0.0, loss=0.0)

    def show(self, progress: Progress) -> None:
        """One step is done."""
        if self._is_quiet:
            return
        self.bar.update(self._task, completed=progress.done, rate=progress.rate, loss=progress.loss)
        if self.is_line_due() or progress.row:
            self.bar.console.print(self._line(progress), soft_wrap=True, highlight=False)

    def _line(self, progress: Progress) -> str:
        left_s = (progress.samples - progress.done) / max(progress.rate, 1e-9)
        held_out = {key.removeprefix("pair_"): value for key, value in progress.row.items() if key.startswith("pair_")}
        scores = "".join(f", {key} {value:.3f}" for key, value in held_out.items())
        return (
            f"{self._name}: {progress.done}/{progress.samples} samples, {progress.rate:.1f} samples/s, "
            f"{left_s / 60:.0f} min left, loss {progress.loss:.3f}{scores}"
        )
