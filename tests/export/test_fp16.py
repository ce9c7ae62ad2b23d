from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import TensorProto, helper, numpy_helper, shape_inference

from eatrack_edge.core.model_spec import ModelSpec
from eatrack_edge.export.fp16 import to_half
from eatrack_edge.export.graph_inputs import template_feed

pytestmark = pytest.mark.torch


def types(graph: onnx.ModelProto) -> dict[str, int]:
    inferred = shape_inference.infer_shapes(graph, strict_mode=True).graph
    values = [*inferred.input, *inferred.value_info, *inferred.output]
    found = {value.name: value.type.tensor_type.elem_type for value in values}
    return found | {tensor.name: tensor.data_type for tensor in inferred.initializer}


def test_matmuls_are_half_precision_and_sums_and_exponentials_are_not(fp32: tuple[Path, Path]) -> None:
    for path in fp32:
        half = to_half(onnx.load(path))
        onnx.checker.check_model(half, full_check=True)
        found = types(half)
        for node in half.graph.node:
            if node.op_type in ("MatMul", "Conv"):
                assert {found[name] for name in node.input} == {TensorProto.FLOAT16}, node.name
            if node.op_type in ("Softmax", "LayerNormalization", "Sigmoid"):
                assert found[node.input[0]] == TensorProto.FLOAT, node.name


def test_inputs_and_outputs_keep_their_names_and_types(fp32: tuple[Path, Path]) -> None:
    for path in fp32:
        graph = onnx.load(path)
        half = to_half(graph)
        assert list(half.graph.input) == list(graph.graph.input)
        assert list(half.graph.output) == list(graph.graph.output)
        assert graph == onnx.load(path)


def test_the_answer_stays_the_same_within_half_precision(fp32: tuple[Path, Path], model_spec: ModelSpec) -> None:
    crop = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    graph, feed = onnx.load(fp32[0]), template_feed(model_spec, crop, (0.4, 0.6), 1)
    answers = [
        onnxruntime.InferenceSession(each.SerializeToString()).run(None, feed)[0] for each in (graph, to_half(graph))
    ]
    np.testing.assert_allclose(answers[1], answers[0], atol=1e-2 * np.abs(answers[0]).max())


def test_weights_beyond_half_precision_are_clipped_and_tiny_ones_kept() -> None:
    values = np.array([1e6, -1e6, 5e-5, -1e-6, 1e-9, 0, 1], np.float32)
    graph = helper.make_graph(
        [helper.make_node("Add", ["x", "w"], ["y"])],
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [7])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [7])],
        [numpy_helper.from_array(values, "w")],
    )
    half = to_half(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)]))
    (weights,) = (numpy_helper.to_array(tensor) for tensor in half.graph.initializer)
    np.testing.assert_allclose(weights, [65504, -65504, 5e-5, -1e-6, 0, 0, 1], rtol=0.02)


def test_scales_stay_positive_and_the_weights_behind_them_what_they_were() -> None:
    scales = np.array([4e-8, 1e-5, 2e-5, 3e-3, 0.5], np.float32)  # half rounds the first to 0 or by half of itself
    levels = np.random.default_rng(0).integers(-127, 128, (64, 5)).astype(np.int8)
    nodes = [
        helper.make_node("QuantizeLinear", ["x", "range", "zero"], ["quantised"], "q"),
        helper.make_node("DequantizeLinear", ["quantised", "range", "zero"], ["rounded"], "dq"),
        helper.make_node("DequantizeLinear", ["levels", "scales", "zeros"], ["weights"], "weights", axis=1),
        helper.make_node("MatMul", ["rounded", "weights"], ["y"], "product"),
    ]
    tensors = {
        "range": np.float32(1e-7),
        "zero": np.int8(0),
        "levels": levels,
        "scales": scales,
        "zeros": np.zeros(5, np.int8),
    }
    graph = helper.make_graph(
        nodes,
        "g",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 64])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, 5])],
        [numpy_helper.from_array(np.asarray(array), name) for name, array in tensors.items()],
    )
    half = to_half(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 19)]))
    onnx.checker.check_model(half, full_check=True)
    makers = {name: node for node in half.graph.node for name in node.output}
    arrays = {tensor.name: numpy_helper.to_array(tensor) for tensor in half.graph.initializer}
    dequantise = makers["weights"]
    made = arrays[dequantise.input[1]]
    assert made.dtype == np.float16
    assert (made > 0).all()
    got, wanted = arrays[dequantise.input[0]] * made.astype(np.float64), levels * scales.astype(np.float64)
    assert (np.abs(got - wanted) <= 0.51 * made.astype(np.float64)).all()
    assert makers["quantised"].input[1] == makers["rounded"].input[1]
    assert arrays[makers["quantised"].input[1]] > 0
