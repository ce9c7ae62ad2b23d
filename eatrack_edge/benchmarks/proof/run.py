"""Runs a proof step by step. The result is written after each: a GPU that faults may take the process with it."""

from __future__ import annotations

import time
import traceback
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import msgspec

from eatrack_edge.benchmarks.proof.plan import ProofPlan, Say, Skipped, Step, StepResult, Workbench
from eatrack_edge.core.errors import EATrackError, MissingExtra
from eatrack_edge.core.io import write_whole
from eatrack_edge.inference.tensorrt.manifest import Fingerprint
from eatrack_edge.machine.conditions import Environment, now, read_environment, read_work

SCHEMA = "eatrack-edge/gpu-proof/1"


@dataclass(frozen=True, slots=True)
class Proof:
    """What was proved, where and when.

    Attributes:
        is_simulated: Nothing of this ran on a GPU.
    """

    measured_at: str  # UTC, ISO 8601
    is_simulated: bool
    command: tuple[str, ...]
    fingerprint: Fingerprint  # of the GPU, its driver and TensorRT
    env: Environment
    steps: tuple[StepResult, ...] = ()
    schema: str = SCHEMA
    plan: dict[str, Any] = field(default_factory=dict)

    @property
    def failed(self) -> tuple[str, ...]:
        """Names of the steps that failed."""
        return tuple(step.name for step in self.steps if step.verdict == "failed")


def run_proof(
    plan: ProofPlan, steps: Sequence[Step], fingerprint: Fingerprint, command: Sequence[str], say: Say
) -> Proof:
    """Run every step, whatever becomes of the ones before.

    Args:
        plan: What to prove.
        steps: From ``steps_of``.
        fingerprint: Of this machine.
        command: To be written into the result.
        say: Told what goes on, a line each.

    Raises:
        OutputError: The result cannot be written.
    """
    bench, before, measured_at = Workbench(plan, say), read_work(), now()
    results: list[StepResult] = []
    settings = {**asdict(plan), "folder": str(plan.folder)}
    env = read_environment(before, before)
    proof = Proof(measured_at, plan.is_simulated, tuple(command), fingerprint, env, plan=settings)
    for step in steps:
        say(f"{step.name} ...")
        results.append(_run(step, bench))
        say(f"{step.name}: {results[-1].verdict}{f', {reason}' if (reason := results[-1].reason) else ''}")
        proof = replace(proof, env=read_environment(before, read_work()), steps=tuple(results))
        write_proof(proof, result_path(plan))
    return proof


def result_path(plan: ProofPlan) -> Path:
    """Where the result of a plan is written."""
    return plan.folder / "gpu_proof.json"


def write_proof(proof: Proof, path: Path) -> None:
    """Write a result as JSON.

    Raises:
        OutputError: The file cannot be written.
    """
    write_whole(path, msgspec.json.format(msgspec.json.encode(proof), indent=2) + b"\n")


def _run(step: Step, bench: Workbench) -> StepResult:
    start = time.monotonic()
    verdict, reason, figures = "passed", "", {}
    try:
        figures = dict(step.run(bench))
    except (Skipped, MissingExtra) as error:
        verdict, reason = "skipped", error.message
    except EATrackError as error:
        verdict, reason = "failed", error.message
    except Exception as error:  # what the proof is there to find, so it goes on
        bench.say(traceback.format_exc())
        verdict, reason = "failed", f"{type(error).__name__}: {error}"
    return StepResult(step.name, step.claim, verdict, round(time.monotonic() - start, 2), reason, figures)
