"""Builds the engines that the other steps run."""

from __future__ import annotations

from dataclasses import asdict

from eatrack_edge.benchmarks.proof.plan import Figures, Skipped, Workbench
from eatrack_edge.engines.build_pair import build_pair
from eatrack_edge.inference.model_files import MissingGraphs, find


def build_engines(bench: Workbench, *, precision: str) -> Figures:
    """Build a model's engines in one precision, and compare them with ONNX Runtime.

    Raises:
        Skipped: There are no graphs of that precision.
        GateFailed: They disagree with ONNX Runtime.
        EATrackError: See ``build_pair``.
    """
    plan = bench.plan
    try:
        graphs = find(plan.model, precision)
    except MissingGraphs as error:
        raise Skipped(error.message) from None
    command = f"eatrack-edge build {plan.model} --precision {precision}"
    made = build_pair(graphs, plan.folder / "engines", lambda _name, _step: None, command=command)
    bench.engines[precision] = (graphs, made)
    return {
        "seconds": round(made.seconds, 2),
        "engine_bytes": {path.name: path.stat().st_size for path in (made.template, made.track)},
        "differences": made.differences,
        "not_compared": made.note,
        "matrix_multiplications": [asdict(audit) for audit in made.audits],
    }
