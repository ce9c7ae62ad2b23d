"""The training loop: steps, judgements, checkpoints that resume exactly."""

from __future__ import annotations

import csv
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from eatrack_edge.errors import CheckpointError
from eatrack_edge.model.eatrack import EATrack
from eatrack_edge.train.average import Average
from eatrack_edge.train.losses import TrackingLoss, tracking_loss
from eatrack_edge.train.pairs import Pairs, judge
from eatrack_edge.train.recipe import TrainRecipe
from eatrack_edge.train.sampling import Sample, Sampler, normalised
from eatrack_edge.train.schedule import freeze, make_optimiser, rate_factor, set_drop_path, set_rate


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a run is.

    Attributes:
        done: Samples learned from.
        samples: Samples of the whole run.
        rate: Samples a second since this process started.
        loss: Mean over the steps since the last report.
        row: What was written to the log with it; empty between judgements.
    """

    done: int
    samples: int
    rate: float
    loss: float
    row: dict[str, float]


class Trainer:
    """One run.

    Args:
        recipe: All choices.
        network: To be trained, in place.
        sampler: Makes samples by index.
        pairs: Held-out pairs; ``None`` judges by the loss alone.
        folder: Takes ``last.pt``, the log and the curve.
    """

    def __init__(
        self, recipe: TrainRecipe, network: EATrack, sampler: Sampler, pairs: Pairs | None, folder: Path
    ) -> None:
        self.recipe = recipe
        self.network = network.train()
        self.sampler = sampler
        self.pairs = pairs
        self.folder = folder
        self.done = 0  # samples; the sampler's whole state
        self.optimiser = make_optimiser(network, recipe.optimiser)
        self.average = Average(network, recipe.optimiser.average)
        self._sums: dict[str, float] = {}
        self._steps = 0
        set_drop_path(network, recipe.optimiser.drop_path)

    def run(self, report: Callable[[Progress], None], until: int | None = None) -> None:
        """Train until ``until`` samples are done, the recipe's number by default, saving and judging on the way."""
        last = min(until or self.recipe.samples, self.recipe.samples)
        started, first, saved = time.monotonic(), self.done, time.monotonic()
        while self.done < last:
            before = self.done
            self._add(self.step())
            row: dict[str, float] = {}
            is_due = self.done // self.recipe.judge_every > before // self.recipe.judge_every
            if is_due or self.done >= self.recipe.samples:
                row = self._judge((self.done - first) / (time.monotonic() - started))
            if time.monotonic() - saved > self.recipe.save_every_s or self.done >= last:
                self.save(self.folder / "last.pt")
                saved = time.monotonic()
            rate = (self.done - first) / (time.monotonic() - started)
            report(Progress(self.done, self.recipe.samples, rate, self._mean("total"), row))
            if row:
                self._sums, self._steps = {}, 0

    def step(self) -> dict[str, float]:
        """One step of the optimiser on the next batch; its losses."""
        recipe = self.recipe.optimiser
        share = self.done / self.recipe.samples
        freeze(self.network, share, recipe)
        set_rate(self.optimiser, rate_factor(share, recipe))
        batch = self.sampler.batch(range(self.done, self.done + recipe.batch))
        loss = self.loss(batch)
        self.optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(loss.total)
        norm = torch.nn.utils.clip_grad_norm_(self.network.parameters(), recipe.clip_norm)
        if not math.isfinite(float(norm)):
            raise CheckpointError(
                f"training diverged at sample {self.done}: the gradient's norm is {float(norm)}",
                hint=f"lower the rates in the recipe, then go on from {self.folder / 'last.pt'}",
            )
        self.optimiser.step()
        self.average.update(self.network)
        self.done += recipe.batch
        return {name: float(value.detach()) for name, value in loss._asdict().items()} | {"gradient": float(norm)}

    def loss(self, batch: Sample) -> TrackingLoss:
        """The loss of a batch, with its graph."""
        templates: list[Tensor] = list(normalised(batch.templates).unbind(1))
        search = normalised(batch.search)
        backbone = self.network.backbone
        with torch.autocast("cpu", torch.bfloat16, enabled=self.recipe.precision == "bf16"):
            tokens = [backbone.encode_template(template) for template in templates]
            joined = backbone.join(tokens, backbone.encode_search(search))
            logits = self.network.predict(backbone.finish(joined))
        return tracking_loss(logits, batch.box, batch.is_present, self.recipe.loss)

    def save(self, path: Path) -> None:
        """Write everything that the run needs to go on as if it had never stopped."""
        partial = path.with_name(path.name + ".part")
        torch.save(
            {
                "network": self.network.state_dict(),
                "optimiser": self.optimiser.state_dict(),
                "average": self.average.network.state_dict(),
                "average_steps": self.average.steps,
                "random": torch.get_rng_state(),
                "done": self.done,
            },
            partial,
        )
        partial.replace(path)

    def resume(self, path: Path) -> None:
        """Go on from what ``save`` wrote."""
        held: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        self.network.load_state_dict(held["network"])
        self.optimiser.load_state_dict(held["optimiser"])
        self.average.network.load_state_dict(held["average"])
        self.average.steps = held["average_steps"]
        torch.set_rng_state(held["random"])
        self.done = held["done"]

    def _judge(self, rate: float) -> dict[str, float]:
        row = {"samples": float(self.done), "samples_per_s": round(rate, 3), "time": round(time.time())}
        row |= {name: round(self._mean(name), 5) for name in self._sums}
        if self.pairs is not None:
            row |= judge(self.average.network, self.pairs).row()
        path = self.folder / "log.csv"
        is_new = not path.exists()
        with path.open("a", newline="") as file:
            writer = csv.DictWriter(file, row.keys())
            if is_new:
                writer.writeheader()
            writer.writerow(row)
        return row

    def _add(self, losses: dict[str, float]) -> None:
        for name, value in losses.items():
            self._sums[name] = self._sums.get(name, 0.0) + value
        self._steps += 1

    def _mean(self, name: str) -> float:
        return self._sums[name] / self._steps
