"""The training loop: steps, judgements, and checkpoints from which a run goes on as if it had never stopped."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from eatrack_edge.core.errors import EATrackError
from eatrack_edge.model.eatrack import EATrack
from eatrack_edge.train.average import Average
from eatrack_edge.train.closed_loop import COLUMNS, ClosedLoop
from eatrack_edge.train.distillation import Distillation
from eatrack_edge.train.forward import Trace, trace
from eatrack_edge.train.loader import batches, worker_count
from eatrack_edge.train.log import append_row
from eatrack_edge.train.losses import tracking_loss
from eatrack_edge.train.pairs import Pairs, judge
from eatrack_edge.train.parallel import World, average_gradients, average_numbers, share_batch_norm
from eatrack_edge.train.recipe import TrainRecipe
from eatrack_edge.train.resume import read_state, write_state
from eatrack_edge.train.sampling import Sample, Sampler, normalised
from eatrack_edge.train.schedule import freeze, make_optimiser, rate_factor, set_drop_path, set_rate

LAST = "last.pt"
_NO_END = 2**62  # samples, of a run that ends by time alone


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a run is.

    Attributes:
        done: Samples learned from, over all processes.
        samples: Samples of the whole run; of one with a time limit, as many as its rate so far foretells.
        rate: Samples a second since this process started, judgements included.
        loss: Mean over the steps since the last judgement.
        row: What was added to the log with this step; empty between judgements.
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
        network: To be trained, in place, on the world's device.
        sampler: Makes samples by index.
        folder: Takes the checkpoint ``last.pt`` and the log; must exist.
        pairs: Held-out pairs; ``None`` judges by the loss alone.
        teacher: The teacher and the terms to learn from it; ``None`` learns from the truth alone.
        among: This process and its peers.
        closed_loop: Held-out clips to track now and then, in every process; ``None`` tracks none.
        limit_s: Time that ends a call of ``run``, and with it the schedule, instead of the recipe's samples.

    Attributes:
        done: Samples learned from. With the seed, the sampler's whole state.
        average: The averaged weights: the result.
    """

    def __init__(
        self,
        recipe: TrainRecipe,
        network: EATrack,
        sampler: Sampler,
        folder: Path,
        *,
        pairs: Pairs | None = None,
        teacher: tuple[EATrack, Distillation] | None = None,
        among: World | None = None,
        closed_loop: ClosedLoop | None = None,
        limit_s: float | None = None,
    ) -> None:
        self.closed_loop = closed_loop
        self.limit_s, self._time_share = limit_s, 0.0
        self.recipe, self.sampler, self.folder, self.pairs = recipe, sampler, folder, pairs
        self.world = among or World()
        self.network = network.train()
        if self.world.size > 1:
            share_batch_norm(network)
        self.teacher = teacher[0].eval().requires_grad_(False) if teacher else None
        self.distillation = teacher[1] if teacher else None
        self.trained: list[nn.Module] = [network, *([self.distillation] if self.distillation else [])]
        self.optimiser = make_optimiser(network, recipe.optimiser, self.distillation)
        self.average = Average(network, recipe.optimiser.average)
        self.done = 0
        is_on_gpu = self.world.device.type == "cuda"
        self._is_bf16 = recipe.precision == "bf16" or (recipe.precision == "auto" and is_on_gpu)
        self._forward: Callable[..., Trace] = torch.compile(trace) if recipe.compile and is_on_gpu else trace
        self._sums: dict[str, float] = {}
        self._steps = 0
        set_drop_path(network, recipe.optimiser.drop_path)

    def run(self, report: Callable[[Progress], None], until: int | None = None) -> None:
        """Train until ``until`` samples are done, all by default, or the time is over, judging and saving on the way.

        Raises:
            EATrackError: The gradient is no longer finite.
        """
        batch = self.recipe.optimiser.batch
        end = self.recipe.samples if self.limit_s is None else _NO_END
        last = min(until or end, end)
        started, first, saved = time.monotonic(), self.done, time.monotonic()
        workers = worker_count(self.recipe.workers, self.world)
        for sample in batches(self.sampler, self.done, last, batch, self.world, workers):
            self._add(self.step(sample))
            self._time_share = self._share_of_time(time.monotonic() - started)
            is_over = self.done + batch > last or self._is_finished
            rate = (self.done - first) / (time.monotonic() - started)
            row = self._judge(rate) if is_over or self.done % self.recipe.judge_every < batch else {}
            if is_over or time.monotonic() - saved > self.recipe.save_every_s:
                self.save()
                saved = time.monotonic()
            report(Progress(self.done, self._foretold(first), rate, self._mean("total"), row))
            if row:
                self._sums, self._steps = {}, 0
            if is_over:
                break

    def step(self, sample: Sample) -> dict[str, float]:
        """One step of the optimiser on this process's share of a batch.

        Returns:
            The terms of the loss and the gradient's norm.

        Raises:
            EATrackError: The gradient is no longer finite.
        """
        recipe = self.recipe.optimiser
        share = self._time_share if self.limit_s is not None else self.done / self.recipe.samples
        freeze(self.network, share, recipe)
        set_rate(self.optimiser, rate_factor(share, recipe))
        # Drop path's chance follows from the place alone, like the samples': nothing to save, on any device.
        torch.manual_seed(self.recipe.seed + self.done * self.world.size + self.world.rank)
        total, terms = self.loss(sample)
        self.optimiser.zero_grad(set_to_none=True)
        torch.autograd.backward(total)
        average_gradients(self.trained, self.world)
        parameters = [parameter for module in self.trained for parameter in module.parameters()]
        norm = float(nn.utils.clip_grad_norm_(parameters, recipe.clip_norm))
        if not math.isfinite(norm):
            raise EATrackError(
                f"training diverged at sample {self.done}: the gradient's norm is {norm}",
                hint=f"lower the rates in the recipe; {self.folder / LAST} is the last good state",
            )
        self.optimiser.step()
        self.average.update(self.network)
        self.done += recipe.batch
        return terms | {"gradient": norm}

    def loss(self, sample: Sample) -> tuple[Tensor, dict[str, float]]:
        """The loss of a batch, with its graph, and its terms as numbers."""
        sample = Sample(*(part.to(self.world.device, non_blocking=True) for part in sample))
        crops = normalised(sample.templates), sample.extents, normalised(sample.search)
        mine = self._trace(self.network, *crops)
        tracking = tracking_loss(mine.logits, sample.box, sample.is_present, self.recipe.loss)
        total, terms = tracking.total, tracking._asdict()
        if self.teacher is not None and self.distillation is not None:
            with torch.no_grad():
                target = self._trace(self.teacher, *crops)
            distilled = self.distillation(mine, target, sample)
            total = total + distilled.total
            parts = {"feature": distilled.feature, "prediction": distilled.prediction, "taught": distilled.taught}
            terms |= {"total": total} | parts
        return total, {name: float(value.detach()) for name, value in terms.items()}

    def _trace(self, network: EATrack, templates: Tensor, extents: Tensor, search: Tensor) -> Trace:
        with torch.autocast(self.world.device.type, torch.bfloat16, enabled=self._is_bf16):
            return self._forward(network, templates, extents, search)

    def save(self) -> None:
        """Write all that the run needs to go on. Only the first process writes."""
        if self.world.is_first:
            write_state(self.folder / LAST, self._modules(), self.average, self.optimiser, self.done, self.recipe)

    def resume(self) -> bool:
        """Go on from what ``save`` wrote, if it is there.

        Returns:
            Whether it was.

        Raises:
            EATrackError: It is of another recipe.
        """
        path = self.folder / LAST
        if not path.is_file():
            return False
        self.done = read_state(path, self._modules(), self.average, self.optimiser, self.recipe)
        return True

    def _modules(self) -> dict[str, nn.Module]:
        return dict(zip(("network", "distillation"), self.trained, strict=False))

    def _judge(self, rate: float) -> dict[str, float]:
        means = average_numbers({name: self._mean(name) for name in self._sums}, self.world)
        row = {"samples": float(self.done), "samples_per_s": round(rate, 3)}
        row |= {name: round(value, 5) for name, value in means.items()}
        loop = self.validate_closed_loop()
        if self.world.is_first:
            if self.pairs is not None:
                row |= judge(self.average.network, self.pairs).row()
            row |= loop
            append_row(self.folder / "log.csv", row)
        return row

    def validate_closed_loop(self) -> dict[str, float]:
        """Its columns, ``nan`` in the rows between two validations; none where there is no validation."""
        if self.closed_loop is None:
            return {}
        if not (self._is_finished or self.closed_loop.is_due(self.done, self.recipe.optimiser.batch)):
            return dict.fromkeys(COLUMNS, math.nan)
        return self.closed_loop.validate(self.average.network, self.world)

    @property
    def _is_finished(self) -> bool:
        """Whether the whole run is over, by its samples or by its time."""
        if self.limit_s is not None:
            return self._time_share >= 1
        return self.done + self.recipe.optimiser.batch > self.recipe.samples

    def _share_of_time(self, elapsed_s: float) -> float:
        """Share of the time limit that is over: a mean over the processes, so that all of them stop together."""
        if self.limit_s is None:
            return 0.0
        return min(average_numbers({"share": elapsed_s / self.limit_s}, self.world)["share"], 1.0)

    def _foretold(self, first: int) -> int:
        """Samples of the whole run, ``first`` of them before this call."""
        if self.limit_s is None:
            return self.recipe.samples
        return first + round((self.done - first) / max(self._time_share, 1e-9))

    def _add(self, terms: dict[str, float]) -> None:
        for name, value in terms.items():
            self._sums[name] = self._sums.get(name, 0.0) + value
        self._steps += 1

    def _mean(self, name: str) -> float:
        return self._sums[name] / self._steps
