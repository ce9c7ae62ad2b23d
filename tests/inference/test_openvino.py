from __future__ import annotations

import sys
import weakref
from collections.abc import Sequence
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from time import perf_counter
from types import SimpleNamespace

import numpy as np
import pytest

from eatrack_edge.core.crops import Frame
from eatrack_edge.core.errors import InputError, MissingExtra
from eatrack_edge.core.resources import DEFAULT_MODEL
from eatrack_edge.inference import openvino as module
from eatrack_edge.inference.backend import Maps
from eatrack_edge.inference.model_files import find_graphs
from eatrack_edge.inference.onnxruntime import OnnxRuntimeBackend
from eatrack_edge.inference.openvino import OpenVinoBackend
from eatrack_edge.sources.registry import open_source
from eatrack_edge.tracking.settings import NETWORK_ALONE, TemplateSettings
from eatrack_edge.tracking.tracker import Tracker
from inference.graphs import copy, crop

needs_openvino = pytest.mark.skipif(find_spec("openvino") is None, reason="openvino is not installed")


@pytest.fixture(scope="module")
def backend() -> OpenVinoBackend:
    return OpenVinoBackend(*find_graphs(DEFAULT_MODEL))


@pytest.fixture(scope="module")
def reference() -> OnnxRuntimeBackend:
    return OnnxRuntimeBackend(*find_graphs(DEFAULT_MODEL))


@needs_openvino
def test_it_says_what_it_runs_on_and_in_what_precision(backend: OpenVinoBackend) -> None:
    assert backend.name == "openvino (CPU, f32)"
    assert backend.note == ""


def test_the_precision_is_that_of_what_multiplies_each_once_and_in_order() -> None:
    kinds = [("Convolution", "u8"), ("FullyConnected", "i8"), ("MatMul", "f32"), ("Convolution", "u8"), ("Add", "bf16")]

    def node(kind: str, precision: str) -> SimpleNamespace:
        return SimpleNamespace(get_rt_info=lambda: {"layerType": _Text(kind), "runtimePrecision": _Text(precision)})

    nodes = [node(*kind) for kind in kinds]
    compiled = SimpleNamespace(get_runtime_model=lambda: SimpleNamespace(get_ops=lambda: nodes))
    assert module._precision(compiled) == "f32+i8+u8"


class _Text(str):
    """What OpenVINO keeps: a value that is asked for its type."""

    def astype(self, kind: type) -> str:
        return kind(self)


@needs_openvino
def test_every_output_agrees_with_onnx_runtime(backend: OpenVinoBackend, reference: OnnxRuntimeBackend) -> None:
    assert backend.model_spec == reference.model_spec
    for seed in range(3):
        answers = []
        for each in (backend, reference):
            each.encode_template(crop(128, seed), (0.5, 0.5), [0])
            each.encode_template(crop(128, 10 + seed), (0.5, 0.5), range(1, each.model_spec.template_slots))
            answers.append(each.infer(crop(256, 20 + seed)))
        for ours, theirs in zip(*answers, strict=True):
            np.testing.assert_allclose(ours, theirs, atol=1e-4)


class Compared(OnnxRuntimeBackend):
    """ONNX Runtime, which leads the tracker, and beside it another backend that must answer each crop alike.

    Each in a loop of its own would not do: a crop is sampled at steps of 1/32 px, so a millionth of a pixel between
    two boxes grows from frame to frame.
    """

    other: OpenVinoBackend
    frames = 0

    def encode_template(self, crop: Frame, extent: tuple[float, float], slots: Sequence[int]) -> None:
        super().encode_template(crop, extent, slots)
        if hasattr(self, "other"):
            self.other.encode_template(crop, extent, slots)

    def infer(self, search: Frame) -> Maps:
        maps = super().infer(search)
        for ours, theirs in zip(self.other.infer(search), maps, strict=True):
            np.testing.assert_allclose(ours, theirs, atol=1e-4)
        self.frames += 1
        return maps


@needs_openvino
def test_every_frame_of_a_track_agrees_with_onnx_runtime_over_template_updates(backend: OpenVinoBackend) -> None:
    compared = Compared(*find_graphs(DEFAULT_MODEL))
    compared.other = backend
    # init looks at the target before it replaces the templates, so both start with the same ones.
    compared.encode_template(crop(128, 0), (0.5, 0.5), range(2))
    tracker = Tracker(compared, settings=replace(NETWORK_ALONE, templates=TemplateSettings(interval=3)))
    with open_source("test://?frames=8&width=320&height=240") as source:
        for item in source:
            if item.index == 0:
                assert item.truth is not None
                tracker.init(item.frame, item.truth)
            else:
                tracker.update(item.frame)
    assert any(event.is_replaced for event in tracker.templates.events)
    assert compared.frames >= 7


@needs_openvino
def test_a_frame_leaves_its_answer_in_the_same_memory(backend: OpenVinoBackend) -> None:
    first = backend.infer(crop(256, 1))
    score = first.score_map.copy()
    second = backend.infer(crop(256, 2))
    assert all(a is b for a, b in zip(first, second, strict=True))
    assert not np.array_equal(score, second.score_map)


@needs_openvino
@pytest.mark.parametrize("threads", [1, 2])
def test_both_graphs_run_on_the_threads_given_in_float32_and_on_any_core(threads: int) -> None:
    backend = OpenVinoBackend(*find_graphs(DEFAULT_MODEL), threads=threads)
    for request in (backend._encode, backend._track):
        compiled = request.get_compiled_model()
        assert compiled.get_property("INFERENCE_NUM_THREADS") == threads
        assert compiled.get_property("ENABLE_CPU_PINNING") is False
        assert str(compiled.get_property("PERFORMANCE_HINT")).endswith("LATENCY")
        assert compiled.get_property("INFERENCE_PRECISION_HINT").to_string() == "f32"


@needs_openvino
def test_closing_frees_both_graphs_and_may_be_repeated() -> None:
    backend = OpenVinoBackend(*find_graphs(DEFAULT_MODEL))
    graphs = [weakref.ref(backend._encode), weakref.ref(backend._track)]
    backend.close()
    backend.close()
    assert [graph() for graph in graphs] == [None, None]


@needs_openvino
def test_the_parts_of_a_call_are_timed_in_milliseconds(
    monkeypatch: pytest.MonkeyPatch, backend: OpenVinoBackend
) -> None:
    monkeypatch.setattr(module, "perf_counter", iter([1.0, 1.25, 1.75]).__next__)
    backend.infer(crop(256, 1))
    assert backend.timing_ms == (250, 500, 0)


@needs_openvino
def test_the_latest_inference_is_timed(backend: OpenVinoBackend) -> None:
    shares = []
    for seed in range(10):
        start = perf_counter()
        backend.infer(crop(256, seed))
        took_ms = 1000 * (perf_counter() - start)
        assert 0 < backend.timing_ms.copy_in < backend.timing_ms.run
        shares.append(sum(backend.timing_ms) / took_ms)
    assert 0.9 < max(shares) <= 1  # a busy machine stalls between the two clocks now and then


@needs_openvino
def test_graphs_of_two_exports_are_refused(backend: OpenVinoBackend, tmp_path: Path) -> None:
    graphs = copy(tmp_path, change=(backend.model_spec.checkpoint_sha256.encode(), b"0" * 64), only="template")
    with pytest.raises(InputError, match="come from different exports"):
        OpenVinoBackend(*graphs)


@needs_openvino
def test_a_graph_that_is_not_what_its_metadata_says_is_refused(tmp_path: Path) -> None:
    graphs = copy(tmp_path, change=(b"template_size\x12\x03128", b"template_size\x12\x03144"))
    with pytest.raises(InputError, match=r"template\.onnx: holds .*128.* its model specification says .*144"):
        OpenVinoBackend(*graphs)


@needs_openvino
def test_a_track_graph_that_is_not_what_its_metadata_says_is_refused(tmp_path: Path) -> None:
    graphs = copy(tmp_path, change=(b"search_size\x12\x03256", b"search_size\x12\x03288"))
    with pytest.raises(InputError, match=r"track\.onnx: holds .*256.* its model specification says .*288"):
        OpenVinoBackend(*graphs)


@needs_openvino
@pytest.mark.parametrize("only", [".template", ".track"])
def test_a_graph_without_a_model_specification_is_named(tmp_path: Path, only: str) -> None:
    graphs = copy(tmp_path, change=(b"template_size", b"template_sixe"), only=only)
    with pytest.raises(InputError, match=rf"^{tmp_path}/.*\{only}\.onnx: "):
        OpenVinoBackend(*graphs)


@needs_openvino
def test_the_first_frame_finds_both_graphs_warm() -> None:
    backend = OpenVinoBackend(*find_graphs(DEFAULT_MODEL))
    assert all(backend._buffers[spec.name].any() for spec in backend.model_spec.template_outputs())
    assert backend._maps.score_map.any()


@needs_openvino
def test_bytes_that_are_no_graph_are_refused(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    graphs = copy(tmp_path)
    graphs[1].write_bytes(b"not a graph")
    with pytest.raises(InputError, match=r"track\.onnx: OpenVINO cannot load it: Model can't be parsed"):
        OpenVinoBackend(*graphs)
    assert capfd.readouterr() == ("", "")


@needs_openvino
def test_a_graph_without_its_weights_is_refused(tmp_path: Path) -> None:
    graphs = copy(tmp_path)
    (tmp_path / f"{DEFAULT_MODEL}.safetensors").unlink()
    with pytest.raises(InputError, match=r"template\.onnx: OpenVINO cannot load it: .*eatrack_s\.safetensors"):
        OpenVinoBackend(*graphs)


@needs_openvino
def test_a_graph_of_somebody_else_is_refused(tmp_path: Path) -> None:
    graphs = copy(tmp_path, change=(b"eatrack-edge/1", b"somebody-else1"))
    with pytest.raises(InputError, match="metadata `schema` is 'somebody-else1', this version reads 'eatrack-edge/1'"):
        OpenVinoBackend(*graphs)


def test_a_missing_package_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(MissingExtra) as caught:
        OpenVinoBackend(tmp_path / "x.template.onnx", tmp_path / "x.track.onnx")
    assert str(caught.value) == (
        "cannot run a graph on OpenVINO: openvino is not installed\nhint: pip install openvino"
    )


@needs_openvino
def test_a_missing_graph_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"x\.template\.onnx: no such graph\nhint: make it: eatrack-edge export"):
        OpenVinoBackend(tmp_path / "x.template.onnx", tmp_path / "x.track.onnx")
