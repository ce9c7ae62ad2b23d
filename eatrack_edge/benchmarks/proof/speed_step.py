"""Measures engines on this GPU with the product's own benchmark, beside the roofline of this GPU."""

from __future__ import annotations

from typing import Any

from eatrack_edge.benchmarks.measure.bench_result import to_dict, write_result
from eatrack_edge.benchmarks.measure.run import Request, run_bench
from eatrack_edge.benchmarks.projection.graph_cost import graph_layers
from eatrack_edge.benchmarks.projection.project import LABEL, RUNTIME
from eatrack_edge.benchmarks.projection.published_speeds import check_against_published
from eatrack_edge.benchmarks.projection.roofline import estimate
from eatrack_edge.benchmarks.proof.gpu_target import read_target
from eatrack_edge.benchmarks.proof.plan import Figures, Workbench
from eatrack_edge.core.errors import MissingExtra
from eatrack_edge.inference.model_files import Graphs
from eatrack_edge.inference.parity import scene_crops
from eatrack_edge.inference.tensorrt.backend import TensorRTBackend

_CALLS, _WARM_UP = 200, 20


def measure_speed(bench: Workbench, *, precision: str) -> Figures:
    """Benchmark the engines of a precision; the whole result lies beside the proof's.

    Raises:
        Skipped: There are no such engines.
    """
    plan = bench.plan
    graphs, made = bench.pair(precision)
    request = Request(model=str(made.track), backend="tensorrt", precision=precision, versus=(), plan=plan.benchmark)
    result = run_bench(request, ["eatrack-edge", "bench", str(made.track.name), "--backend", "tensorrt"], _quiet)
    path = plan.folder / f"bench.{precision}.json"
    write_result(result, path)
    latency = to_dict(result)["latency_ms"]
    return {
        "is_valid": result.valid,
        "invalid_reasons": result.invalid_reasons,
        "update_ms": {name: latency["total"][name] for name in ("p50", "p95", "p99")},
        "call_ms": _stages(made.template, made.track, graphs),
        "roofline": _roofline(graphs, precision, is_simulated=plan.is_simulated),
        "bench": path.name,
    }


def _quiet(_step: str, _done: int, _seconds: float) -> None:
    pass


def _stages(template: Any, track: Any, graphs: Graphs) -> dict[str, float]:
    """Medians of copies and run, which a recorded frame cannot tell apart."""
    backend = TensorRTBackend(template, track, cuda_graph=False)
    try:
        pair = next(scene_crops(graphs.model_spec))
        backend.encode_template(pair.template, pair.extent, range(graphs.model_spec.template_slots))
        timings = []
        for _ in range(_WARM_UP + _CALLS):
            backend.infer(pair.search)
            timings.append(backend.timing_ms)
    finally:
        backend.close()
    measured = timings[_WARM_UP:]
    middle = len(measured) // 2
    return {name: sorted(getattr(timing, name) for timing in measured)[middle] for name in timings[0]._fields}


def _roofline(graphs: Graphs, precision: str, *, is_simulated: bool) -> dict[str, Any]:
    """The projected time of one call on this GPU and its floor, or why there is none."""
    if is_simulated:
        return {"note": "the device is simulated"}
    target = read_target()
    if target is None:
        return {"note": "the rates of this GPU's generation are not known here"}
    try:
        layers = graph_layers(graphs.track)
    except MissingExtra as error:
        return {"note": error.message}
    shown = estimate(layers, precision, target, check_against_published().rules_of(RUNTIME))
    return {
        "label": LABEL,
        "latency_ms": round(shown.ms, 4),
        "floor_ms": round(shown.floor_ms, 4),
        "fp16_tflops": target.fp16_tflops,
        "int8_tops": target.int8_tops,
        "bandwidth_gb_s": target.bandwidth_gb_s,
    }
