from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

from eatrack_edge.core.model_spec import ModelSpec
from eatrack_edge.export import int8, sensitivity
from eatrack_edge.export.activation_ranges import Feed
from eatrack_edge.export.calibration_crops import read_calibration
from eatrack_edge.export.graph_inputs import track_feeds

pytestmark = pytest.mark.torch


@pytest.fixture(scope="module")
def feeds(model_spec: ModelSpec, fp32: tuple[Path, Path]) -> list[Feed]:
    pairs = read_calibration("test://?frames=6&width=160&height=120", model_spec, 4).pairs
    return list(track_feeds(pairs, model_spec, fp32[0]))


@pytest.fixture(scope="module")
def quantised(feeds: list[Feed], fp32: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> onnx.ModelProto:
    return int8.quantise(fp32[1], feeds, tmp_path_factory.mktemp("int8") / "q.onnx")


def test_the_form_is_what_tensorrt_reads(quantised: onnx.ModelProto) -> None:
    weights = {tensor.name: numpy_helper.to_array(tensor) for tensor in quantised.graph.initializer}
    makers = {name: node for node in quantised.graph.node for name in node.output}
    for node in quantised.graph.node:
        if node.op_type in int8.MATMULS and node.name in int8.int8_nodes(quantised):
            assert [makers[name].op_type for name in node.input[:2]] == ["DequantizeLinear"] * 2, node.name
            assert all(name in weights for name in node.input[2:]), "a bias stays as it is"
        if node.op_type in ("QuantizeLinear", "DequantizeLinear"):
            zero = weights[node.input[2]]
            assert zero.dtype == np.int8
            assert not zero.any()
    quantised_weights = [name for name, value in weights.items() if value.dtype == np.int8 and value.ndim >= 2]
    assert quantised_weights
    for name in quantised_weights:
        reader = next(node for node in quantised.graph.node if node.input[0] == name)
        assert weights[reader.input[1]].size == weights[name].shape[0 if weights[name].ndim == 4 else -1]


def test_all_matmuls_with_weights_are_int8_and_none_inside_an_attention(
    quantised: onnx.ModelProto, fp32: tuple[Path, Path]
) -> None:
    layers = int8.layer_names(onnx.load(fp32[1]))
    inside = int8.int8_nodes(quantised)
    assert any(layer.endswith(".values") for layer in layers.values())
    assert inside == {node for node, layer in layers.items() if not layer.endswith((".scores", ".values"))}


def test_every_matmul_has_the_name_of_its_layer(fp32: tuple[Path, Path]) -> None:
    layers = list(int8.layer_names(onnx.load(fp32[1])).values())
    assert len(layers) == len(set(layers))
    assert {"backbone.patch_embed.proj", "backbone.blocks.1.mlp.fc2", "box_head.conv5_ctr"} <= set(layers)
    assert any(layer.endswith(".scores") for layer in layers)
    assert any(layer.endswith(".values") for layer in layers)


def test_restoring_every_matmul_gives_the_output_of_the_float_graph(
    quantised: onnx.ModelProto, fp32: tuple[Path, Path], model_spec: ModelSpec, feeds: list[Feed]
) -> None:
    graph = onnx.load(fp32[1])
    again = int8.restore(quantised, graph, int8.layer_names(graph).keys())
    assert not {"QuantizeLinear", "DequantizeLinear"} & {node.op_type for node in again.graph.node}
    got, expected = (sensitivity.run(each, model_spec, feeds[:1])[0] for each in (again, graph))
    for name, values in expected.items():
        np.testing.assert_allclose(got[name], values, atol=1e-5)


def test_restoring_one_matmul_leaves_the_others_quantised(quantised: onnx.ModelProto, fp32: tuple[Path, Path]) -> None:
    graph = onnx.load(fp32[1])
    names = list(int8.layer_names(graph))
    mixed = int8.restore(quantised, graph, names[:1])
    onnx.checker.check_model(mixed, full_check=True)
    makers = {name: node for node in mixed.graph.node for name in node.output}
    is_quantised = {
        node.name: node.input[0] in makers and makers[node.input[0]].op_type == "DequantizeLinear"
        for node in mixed.graph.node
        if node.name in names
    }
    inside = int8.int8_nodes(quantised)
    assert names[0] in inside
    assert is_quantised == {name: name in inside and name != names[0] for name in names}


def test_sensitivity_tells_a_ruined_layer_from_the_others(
    quantised: onnx.ModelProto, fp32: tuple[Path, Path], model_spec: ModelSpec, feeds: list[Feed]
) -> None:
    graph, ruined = onnx.load(fp32[1]), onnx.ModelProto()
    ruined.CopyFrom(quantised)
    layer = "box_head.conv5_ctr"
    (node,) = (name for name, known in int8.layer_names(graph).items() if known == layer)
    (conv,) = (each for each in ruined.graph.node if each.name == node)
    (dequantise,) = (each for each in ruined.graph.node if conv.input[1] in each.output)
    (weights,) = (tensor for tensor in ruined.graph.initializer if tensor.name == dequantise.input[0])
    weights.CopyFrom(numpy_helper.from_array(-numpy_helper.to_array(weights), weights.name))
    table = sensitivity.measure(graph, ruined, model_spec, feeds[:2])
    assert table.keys() == int8.int8_nodes(quantised)
    assert table[node].score_error == max(row.score_error for row in table.values())


def test_errors_of_a_graph_against_itself_are_none(
    fp32: tuple[Path, Path], model_spec: ModelSpec, feeds: list[Feed]
) -> None:
    outputs = sensitivity.run(onnx.load(fp32[1]), model_spec, feeds[:2])
    assert sensitivity.errors(outputs, outputs) == (pytest.approx(0, abs=1e-6), 0)
