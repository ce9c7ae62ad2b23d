"""A simulated machine with TensorRT, and engines for it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from eatrack_edge.core.resources import DEFAULT_MODEL
from eatrack_edge.inference.model_files import find_graphs
from eatrack_edge.inference.onnxruntime import OnnxRuntimeBackend
from inference import simulated_cuda, simulated_tensorrt
from inference.simulated_cuda import SimulatedDevice
from inference.simulated_tensorrt import Fate, write_engine

Write = Callable[..., tuple[Path, Path]]


@pytest.fixture(scope="module")
def reference() -> OnnxRuntimeBackend:
    return OnnxRuntimeBackend(*find_graphs(DEFAULT_MODEL))


@pytest.fixture
def device(monkeypatch: pytest.MonkeyPatch) -> SimulatedDevice:
    return simulated_cuda.install(monkeypatch, "cuda-python")


@pytest.fixture
def fate(monkeypatch: pytest.MonkeyPatch, device: SimulatedDevice) -> Fate:
    return simulated_tensorrt.install(monkeypatch, device)


@pytest.fixture
def write(tmp_path: Path, reference: OnnxRuntimeBackend) -> Write:
    """Writes both engines; keyword arguments change the track engine."""

    def write_both(**track: Any) -> tuple[Path, Path]:
        template, graph = find_graphs(DEFAULT_MODEL)
        model_spec = reference.model_spec
        return (
            write_engine(tmp_path / "m.template.engine", template, model_spec),
            write_engine(tmp_path / "m.track.engine", graph, track.pop("model_spec", model_spec), **track),
        )

    return write_both
