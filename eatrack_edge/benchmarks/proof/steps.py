"""The steps of a proof, in order: what later ones need comes first."""

from __future__ import annotations

from functools import partial

from eatrack_edge.benchmarks.proof.box_steps import boxes_of_cuda_provider, boxes_of_engines
from eatrack_edge.benchmarks.proof.build_step import build_engines
from eatrack_edge.benchmarks.proof.endurance_steps import flat_memory, two_threads
from eatrack_edge.benchmarks.proof.plan import ProofPlan, Step
from eatrack_edge.benchmarks.proof.sanitizer_step import sanitize
from eatrack_edge.benchmarks.proof.speed_step import measure_speed

_MEMORIES = (("cuda-python", True), ("cuda-python", False), ("pycuda", False))  # package, and with a CUDA graph


def steps_of(plan: ProofPlan) -> list[Step]:
    """All steps of a plan."""
    steps = [
        Step(
            f"build-{precision}",
            "engines are built, and agree with ONNX Runtime",
            partial(build_engines, precision=precision),
        )
        for precision in plan.precisions
    ]
    for precision in plan.precisions:
        for package, is_recorded in _MEMORIES:
            name = f"boxes-{precision}-{package}-{'cuda-graph' if is_recorded else 'queued'}"
            run = partial(boxes_of_engines, precision=precision, package=package, is_recorded=is_recorded)
            steps.append(Step(name, "a tracker's boxes are those of ONNX Runtime", run))
    steps += [
        Step("threads", "two trackers in two threads do not disturb each other", two_threads),
        Step("flat-memory", f"device memory is flat over {plan.updates:,} updates", flat_memory),
        Step("onnxruntime-cuda", "ONNX Runtime's CUDA provider gives the CPU's boxes", boxes_of_cuda_provider),
    ]
    steps += [
        Step(f"speed-{precision}", "latency by stage, measured", partial(measure_speed, precision=precision))
        for precision in plan.precisions
    ]
    return [*steps, Step("sanitizer", "compute-sanitizer finds no fault in a short run", sanitize)]
