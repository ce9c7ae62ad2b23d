from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from eatrack_edge.core import resources
from eatrack_edge.core.errors import InputError
from eatrack_edge.core.resources import DEFAULT_MODEL
from eatrack_edge.inference.model_files import find
from eatrack_edge.inference.onnx_metadata import graph_files, graph_sha256, read_metadata, read_model_spec
from eatrack_edge.inference.onnxruntime import OnnxRuntimeBackend
from engines.onnx_files import model, model_spec

BUNDLED = sorted((resources.PACKAGE / "weights").glob("*.onnx"))


@pytest.mark.parametrize("graph", BUNDLED, ids=lambda path: path.name)
def test_the_bundled_graphs_are_read_as_the_onnx_package_reads_them(graph: Path) -> None:
    onnx = pytest.importorskip("onnx")
    from onnx.external_data_helper import _get_all_tensors, uses_external_data

    loaded = onnx.load(graph, load_external_data=False)
    tensors = [tensor for tensor in _get_all_tensors(loaded) if uses_external_data(tensor)]
    locations = {entry.value for tensor in tensors for entry in tensor.external_data if entry.key == "location"}
    assert read_metadata(graph) == {entry.key: entry.value for entry in loaded.metadata_props}
    assert graph_files(graph) == [graph, *(graph.parent / name for name in sorted(locations))]
    assert len(locations) == (not graph.stem.startswith("vittrack"))  # ours share their weights' file


def test_finds_weights_in_constants_and_in_the_branches_of_a_graph(tmp_path: Path) -> None:
    onnx = pytest.importorskip("onnx")

    def constant(name: str) -> Any:
        tensor = onnx.TensorProto(name=name, dims=[1], data_type=1, data_location=onnx.TensorProto.EXTERNAL)
        tensor.external_data.add(key="location", value=f"{name}.bin")
        tensor.external_data.add(key="offset", value="0")
        return onnx.helper.make_node("Constant", [], [name], value=tensor)

    branches = {f"{name}_branch": onnx.helper.make_graph([constant(name)], name, [], []) for name in ("then", "else")}
    choice = onnx.helper.make_node("If", ["condition"], ["out"], **branches)
    graph = onnx.helper.make_graph([constant("top"), choice], "main", [], [])
    (tmp_path / "a.onnx").write_bytes(onnx.helper.make_model(graph).SerializeToString())
    found = [path.name for path in graph_files(tmp_path / "a.onnx")]
    assert found == ["a.onnx", "else.bin", "then.bin", "top.bin"]


def test_the_hash_of_a_graph_covers_its_weights(tmp_path: Path) -> None:
    graph, weights = tmp_path / "a.onnx", tmp_path / "a.safetensors"
    graph.write_bytes(model({}, weights=weights.name))
    weights.write_bytes(b"1")
    before = graph_sha256(graph)
    weights.write_bytes(b"2")
    assert graph_sha256(graph) != before


def test_a_graph_without_its_weights_has_no_hash(tmp_path: Path) -> None:
    (tmp_path / "a.onnx").write_bytes(model({}, weights="a.safetensors"))
    with pytest.raises(InputError, match=r"a\.safetensors: cannot be read: no such file"):
        graph_sha256(tmp_path / "a.onnx")


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
def test_the_bundled_graphs_are_read_as_onnx_runtime_reads_them(precision: str) -> None:
    graphs = find(DEFAULT_MODEL, precision)
    assert graphs.model_spec == OnnxRuntimeBackend(graphs.template, graphs.track).model_spec
    assert graphs.model_spec.precision == precision


def test_reads_texts_longer_than_255_bytes_and_empty_ones(tmp_path: Path) -> None:
    (tmp_path / "a.onnx").write_bytes(model({"list": "x" * 40_000, "empty": ""}))
    assert read_metadata(tmp_path / "a.onnx") == {"list": "x" * 40_000, "empty": ""}


@pytest.mark.parametrize(
    "data",
    [b"\xff" * 20, b"not a graph", model(model_spec().to_metadata())[:-5], b"\x72\x02\x0a"],
    ids=["an endless integer", "text", "truncated", "an entry cut short"],
)
def test_a_file_that_is_not_a_graph_is_refused(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.onnx").write_bytes(data)
    with pytest.raises(InputError, match=r"a\.onnx: not an ONNX graph\nhint: export it again"):
        read_metadata(tmp_path / "a.onnx")


def test_a_missing_graph_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"a\.onnx: no such graph\nhint: make it: eatrack-edge export CHECKPOINT"):
        read_model_spec(tmp_path / "a.onnx")


def test_a_graph_of_another_tool_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.onnx").write_bytes(model({}))
    with pytest.raises(InputError, match=r"a\.onnx: metadata `schema` is None"):
        read_model_spec(tmp_path / "a.onnx")
