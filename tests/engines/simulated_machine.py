# ruff: noqa: ARG001, ARG002 - simulated methods keep the signature of the real ones
"""A simulated Jetson: it builds nothing but bytes, and runs the graphs on ONNX Runtime as if they were engines."""

from __future__ import annotations

from itertools import islice
from typing import Any

import numpy as np
import pytest

from eatrack_edge.core.errors import EATrackError
from eatrack_edge.engines import build_pair as module
from eatrack_edge.engines import ensure_engines
from eatrack_edge.engines.build import Built, Job
from eatrack_edge.engines.build_progress import Step
from eatrack_edge.engines.parity import Latency
from eatrack_edge.engines.precision_audit import Audit
from eatrack_edge.inference.backend import Maps
from eatrack_edge.inference.model_files import Graphs, find
from eatrack_edge.inference.onnxruntime import OnnxRuntimeBackend
from eatrack_edge.inference.parity import scene_crops
from eatrack_edge.inference.tensorrt.manifest import Fingerprint

HERE = Fingerprint("10.3.0", "12.6", "8.7", "Orin", "p3767-0005", "6.2")
MODEL = "eatrack_deit"  # the faster one that ships


class SimulatedMachine:
    def __init__(self, backend: OnnxRuntimeBackend) -> None:
        self.here = HERE
        self.error = 0.0  # added to every score
        self.track_ms = [7.0, 6.0, 8.0]  # of the first build, the second, ...
        self.failure: EATrackError | None = None
        self.jobs: list[Job] = []
        self.on_build = lambda: None  # called inside each build
        self._backend = backend
        self.model_spec = self._backend.model_spec
        self.encode_template = self._backend.encode_template

    def build(self, work: Any, job: Job, report: Any, *, what: str) -> Built:
        self.jobs.append(job)
        self.on_build()
        report(Step("building", 1, 1))
        if self.failure and len(self.jobs) == 2:
            raise self.failure
        return Built(f"{what} {len(self.jobs)}".encode(), Audit(3, 0, 0), 1.5)

    def infer(self, search: Any) -> Maps:
        maps = self._backend.infer(search)
        return maps._replace(score_map=maps.score_map + np.float32(self.error))


@pytest.fixture(scope="module")
def graphs() -> Graphs:
    return find(MODEL, "fp32")


@pytest.fixture(scope="module")
def opened(graphs: Graphs) -> tuple[OnnxRuntimeBackend, OnnxRuntimeBackend]:
    """What stands for the engines, and what they are compared with; to open them takes longer than a test."""
    return OnnxRuntimeBackend(graphs.template, graphs.track), OnnxRuntimeBackend(graphs.template, graphs.track)


@pytest.fixture
def machine(
    graphs: Graphs, opened: tuple[OnnxRuntimeBackend, OnnxRuntimeBackend], monkeypatch: pytest.MonkeyPatch
) -> SimulatedMachine:
    machine, reference = SimulatedMachine(opened[0]), opened[1]
    monkeypatch.setattr("eatrack_edge.inference.onnxruntime.OnnxRuntimeBackend", lambda *_, **__: reference)
    monkeypatch.setattr("eatrack_edge.inference.parity._SIZE", (320, 240))
    monkeypatch.setattr(module.parity, "scene_crops", lambda model_spec: islice(scene_crops(model_spec), 1))
    monkeypatch.setattr(module, "read_fingerprint", lambda: machine.here)
    monkeypatch.setattr(ensure_engines, "read_fingerprint", lambda: machine.here)
    monkeypatch.setattr(module, "run_in_child", machine.build)
    monkeypatch.setattr(module, "open_memory", lambda: None)
    monkeypatch.setattr(module, "_open", lambda _: machine)
    monkeypatch.setattr(module.parity, "time_calls", lambda _: Latency(2.0, machine.track_ms.pop(0)))
    return machine
