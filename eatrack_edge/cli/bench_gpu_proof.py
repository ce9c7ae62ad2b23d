"""``eatrack-edge bench gpu-proof``: runs on a real GPU what a machine without one can only compile or simulate."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from eatrack_edge.cli.console import print_facts, print_line, print_note
from eatrack_edge.core.resources import DEFAULT_MODEL


def gpu_proof(
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for engines, benchmarks, JSON and page.")] = Path("gpu-proof"),
    model: Annotated[str, typer.Option(help="A bundled model, or an exported file or folder.")] = DEFAULT_MODEL,
    precision: Annotated[list[str] | None, typer.Option(help="fp32, fp16, int8 or int8-fp16; may be repeated. By default the first three.")] = None,
    suite: Annotated[str, typer.Option(metavar="VIDEO|DIR|KIND:PATH", help="Clips to compare boxes on.")] = "test://?frames=120",
    updates: Annotated[int, typer.Option(min=100, help="Updates over which device memory must be flat.")] = 100_000,
    duration: Annotated[float, typer.Option(min=0.1, help="Seconds of each benchmark.")] = 10.0,
    step: Annotated[list[str] | None, typer.Option(help="Only builds and the steps whose names begin so; may be repeated.")] = None,
) -> None:  # fmt: skip
    """Prove engines, boxes, threads, memory and speed on this machine's NVIDIA GPU; exit code 4 if a step fails."""
    from eatrack_edge.benchmarks.measure.latency import Plan
    from eatrack_edge.benchmarks.proof.page import write_page
    from eatrack_edge.benchmarks.proof.plan import ProofPlan
    from eatrack_edge.benchmarks.proof.run import result_path, run_proof
    from eatrack_edge.benchmarks.proof.steps import steps_of
    from eatrack_edge.core.errors import GateFailed, MissingExtra
    from eatrack_edge.inference.tensorrt.fingerprint import read_fingerprint

    fingerprint = read_fingerprint()  # first of all: a machine without a GPU gets a one-line error
    defaults = ProofPlan(output)
    plan = ProofPlan(
        output,
        model=model,
        precisions=tuple(precision) if precision else defaults.precisions,
        suite=suite,
        updates=updates,
        benchmark=Plan(duration_s=duration),
    )
    steps = [one for one in steps_of(plan) if not step or one.name.startswith(("build-", *step))]
    print_facts([("GPU", fingerprint.gpu), ("engines for", str(fingerprint))])
    proof = run_proof(plan, steps, fingerprint, ["eatrack-edge", *sys.argv[1:]], print_line)
    print_line(str(result_path(plan)))
    try:
        write_page(proof, page := result_path(plan).with_suffix(".html"))
        print_line(str(page))
    except MissingExtra as error:
        print_note(f"there is no page: {error.message}; {error.hint}")
    if proof.failed:
        raise GateFailed(f"{len(proof.failed)} of {len(proof.steps)} steps failed: {', '.join(proof.failed)}")
