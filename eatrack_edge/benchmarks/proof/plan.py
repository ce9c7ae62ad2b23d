"""What a proof runs, and what each of its steps says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from eatrack_edge.benchmarks.measure.latency import Plan
from eatrack_edge.core.errors import EATrackError
from eatrack_edge.core.resources import DEFAULT_MODEL
from eatrack_edge.engines.build_pair import EnginePair
from eatrack_edge.inference.model_files import Graphs

Figures = Mapping[str, Any]
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class ProofPlan:
    """What to prove.

    Attributes:
        folder: For engines, benchmarks and results.
        model: A bundled model's name, or an exported file or folder.
        precisions: Of ``model_spec.PRECISIONS``; one whose graphs are missing is skipped, and said.
        suite: Clips with true boxes to compare on, as ``eatrack-edge export --gate-suite`` takes them.
        updates: Of the run whose device memory must stay flat.
        frames: Of each scene of the step with two threads.
        benchmark: How long each benchmark takes.
        is_simulated: The device is not real; written into the result, whose figures then mean nothing.
    """

    folder: Path
    model: str = DEFAULT_MODEL
    precisions: tuple[str, ...] = ("fp32", "fp16", "int8")
    suite: str = "test://?frames=120"
    updates: int = 100_000
    frames: int = 60
    benchmark: Plan = field(default_factory=Plan)
    is_simulated: bool = False


@dataclass(slots=True)
class Workbench:
    """What the steps of one proof share.

    Attributes:
        plan: What to prove.
        say: Told what goes on.
        engines: Of each precision that was built.
    """

    plan: ProofPlan
    say: Say
    engines: dict[str, tuple[Graphs, EnginePair]] = field(default_factory=dict)

    def pair(self, precision: str) -> tuple[Graphs, EnginePair]:
        """The graphs and engines of a precision.

        Raises:
            Skipped: They were not built.
        """
        if precision not in self.engines:
            raise Skipped(f"there are no {precision} engines")
        return self.engines[precision]

    def any_pair(self) -> tuple[Graphs, EnginePair]:
        """Those of the first precision that was built.

        Raises:
            Skipped: Nothing was built.
        """
        return self.pair(next(iter(self.engines), self.plan.precisions[0]))


class Skipped(EATrackError):
    """A step cannot be run here. It proves nothing, and is no failure."""


class Step(NamedTuple):
    """One thing to prove.

    Attributes:
        name: For ``--step`` and the result.
        claim: What it proves when it passes.
        run: Runs it.
    """

    name: str
    claim: str
    run: Callable[[Workbench], Figures]


@dataclass(frozen=True, slots=True)
class StepResult:
    """What became of a step.

    Attributes:
        verdict: ``passed``, ``failed`` or ``skipped``.
        reason: Why it failed or was skipped; empty otherwise.
        figures: What was measured.
    """

    name: str
    claim: str
    verdict: str
    seconds: float
    reason: str = ""
    figures: Figures = field(default_factory=dict)
