from __future__ import annotations

import weakref
from pathlib import Path
from time import perf_counter

import numpy as np
import onnxruntime
import pytest

from eatrack_edge.core.errors import InputError, MachineError
from eatrack_edge.core.resources import DEFAULT_MODEL
from eatrack_edge.inference import onnxruntime as module
from eatrack_edge.inference.model_files import find_graphs
from eatrack_edge.inference.onnxruntime import OnnxRuntimeBackend
from inference.graphs import copy, crop


@pytest.fixture(scope="module")
def backend() -> OnnxRuntimeBackend:
    return OnnxRuntimeBackend(*find_graphs(DEFAULT_MODEL))


def test_it_says_what_it_runs_on(backend: OnnxRuntimeBackend) -> None:
    assert backend.name == "onnxruntime (CPU)"


def test_the_model_spec_comes_from_the_graphs_alone(backend: OnnxRuntimeBackend) -> None:
    assert backend.model_spec.model == "eatrack_s"
    assert (backend.model_spec.template_size, backend.model_spec.search_size) == (128, 256)
    assert len(backend.model_spec.checkpoint_sha256) == 64


def test_maps_have_the_model_specs_shapes_and_ranges(backend: OnnxRuntimeBackend) -> None:
    backend.encode_template(crop(128, 0), (0.5, 0.5), range(backend.model_spec.template_slots))
    maps = backend.infer(crop(256, 1))
    assert [part.shape for part in maps] == [(16, 16), (2, 16, 16), (2, 16, 16), (256, 384)]
    for part in (maps.score_map, maps.size_map):
        assert part.min() >= 0
        assert part.max() <= 1


def test_the_answer_depends_on_the_template_and_is_repeatable(backend: OnnxRuntimeBackend) -> None:
    slots = range(backend.model_spec.template_slots)
    answers = []
    for seed in (0, 2, 0):
        backend.encode_template(crop(128, seed), (0.5, 0.5), slots)
        answers.append(backend.infer(crop(256, 1)).score_map.copy())
    assert not np.array_equal(answers[0], answers[1])
    np.testing.assert_array_equal(answers[0], answers[2])


def test_two_threads_answer_as_one_does(backend: OnnxRuntimeBackend) -> None:
    other = OnnxRuntimeBackend(*find_graphs(DEFAULT_MODEL), threads=2)
    for each in (backend, other):
        each.encode_template(crop(128, 0), (0.5, 0.5), range(each.model_spec.template_slots))
    np.testing.assert_allclose(backend.infer(crop(256, 1)).score_map, other.infer(crop(256, 1)).score_map, atol=1e-5)


def test_the_latest_inference_is_timed(backend: OnnxRuntimeBackend) -> None:
    start = perf_counter()
    backend.infer(crop(256, 1))
    took_ms = 1000 * (perf_counter() - start)
    assert 0 < backend.timing_ms.copy_in < backend.timing_ms.run
    assert backend.timing_ms.copy_out == 0
    assert sum(backend.timing_ms) <= took_ms


def test_the_parts_of_a_call_are_timed_in_milliseconds(
    monkeypatch: pytest.MonkeyPatch, backend: OnnxRuntimeBackend
) -> None:
    monkeypatch.setattr(module, "perf_counter", iter([1.0, 1.25, 1.75]).__next__)
    backend.infer(crop(256, 1))
    assert backend.timing_ms == (250, 500, 0)


@pytest.mark.parametrize("threads", [1, 2])
def test_both_graphs_run_on_the_threads_given_and_no_idle_thread_spins(threads: int) -> None:
    backend = OnnxRuntimeBackend(*find_graphs(DEFAULT_MODEL), threads=threads)
    for session in (backend._encoder, backend._tracker):
        options = session.get_session_options()
        assert (options.intra_op_num_threads, options.inter_op_num_threads) == (threads, 1)
        assert options.get_session_config_entry("session.intra_op.allow_spinning") == "0"


def test_by_default_one_thread_runs_the_warnings_of_the_optimiser_are_off_and_nothing_is_timed_yet() -> None:
    backend = OnnxRuntimeBackend(*find_graphs(DEFAULT_MODEL))
    options = backend._tracker.get_session_options()
    assert (options.intra_op_num_threads, options.log_severity_level) == (1, 3)
    assert backend.timing_ms == (0, 0, 0)


def test_closing_frees_both_graphs_and_may_be_repeated() -> None:
    backend = OnnxRuntimeBackend(*find_graphs(DEFAULT_MODEL))
    graphs = [weakref.ref(backend._encoder), weakref.ref(backend._tracker)]
    backend.close()
    backend.close()
    assert [graph() for graph in graphs] == [None, None]


def test_a_missing_graph_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"x\.template\.onnx: no such graph\nhint: make it: eatrack-edge export"):
        OnnxRuntimeBackend(tmp_path / "x.template.onnx", tmp_path / "x.track.onnx")


def test_a_missing_graph_in_int8_needs_data_to_be_made(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"CHECKPOINT --precision int8 --calib DATA -o "):
        OnnxRuntimeBackend(tmp_path / "x.int8.template.onnx", tmp_path / "x.int8.track.onnx")


def test_graphs_of_two_exports_are_refused(tmp_path: Path) -> None:
    sha = OnnxRuntimeBackend(*find_graphs(DEFAULT_MODEL)).model_spec.checkpoint_sha256.encode()
    graphs = copy(tmp_path, change=(sha, b"0" * 64), only="template")
    with pytest.raises(InputError, match="come from different exports"):
        OnnxRuntimeBackend(*graphs)


def test_a_graph_that_is_not_what_its_metadata_says_is_refused(tmp_path: Path) -> None:
    graphs = copy(tmp_path, change=(b"template_size\x12\x03128", b"template_size\x12\x03144"))
    with pytest.raises(InputError, match=r"template\.onnx: holds .*128.* its model specification says .*144"):
        OnnxRuntimeBackend(*graphs)


def test_a_track_graph_that_is_not_what_its_metadata_says_is_refused(tmp_path: Path) -> None:
    graphs = copy(tmp_path, change=(b"search_size\x12\x03256", b"search_size\x12\x03288"))
    with pytest.raises(InputError, match=r"track\.onnx: holds .*256.* its model specification says .*288"):
        OnnxRuntimeBackend(*graphs)


@pytest.mark.parametrize("only", [".template", ".track"])
def test_a_graph_without_a_model_specification_is_named(tmp_path: Path, only: str) -> None:
    graphs = copy(tmp_path, change=(b"template_size", b"template_sixe"), only=only)
    with pytest.raises(InputError, match=rf"^{tmp_path}/.*\{only}\.onnx: "):
        OnnxRuntimeBackend(*graphs)


def test_the_first_frame_finds_both_graphs_warm() -> None:
    backend = OnnxRuntimeBackend(*find_graphs(DEFAULT_MODEL))
    assert all(backend._buffers[spec.name].any() for spec in backend.model_spec.template_outputs())
    assert backend._maps.score_map.any()


def test_bytes_that_are_no_graph_are_refused(tmp_path: Path) -> None:
    graphs = copy(tmp_path)
    graphs[1].write_bytes(b"not a graph")
    with pytest.raises(InputError, match=r"track\.onnx: ONNX Runtime cannot load it"):
        OnnxRuntimeBackend(*graphs)


def test_a_provider_that_this_build_lacks_is_refused() -> None:
    with pytest.raises(MachineError) as caught:
        OnnxRuntimeBackend(*find_graphs(DEFAULT_MODEL), provider="TensorrtExecutionProvider")
    assert caught.value.message.startswith("cannot run on TensorrtExecutionProvider: this ONNX Runtime has ")
    assert caught.value.hint == "see what is missing: eatrack-edge doctor"


def claim_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let ONNX Runtime say that it has CUDA, and open sessions on the CPU, as its GPU build does without a driver."""
    session = onnxruntime.InferenceSession
    monkeypatch.setattr(
        onnxruntime, "get_available_providers", lambda: ["CUDAExecutionProvider", "CPUExecutionProvider"]
    )
    monkeypatch.setattr(
        onnxruntime,
        "InferenceSession",
        lambda *arguments, **named: session(*arguments, **named | {"providers": ["CPUExecutionProvider"]}),
    )


def test_cuda_that_became_the_cpu_is_an_error_where_it_was_named(monkeypatch: pytest.MonkeyPatch) -> None:
    claim_cuda(monkeypatch)
    with pytest.raises(MachineError) as caught:
        OnnxRuntimeBackend(*find_graphs(DEFAULT_MODEL), provider="CUDAExecutionProvider")
    assert caught.value.message == (
        "cannot run on CUDAExecutionProvider: it did not start, and CPUExecutionProvider took its place"
    )


def test_and_a_note_where_it_was_not(monkeypatch: pytest.MonkeyPatch, backend: OnnxRuntimeBackend) -> None:
    assert backend.note == ""
    claim_cuda(monkeypatch)
    fallen_back = OnnxRuntimeBackend(*find_graphs(DEFAULT_MODEL))
    assert fallen_back.name == "onnxruntime (CPU)"
    assert fallen_back.note == "CUDAExecutionProvider did not start, CPUExecutionProvider took its place"


def quantised_convolution(folder: Path) -> Path:
    """A convolution between Q/DQ pairs with float16 on their float side, whose bias is all that it gives."""
    from onnx import TensorProto, helper, numpy_helper, save

    make = helper.make_node
    nodes = [
        make("Cast", ["x"], ["half"], to=TensorProto.FLOAT16),
        make("QuantizeLinear", ["half", "scale", "zero"], ["q"]),
        make("DequantizeLinear", ["q", "scale", "zero"], ["d"]),
        make("DequantizeLinear", ["w", "scales", "zeros"], ["weights"], axis=0),
        make("Conv", ["d", "weights", "bias"], ["c"]),
        make("Relu", ["c"], ["r"]),
        make("QuantizeLinear", ["r", "scale", "zero"], ["rq"]),
        make("DequantizeLinear", ["rq", "scale", "zero"], ["rd"]),
        make("Cast", ["rd"], ["y"], to=TensorProto.FLOAT),
    ]
    tensors = {
        "scale": np.float16(0.02),
        "zero": np.int8(0),
        "w": np.ones((2, 2, 1, 1), np.int8),
        "scales": np.full(2, 1e-4, np.float16),
        "zeros": np.zeros(2, np.int8),
        "bias": np.full(2, 0.5, np.float16),
    }
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 2, 3, 3]) for name in "xy"]
    weights = [numpy_helper.from_array(np.asarray(array), name) for name, array in tensors.items()]
    graph = helper.make_graph(nodes, "g", ends[:1], ends[1:], weights)
    save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 19)], ir_version=10), folder / "conv.onnx")
    return folder / "conv.onnx"


@pytest.mark.torch
def test_a_quantised_convolution_keeps_its_bias_beside_float16(tmp_path: Path) -> None:
    session = module._open(onnxruntime, quantised_convolution(tmp_path), "CPUExecutionProvider", 1)
    (answer,) = session.run(None, {"x": np.zeros((1, 2, 3, 3), np.float32)})
    np.testing.assert_allclose(answer, 0.5, atol=0.02)
