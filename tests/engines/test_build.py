"""Our build code on NVIDIA's own parser and compiler, for compute 8.6: TensorRT for RTX, which needs no GPU.

What this cannot prove: that the engine runs, what it computes, how fast, and anything about Orin's 8.7 or the DLA.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from eatrack_edge.core.errors import EATrackError, GateFailed, InputError, MachineError
from eatrack_edge.core.resources import DEFAULT_MODEL
from eatrack_edge.engines.build import Built, Job, build
from eatrack_edge.engines.build_progress import Step
from eatrack_edge.engines.child_process import run_in_child
from eatrack_edge.engines.precision_audit import Audit
from eatrack_edge.inference.model_files import PRECISIONS, find
from engines.onnx_files import model_spec

pytestmark = [pytest.mark.trt, pytest.mark.usefixtures("rtx")]
WORKSPACE = 256 << 20


def built(graph: Path, steps: list[Step] | None = None) -> Built:
    seen = [] if steps is None else steps
    return run_in_child(build, Job(graph, WORKSPACE), seen.append, what="the build")


def cannot_quantise_convolutions() -> bool:
    import tensorrt_rtx

    return tuple(map(int, tensorrt_rtx.__version__.split(".")[:2])) < (1, 7)


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("kind", ["template", "track"])
def test_every_precision_is_built_in_the_types_it_promises(precise: Path, precision: str, kind: str) -> None:
    if precision.startswith("int8") and kind == "track" and cannot_quantise_convolutions():
        pytest.skip("TensorRT for RTX before 1.7 cannot build INT8 convolutions")
    steps: list[Step] = []
    made = built(getattr(find(precise, precision), kind), steps)
    assert len(made.engine) > 1_000_000
    assert steps
    assert made.audit.total >= 20
    products = made.audit
    if precision == "fp32" or (precision == "int8" and kind == "template"):
        assert products == Audit(products.total, 0, 0)
    elif precision == "fp16" or kind == "template":
        assert products.half >= products.total - 1  # the patch embedding of the pixels may stay in float32
    else:
        assert products.quantised > products.total // 2


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
def test_the_bundled_graphs_build_as_they_ship(precision: str) -> None:
    for graph in (find(DEFAULT_MODEL, precision).template, find(DEFAULT_MODEL, precision).track):
        products = built(graph).audit
        assert products.half == 0 if precision == "fp32" else products.half >= products.total - 1


def test_a_graph_that_is_not_what_it_is_called_is_refused(precise: Path, tmp_path: Path) -> None:
    import onnx

    graph = onnx.load(find(precise, "fp32").track)
    props = {entry.key: entry.value for entry in graph.metadata_props}
    onnx.helper.set_model_props(graph, props | {"precision": "fp16"})
    onnx.save(graph, tmp_path / "a.fp16.track.onnx")
    with pytest.raises(
        GateFailed, match=r"a\.fp16\.track\.onnx: is called fp16, but has \d+ matmuls and convolutions: \d+ in FP32"
    ):
        built(tmp_path / "a.fp16.track.onnx")


def test_an_accelerator_that_is_not_there_is_said(precise: Path) -> None:
    job = Job(find(precise, "fp16").template, WORKSPACE, uses_dla=True)
    with pytest.raises(MachineError, match="there is no deep learning accelerator for TensorRT here\nhint: build for"):
        run_in_child(build, job, lambda _: None, what="the build")


def refused(graph: Any, folder: Path, opset: int = 17) -> str:
    """How our code refuses a graph of one template input, by its parser, its model specification or its build."""
    import onnx

    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", opset)], ir_version=10)
    onnx.helper.set_model_props(model, model_spec().to_metadata())
    path = folder / "bad.template.onnx"
    onnx.save(model, path)
    with pytest.raises(EATrackError) as caught:
        built(path)
    assert isinstance(caught.value, InputError)
    return caught.value.message


def graph_of(nodes: list[Any], weights: dict[str, Any] | None = None, shape: tuple[Any, ...] = (64, 64, 3)) -> Any:
    from onnx import TensorProto, helper, numpy_helper

    inputs = [helper.make_tensor_value_info("template", TensorProto.UINT8, shape)]
    outputs = [helper.make_tensor_value_info("template_tokens", TensorProto.FLOAT, None)]
    first = helper.make_node("Cast", ["template"], ["x"], "cast", to=TensorProto.FLOAT)
    tensors = [numpy_helper.from_array(array, name) for name, array in (weights or {}).items()]
    return helper.make_graph([first, *nodes], "bad", inputs, outputs, tensors)


def bad_nodes(kind: str) -> tuple[list[Any], dict[str, Any]]:
    import numpy as np
    from onnx import helper

    scale, half = np.float32(0.1), np.float16([1.0])
    make = helper.make_node
    zero = {"U8 activations": np.uint8(128), "asymmetric": np.int8(3)}
    if kind in zero:
        pair = [
            make("QuantizeLinear", ["x", "scale", "zero"], ["q"], "quantise"),
            make("DequantizeLinear", ["q", "scale", "zero"], ["template_tokens"], "dequantise"),
        ]
        return pair, {"scale": scale, "zero": zero[kind]}
    if kind == "INT32 bias":
        nodes = [
            make("DequantizeLinear", ["bias", "scale"], ["b"], "dequantise"),
            make("Add", ["x", "b"], ["template_tokens"], "add"),
        ]
        return nodes, {"bias": np.int32([1, 2, 3]), "scale": scale}
    if kind == "mixed types":
        return [make("Add", ["x", "half"], ["template_tokens"], "mixed")], {"half": half}
    return [make("Det" if kind == "Det" else "Wobble", ["x"], ["template_tokens"], "odd")], {}


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        ("U8 activations", r"refuses node `(de)?quantise` \((Q|Deq)uantizeLinear\): .*"),
        ("asymmetric", r"refuses node `(de)?quantise` \((Q|Deq)uantizeLinear\): .*"),
        ("INT32 bias", r"refuses node `dequantise` \(DequantizeLinear\): .*Int32.*"),
        ("mixed types", r"refuses node `mixed` \(Add\): .*same.*type.*"),
        ("Det", r"refuses node `odd` \(Det\): .*"),
        ("unknown", r"refuses node `odd` \(Wobble\): .*"),
    ],
)
def test_what_tensorrt_cannot_read_is_named_by_node_and_operator(tmp_path: Path, kind: str, said: str) -> None:
    message = refused(graph_of(*bad_nodes(kind)), tmp_path)
    assert re.fullmatch(rf".*bad\.template\.onnx: TensorRT {said}", message), message


def test_a_shape_that_is_not_fixed_is_named(tmp_path: Path) -> None:
    from onnx import helper

    identity = helper.make_node("Identity", ["x"], ["template_tokens"])
    message = refused(graph_of([identity], shape=("rows", 64, 3)), tmp_path)
    assert "has `template` (-1, 64, 3) uint8, its model specification says `template` (64, 64, 3) uint8" in message


def test_attention_in_one_operator_is_read_but_not_built(tmp_path: Path) -> None:
    # Exporters write it from opset 23 on, and a parser that takes it proves nothing: no kernel does it in float32.
    import numpy as np
    from onnx import helper

    make = helper.make_node
    nodes = [
        make("Reshape", ["x", "heads"], ["h"], "split"),
        *(make("MatMul", ["h", name.upper()], [name], f"make_{name}") for name in "qkv"),
        make("Attention", ["q", "k", "v"], ["a"], "attention"),
        make("Slice", ["a", "none", "width", "last"], ["s"], "cut"),
        make("Reshape", ["s", "tokens"], ["template_tokens"], "join"),
    ]
    shapes = {"heads": [1, 4, 16, 192], "none": [0], "width": [3], "last": [3], "tokens": [1, 16, 12]}
    weights = dict.fromkeys("QKV", np.eye(192, dtype=np.float32))
    graph = graph_of(nodes, weights | {name: np.array(shape, np.int64) for name, shape in shapes.items()})
    message = refused(graph, tmp_path, opset=23)
    said = "TensorRT cannot build it: Attention operation was not supported by a dedicated kernel"
    assert message.endswith(f"bad.template.onnx: {said}")
