from __future__ import annotations

from pathlib import Path

import pytest

from eatrack_edge.core.errors import InputError
from eatrack_edge.core.resources import DEFAULT_MODEL
from eatrack_edge.inference.model_files import find
from eatrack_edge.inference.onnx_metadata import read_metadata, read_model_spec
from eatrack_edge.inference.onnxruntime import OnnxRuntimeBackend
from engines.onnx_files import model, model_spec


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
def test_the_bundled_graphs_are_read_as_onnx_runtime_reads_them(precision: str) -> None:
    graphs = find(DEFAULT_MODEL, precision)
    assert graphs.model_spec == OnnxRuntimeBackend(graphs.template, graphs.track).model_spec
    assert graphs.model_spec.precision == precision


def test_a_text_longer_than_a_byte_can_count_is_read(tmp_path: Path) -> None:
    (tmp_path / "a.onnx").write_bytes(model({"list": "x" * 40_000, "empty": ""}))
    assert read_metadata(tmp_path / "a.onnx") == {"list": "x" * 40_000, "empty": ""}


@pytest.mark.parametrize(
    "data",
    [b"\xff" * 20, b"not a graph", model(model_spec().to_metadata())[:-5], b"\x72\x02\x0a"],
    ids=["no number ends", "text", "truncated", "an entry cut short"],
)
def test_bytes_that_are_no_graph_are_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.onnx").write_bytes(data)
    with pytest.raises(InputError, match=r"a\.onnx: is no ONNX graph\nhint: export it again"):
        read_metadata(tmp_path / "a.onnx")


def test_a_missing_graph_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"a\.onnx: no such graph\nhint: make it: eatrack-edge export CHECKPOINT"):
        read_model_spec(tmp_path / "a.onnx")


def test_a_graph_of_another_tool_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.onnx").write_bytes(model({}))
    with pytest.raises(InputError, match=r"a\.onnx: metadata `schema` is None"):
        read_model_spec(tmp_path / "a.onnx")
