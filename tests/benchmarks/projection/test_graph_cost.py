from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from eatrack_edge.benchmarks.projection.graph_cost import LayerCost, graph_layers
from eatrack_edge.core.errors import InputError
from eatrack_edge.core.resources import bundled

onnx = pytest.importorskip("onnx", reason="graphs are written and read with onnx")


def write(path: Path, nodes: list[Any], shape: list[Any], out: list[int], constants: dict[str, list[int]]) -> Path:
    """A graph from ``x`` to ``y`` whose constants are zeros."""
    from onnx import TensorProto, helper

    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)]
    outputs = [helper.make_tensor_value_info("y", TensorProto.FLOAT, out)]
    tensors = [
        helper.make_tensor(name, TensorProto.FLOAT, dims, bytes(4 * _size(dims)), raw=True)
        for name, dims in constants.items()
    ]
    graph = helper.make_graph(nodes, "g", inputs, outputs, tensors)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]), path)
    return path


def _size(dims: list[int]) -> int:
    total = 1
    for size in dims:
        total *= size
    return total


def node(kind: str, inputs: str, output: str, **attributes: Any) -> Any:
    return onnx.helper.make_node(kind, inputs.split(), [output], name=f"{kind}_{output}", **attributes)


def test_a_linear_layer_with_bias_and_activation_is_one_layer(tmp_path: Path) -> None:
    nodes = [node("MatMul", "x w", "a"), node("Add", "a b", "c"), node("Relu", "c", "y")]
    path = write(tmp_path / "g.onnx", nodes, [1, 10, 4], [1, 10, 6], {"w": [4, 6], "b": [6]})
    # 10 rows x 4 x 6 multiply-accumulates; 24 weights and 6 biases; 40 elements in, 60 out
    assert graph_layers(path) == [LayerCost("MatMul_a", "matmul", 2 * 240, 30, 100)]


def test_a_convolution_counts_its_kernel_once_for_every_output(tmp_path: Path) -> None:
    nodes = [node("Conv", "x w b", "y", kernel_shape=[3, 3], pads=[1, 1, 1, 1])]
    path = write(tmp_path / "g.onnx", nodes, [1, 8, 16, 16], [1, 4, 16, 16], {"w": [4, 8, 3, 3], "b": [4]})
    assert graph_layers(path) == [LayerCost("Conv_y", "matmul", 2 * 256 * 4 * 72, 4 * 72 + 4, 256 * 12)]


def test_a_grouped_convolution_counts_only_its_own_channels(tmp_path: Path) -> None:
    nodes = [node("Conv", "x w", "y", kernel_shape=[1, 1], group=8)]
    path = write(tmp_path / "g.onnx", nodes, [1, 8, 4, 4], [1, 8, 4, 4], {"w": [8, 1, 1, 1]})
    assert graph_layers(path)[0].flops == 2 * 16 * 8


def test_attention_is_one_layer_whose_scores_never_reach_memory(tmp_path: Path) -> None:
    nodes = [
        node("MatMul", "x wq", "q"),
        node("MatMul", "x wk", "k"),
        node("Transpose", "k", "kt", perm=[0, 2, 1]),
        node("MatMul", "q kt", "s"),
        node("Mul", "s scale", "scaled"),
        node("Softmax", "scaled", "p", axis=-1),
        node("MatMul", "p q", "y"),
    ]
    path = write(tmp_path / "g.onnx", nodes, [1, 100, 8], [1, 100, 8], {"wq": [8, 8], "wk": [8, 8], "scale": []})
    attention = graph_layers(path)[-1]
    assert (attention.kind, attention.flops) == ("attention", 2 * 2 * 100 * 100 * 8)
    assert attention.activations == 3 * 800  # queries, keys and result: 10 000 scores are not among them


def test_nodes_that_depend_on_constants_alone_are_folded(tmp_path: Path) -> None:
    nodes = [node("Add", "w w", "w2"), node("Transpose", "w2", "wt", perm=[1, 0]), node("MatMul", "x wt", "y")]
    path = write(tmp_path / "g.onnx", nodes, [1, 2, 3], [1, 2, 5], {"w": [5, 3]})
    assert graph_layers(path) == [LayerCost("MatMul_y", "matmul", 2 * 30, 15, 16)]


def test_a_residual_connection_is_read_once_more(tmp_path: Path) -> None:
    nodes = [node("MatMul", "x w", "a"), node("Relu", "a", "r"), node("MatMul", "r w", "b"), node("Add", "b r", "y")]
    path = write(tmp_path / "g.onnx", nodes, [1, 10, 4], [1, 10, 4], {"w": [4, 4]})
    assert [layer.activations for layer in graph_layers(path)] == [80, 80]


def test_the_bundled_graph_has_the_matmuls_of_its_architecture() -> None:
    graph = bundled("eatrack_s.track.onnx")
    assert graph is not None
    layers = graph_layers(graph)
    patches = next(layer for layer in layers if layer.kind == "matmul")
    assert patches.flops == 2 * 256 * (16 * 16 * 3) * 384
    assert sum(layer.kind == "attention" for layer in layers) == 6
    # Four blocks of 256 search tokens and two of 384 joint ones, 12 dim^2 a token, and the patches; then the head.
    # The joint blocks may be cheaper than that: what is constant from frame to frame can be left out.
    joint = 2 * 384 * 12 * 384**2
    search_only = 256 * 768 * 384 + 4 * 256 * 12 * 384**2
    matmuls = sum(layer.flops for layer in layers if layer.kind == "matmul") / 2
    head = 256 * 3 * 9 * (384 * 96 + 96 * 48 + 48 * 24 + 24 * 12) + 256 * 12 * 5
    assert search_only + joint / 2 + head < matmuls <= search_only + joint + head


def test_a_graph_of_unknown_size_is_refused_and_the_error_names_the_tensor(tmp_path: Path) -> None:
    nodes = [node("MatMul", "x w", "y")]
    path = write(tmp_path / "g.onnx", nodes, [1, "rows", 4], [1, 10, 6], {"w": [4, 6]})
    with pytest.raises(InputError) as caught:
        graph_layers(path)
    assert caught.value.message == f"{path}: the shape of `x` is not static"
    assert caught.value.hint == "export the graph with fixed sizes: eatrack-edge export"


def test_a_file_that_is_not_a_graph_is_refused(tmp_path: Path) -> None:
    (tmp_path / "g.onnx").write_text("no graph")
    with pytest.raises(InputError, match=r"g\.onnx: not an ONNX graph"):
        graph_layers(tmp_path / "g.onnx")
