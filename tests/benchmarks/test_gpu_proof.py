"""The proof for a real GPU, rehearsed on a simulated one: every step runs, and fails where it should."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from eatrack_edge.benchmarks.measure.latency import Plan
from eatrack_edge.benchmarks.proof import endurance_steps, sanitizer_step
from eatrack_edge.benchmarks.proof.gpu_target import target_of
from eatrack_edge.benchmarks.proof.page import write_page
from eatrack_edge.benchmarks.proof.plan import ProofPlan, Skipped, Step, Workbench
from eatrack_edge.benchmarks.proof.run import Proof, result_path, run_proof
from eatrack_edge.benchmarks.proof.steps import steps_of
from eatrack_edge.engines import build_pair as build_module
from eatrack_edge.engines.build import Built, Job
from eatrack_edge.engines.precision_audit import Audit
from inference import simulated_cuda, simulated_tensorrt
from inference.simulated_cuda import SimulatedDevice

MODEL = "eatrack_deit"  # the faster one that ships


def simulate_builder(monkeypatch: pytest.MonkeyPatch) -> None:
    def build(_work: Any, job: Job, _report: Any, *, what: str) -> Built:
        del what
        note = {"graph": str(job.graph), "changes": {}, "lacks": (), "is_reversed": False}
        return Built(json.dumps(note).encode(), Audit(3, 0, 0), 0.1)

    monkeypatch.setattr(build_module, "run_in_child", build)
    monkeypatch.setattr(build_module, "read_fingerprint", lambda: simulated_tensorrt.HERE)


@pytest.fixture
def device(monkeypatch: pytest.MonkeyPatch) -> SimulatedDevice:
    device = simulated_cuda.install(monkeypatch, "cuda-python")
    simulated_tensorrt.install(monkeypatch, device)
    simulate_builder(monkeypatch)
    monkeypatch.setattr(sanitizer_step.shutil, "which", lambda _: None)
    return device


@pytest.fixture
def plan(tmp_path: Path) -> ProofPlan:
    return ProofPlan(
        tmp_path,
        model=MODEL,
        precisions=("fp32", "int8"),
        suite="test://?frames=4&width=320&height=240",
        updates=20,
        frames=4,
        benchmark=Plan(iterations=10, duration_s=0.1, warmup_ms=1, block=2),
        is_simulated=True,
    )


def run(plan: ProofPlan, *names: str) -> Proof:
    steps = [step for step in steps_of(plan) if not names or step.name.startswith(names)]
    return run_proof(plan, steps, simulated_tensorrt.HERE, ["eatrack-edge", "bench", "gpu-proof"], print)


def verdicts(proof: Proof) -> dict[str, str]:
    return {step.name: step.verdict for step in proof.steps}


@pytest.mark.usefixtures("device")
def test_every_step_runs_and_result_and_page_say_what_was_simulated(plan: ProofPlan) -> None:
    proof = run(plan)
    assert verdicts(proof) == {
        "build-fp32": "passed",
        "build-int8": "skipped",  # no graphs of it are bundled
        "boxes-fp32-cuda-python-cuda-graph": "passed",
        "boxes-fp32-cuda-python-queued": "passed",
        "boxes-fp32-pycuda-queued": "skipped",  # not installed beside the other
        "boxes-int8-cuda-python-cuda-graph": "skipped",
        "boxes-int8-cuda-python-queued": "skipped",
        "boxes-int8-pycuda-queued": "skipped",
        "threads": "passed",
        "flat-memory": "passed",
        "onnxruntime-cuda": "skipped",
        "speed-fp32": "passed",
        "speed-int8": "skipped",
        "sanitizer": "skipped",
    }, [step.reason for step in proof.steps]
    written = json.loads(result_path(plan).read_text())
    assert written["is_simulated"] is True
    assert written["steps"][2]["figures"]["least_overlap"] == pytest.approx(1)
    assert json.loads((plan.folder / "bench.fp32.json").read_text())["model"]["precision"] == "fp32"
    write_page(proof, page := plan.folder / "page.html")
    assert "Nothing on this page ran on a GPU" in page.read_text()


def test_boxes_are_compared_through_pycuda_too(monkeypatch: pytest.MonkeyPatch, plan: ProofPlan) -> None:
    simulated_tensorrt.install(monkeypatch, simulated_cuda.install(monkeypatch, "pycuda"))
    simulate_builder(monkeypatch)
    assert verdicts(run(plan, "build-fp32", "boxes-fp32-pycuda")) == {
        "build-fp32": "passed",
        "boxes-fp32-pycuda-queued": "passed",
    }


def test_a_cuda_graph_that_is_not_recorded_fails(device: SimulatedDevice, plan: ProofPlan) -> None:
    device.faults["cudaStreamEndCapture"] = 901
    proof = run(plan, "build-fp32", "boxes-fp32-cuda-python")
    assert [step.verdict for step in proof.steps] == ["passed", "failed", "passed"]
    assert proof.failed == ("boxes-fp32-cuda-python-cuda-graph",)
    assert proof.steps[1].reason.startswith("no CUDA graph: ")


def test_memory_that_is_lost_over_the_updates_fails(
    device: SimulatedDevice, plan: ProofPlan, monkeypatch: pytest.MonkeyPatch
) -> None:
    update = endurance_steps.Tracker.update

    def leaky(self: Any, frame: Any) -> Any:
        device.allocate(2**20)
        return update(self, frame)

    monkeypatch.setattr(endurance_steps.Tracker, "update", leaky)
    proof = run(plan, "build-fp32", "flat-memory")
    assert proof.failed == ("flat-memory",)
    assert "MiB of device memory were lost over 20 updates" in proof.steps[1].reason


def test_a_step_that_breaks_is_written_down_and_the_next_one_runs(plan: ProofPlan) -> None:
    def broken(_: Workbench) -> dict[str, Any]:
        raise ZeroDivisionError("once")

    steps = [Step("broken", "nothing", broken), Step("sound", "all", lambda _: {"answer": 42})]
    proof = run_proof(plan, steps, simulated_tensorrt.HERE, [], lambda _: None)
    assert [(step.verdict, step.reason) for step in proof.steps] == [
        ("failed", "ZeroDivisionError: once"),
        ("passed", ""),
    ]


@pytest.mark.parametrize(("code", "words"), [(97, "found a fault: bad"), (1, "ended with 1: bad")])
def test_what_the_sanitizer_finds_fails(
    device: SimulatedDevice,  # noqa: ARG001 - engines can be built
    plan: ProofPlan,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    code: int,
    words: str,
) -> None:
    tool = tmp_path / "compute-sanitizer"
    tool.write_text(f"#!/bin/sh\necho bad\nexit {code}\n")
    tool.chmod(0o755)
    monkeypatch.setattr(sanitizer_step.shutil, "which", lambda _: str(tool))
    proof = run(plan, "build-fp32", "sanitizer")
    assert proof.steps[1].verdict == "failed"
    assert words in proof.steps[1].reason


def test_without_engines_a_step_proves_nothing(plan: ProofPlan) -> None:
    with pytest.raises(Skipped, match="there are no fp32 engines"):
        endurance_steps.flat_memory(Workbench(plan, lambda _: None))


@pytest.mark.parametrize(
    ("name", "clocks", "tflops", "gb_s"),
    [
        # NVIDIA's data sheets: 312 TFLOPS and 1555 GB/s; 989 TFLOPS and 3.35 TB/s; 330 TFLOPS and 1008 GB/s.
        pytest.param("A100 40GB", ((8, 0), 1_410_000, 108, 1_215_000, 5120), 311.9, 1555.2, id="A100"),
        pytest.param("H100 SXM", ((9, 0), 1_830_000, 132, 2_619_000, 5120), 989.4, 3352.3, id="H100"),
        pytest.param("RTX 4090", ((8, 9), 2_520_000, 128, 10_501_000, 384), 330.3, 1008.1, id="RTX 4090"),
    ],
)
def test_rates_are_those_of_the_data_sheets(name: str, clocks: tuple[Any, ...], tflops: float, gb_s: float) -> None:
    target = target_of(name, *clocks)
    assert target is not None
    assert target.fp16_tflops == tflops
    assert target.int8_tops == pytest.approx(2 * tflops, abs=0.2)
    assert target.bandwidth_gb_s == pytest.approx(gb_s, rel=1e-3)


def test_a_generation_that_is_not_in_the_table_has_no_rates() -> None:
    assert target_of("a GPU of the future", (99, 0), 1, 1, 1, 1) is None


def test_without_a_gpu_the_command_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    from typer.testing import CliRunner

    from eatrack_edge.cli import app
    from eatrack_edge.core.errors import EATrackError

    monkeypatch.setitem(sys.modules, "tensorrt", None)
    monkeypatch.setitem(sys.modules, "tensorrt_rtx", None)
    done = CliRunner().invoke(app, ["bench", "gpu-proof"])
    assert isinstance(done.exception, EATrackError)
    assert "tensorrt is not installed" in str(done.exception)
