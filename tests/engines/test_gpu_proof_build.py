"""The first steps of the proof for a GPU, with NVIDIA's own builder: only execution is new on the day there is one."""

from __future__ import annotations

from pathlib import Path

import pytest

from eatrack_edge.benchmarks.proof.plan import ProofPlan
from eatrack_edge.benchmarks.proof.run import run_proof
from eatrack_edge.benchmarks.proof.steps import steps_of
from eatrack_edge.engines import build_pair as module
from eatrack_edge.inference.tensorrt.manifest import read_manifest
from engines.simulated_machine import HERE

pytestmark = [pytest.mark.trt, pytest.mark.usefixtures("rtx")]


def test_engines_are_built_and_what_needs_a_gpu_fails_or_is_skipped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "read_fingerprint", lambda: HERE)
    monkeypatch.setattr(module, "_compare", lambda _graphs, _attempt: ({}, "no GPU runs them here"))
    plan = ProofPlan(tmp_path, precisions=("fp16",), is_simulated=True)
    steps = [step for step in steps_of(plan) if step.name.startswith(("build", "boxes-fp16-cuda"))]
    proof = run_proof(plan, steps, HERE, [], lambda _: None)
    build, *boxes = proof.steps
    assert build.verdict == "passed", build.reason
    assert build.figures["not_compared"] == "no GPU runs them here"
    assert [audit["single"] for audit in build.figures["matrix_multiplications"]] == [0, 0]
    (engine,) = (tmp_path / "engines").glob("*.track.engine")
    assert read_manifest(engine).precision == "fp16"
    assert {step.verdict for step in boxes} <= {"failed", "skipped"}
