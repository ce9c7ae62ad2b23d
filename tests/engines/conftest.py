from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from engines.simulated_machine import graphs, machine, opened  # noqa: F401 - fixtures

RTX = Path(__file__).parent / "rtx"


@pytest.fixture
def rtx(monkeypatch: pytest.MonkeyPatch) -> None:
    """NVIDIA's builder without a GPU, as ``tensorrt``, here and in child processes."""
    pytest.importorskip("tensorrt_rtx", reason="tensorrt-rtx is not installed: make test-trt")
    monkeypatch.syspath_prepend(str(RTX))
    sys.modules.pop("tensorrt", None)


@pytest.fixture(scope="session")
def precise(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the bundled model's graphs in every precision, made by the export's own converters.

    INT8 is calibrated on noise: enough to build with, not to track with.
    """
    onnx = pytest.importorskip("onnx")
    from engines.precise import all_precisions

    folder = tmp_path_factory.mktemp("precise")
    for name, graph, model_spec, precision in all_precisions(folder):
        onnx.helper.set_model_props(graph, replace(model_spec, precision=precision).to_metadata())
        onnx.save(graph, folder / name)
    return folder
