"""A small result to test with; its figures are made up."""

from __future__ import annotations

from dataclasses import replace

from eatrack_edge.benchmarks.measure.bench_result import (
    Clip,
    Energy,
    Method,
    Model,
    Moment,
    Ratio,
    Result,
    Thermal,
    Versus,
)
from eatrack_edge.benchmarks.measure.latency import histogram, replay, spread
from eatrack_edge.machine.conditions import BoardFacts, Environment
from eatrack_edge.machine.device_check import DeviceCheck

TOTALS = [10.0, 11.0, 12.0, 11.0]
STAGES = ("decode", "crop", "infer", "maps", "template", "around_infer", "total", "end_to_end")


def result(scale: float = 1.0) -> Result:
    """All latencies times ``scale``."""
    totals = [value * scale for value in TOTALS]
    spreads = {stage: spread(totals, (75,)) for stage in STAGES}
    other = Versus("kcf", "kcf", "", "", spreads, 1.0, 2.0, Ratio(0.5, 0.45, 0.55, 0.48, 0.52, 12), 0.61, True)
    return Result(
        command=["eatrack-edge", "bench"],
        measured_at="2026-01-02T03:04:05+00:00",
        measured_on="ACME Notebook 14, not a Jetson Orin",
        claim=DeviceCheck("auto", is_met=True),
        env=Environment("0.1.0", "abc", False, "3.11.7", "Linux", {"numpy": "2"}, [0.1, 0.2], 0.1),
        board=BoardFacts("", "", "ACME Notebook 14", "", "", "Some CPU", 2, None, 1, None, None, [None, None], None),
        model=Model("eatrack_s", "onnxruntime (CPU)", "fp32", 1, "00", {"eatrack_s.track.onnx": "11"}),
        clip=Clip("test://", 640, 480, 60, ""),
        method=Method(4, 1.0, 10, 500.0, 20, True),
        latency_ms=spreads,
        fps={"model": 90.9, "end_to_end": 80.0},
        first_frame_ms=20.0,
        first_update_ms=15.0,
        load_ms=300.0,
        memory_mb={"before_load": 50.0, "loaded": 150.0, "peak": 160.0, "device": None},
        realtime=replay(totals, 30.0),
        energy=Energy(["VDD_IN"], 4.0, 9.0, 0.05, 10, "simulated"),
        thermal=Thermal({"cpu": 40.0}, {"cpu": 45.0}, {"cpu": 46.0}, False, []),
        accuracy={"mean_overlap": 0.9},
        timeline=[Moment(0.0, 11.0, 12.0, 40.0, None, None, None)],
        histogram_ms=histogram(totals),
        versus=[other],
        projection=None,
        valid=True,
        invalid_reasons=[],
        notes=[],
    )


def on_another_machine() -> Result:
    return replace(result(), measured_on="Something else")
