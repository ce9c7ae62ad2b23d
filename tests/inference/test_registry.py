from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from eatrack_edge.core.errors import EATrackError, InputError, MachineError, MissingExtra, UsageError
from eatrack_edge.core.resources import DEFAULT_MODEL, bundled, bundled_models
from eatrack_edge.inference import registry
from eatrack_edge.inference.backend import Backend
from eatrack_edge.inference.model_files import find_graphs
from eatrack_edge.inference.registry import BACKENDS, choose_backend, open_backend
from eatrack_edge.inference.tensorrt.manifest import engine_home, engine_paths
from eatrack_edge.tracking.tracker import Tracker
from inference import simulated_cuda, simulated_tensorrt
from tracking.simulated import SimulatedBackend


def test_the_default_model_ships_with_the_package() -> None:
    assert DEFAULT_MODEL in bundled_models()
    assert all(path.is_file() for path in find_graphs(DEFAULT_MODEL))
    assert bundled(f"{DEFAULT_MODEL}.safetensors") is not None


def test_either_file_or_the_folder_names_an_export(tmp_path: Path) -> None:
    expected = tmp_path / "a.template.onnx", tmp_path / "a.track.onnx"
    for path in expected:
        path.touch()
    assert find_graphs(tmp_path) == find_graphs(expected[0]) == find_graphs(str(expected[1])) == expected


def test_an_unknown_model_is_refused_with_a_suggestion() -> None:
    with pytest.raises(UsageError) as caught:
        find_graphs("eatrack_z")
    assert str(caught.value).startswith("no model called `eatrack_z`\nhint: did you mean `eatrack_")


def test_a_name_unlike_any_model_lists_what_ships() -> None:
    with pytest.raises(UsageError, match=r"hint: bundled models: .*; or give an exported file"):
        find_graphs("yolo")


def test_a_folder_must_hold_exactly_one_export(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds 0 exported models, needs exactly one"):
        find_graphs(tmp_path)


def test_a_lone_onnx_file_is_no_export(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"an exported model is two files, NAME\.template\.onnx and NAME\.track\.onnx"):
        find_graphs(tmp_path / "model.onnx")


@pytest.mark.parametrize("threads", [0, -1])
def test_an_inference_needs_a_thread(threads: int) -> None:
    with pytest.raises(UsageError, match=f"{threads} threads cannot run"):
        choose_backend("eatrack_s", threads=threads)


def test_an_unknown_backend_is_refused() -> None:
    with pytest.raises(
        UsageError, match="no backend called `tpu`\nhint: known backends: tensorrt, openvino, onnxruntime; or auto"
    ):
        open_backend(DEFAULT_MODEL, "tpu")


def stand_in(**openers: EATrackError | None) -> Callable[[str, str | Path, int], Backend]:
    """Backends that open, or do not: the fault of each, in ``load``'s order of preference."""

    def open_(name: str, model: str | Path, threads: int) -> Backend:
        fault = openers[name]
        if fault:
            raise fault
        backend = SimulatedBackend()
        backend.name = f"{name} of {model} on {threads}"
        return backend

    return open_


TENSORRT, OPENVINO = MissingExtra("tensorrt is not installed"), MissingExtra("openvino is not installed")
NO_ENGINE = MachineError("no engine of `m` is built on this machine")


@pytest.mark.parametrize(
    ("tensorrt", "openvino", "name", "notes"),
    [
        pytest.param(None, None, "tensorrt", (), id="TensorRT where it opens"),
        pytest.param(NO_ENGINE, None, "openvino", (f"not tensorrt: {NO_ENGINE.message}",), id="then OpenVINO"),
        pytest.param(
            TENSORRT,
            OPENVINO,
            "onnxruntime",
            ("not tensorrt: tensorrt is not installed", "not openvino: openvino is not installed"),
            id="then ONNX Runtime",
        ),
    ],
)
def test_auto_takes_the_best_that_opens_and_says_why_not_a_better_one(
    monkeypatch: pytest.MonkeyPatch,
    tensorrt: EATrackError | None,
    openvino: EATrackError | None,
    name: str,
    notes: tuple[str, ...],
) -> None:
    monkeypatch.setattr(registry, "open_named", stand_in(tensorrt=tensorrt, openvino=openvino, onnxruntime=None))
    choice = choose_backend("m", threads=2)
    assert choice.backend.name == f"{name} of m on 2"
    assert choice.notes == notes


def test_what_the_one_taken_lacks_is_noted_too(monkeypatch: pytest.MonkeyPatch) -> None:
    backend = SimulatedBackend()
    backend.note = "no CUDA graph: it cannot be recorded"
    monkeypatch.setattr(registry, "open_named", lambda *_: backend)
    assert choose_backend("m").notes == ("tensorrt: no CUDA graph: it cannot be recorded",)


@pytest.mark.parametrize(
    ("failures", "raised"),
    [
        pytest.param((NO_ENGINE, OPENVINO, MissingExtra("no ORT")), NO_ENGINE, id="of the one that is installed"),
        pytest.param((TENSORRT, InputError("OpenVINO cannot"), InputError("ORT cannot")), None, id="else the last"),
        pytest.param((TENSORRT, OPENVINO, MissingExtra("no ORT")), None, id="where none is installed, the last"),
    ],
)
def test_where_none_opens_the_most_informative_failure_is_raised(
    monkeypatch: pytest.MonkeyPatch, failures: tuple[EATrackError, ...], raised: EATrackError | None
) -> None:
    openers = dict(zip(BACKENDS.names(), failures, strict=True))
    monkeypatch.setattr(registry, "open_named", stand_in(**openers))
    with pytest.raises(EATrackError) as caught:
        choose_backend("m")
    assert caught.value is (raised or failures[-1])


def test_a_backend_asked_for_by_name_is_taken_or_its_failure_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "open_named", stand_in(tensorrt=NO_ENGINE, openvino=None, onnxruntime=None))
    with pytest.raises(MachineError, match="no engine of `m`"):
        choose_backend("m", "tensorrt")
    assert choose_backend("m", "onnxruntime").backend.name == "onnxruntime of m on 1"


def test_an_engine_is_for_tensorrt_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    engine = tmp_path / "m.fp16.track.engine"
    with pytest.raises(UsageError) as caught:
        choose_backend(engine, "onnxruntime")
    assert str(caught.value) == (
        f"{engine}: only the backend `tensorrt` runs engines\nhint: give the graphs it was built from"
    )
    monkeypatch.setitem(sys.modules, "tensorrt", None)
    with pytest.raises(MissingExtra, match="cannot run an engine: tensorrt is not installed"):
        choose_backend(engine)


def test_engines_that_are_built_are_opened_and_run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    simulated_tensorrt.install(monkeypatch, simulated_cuda.install(monkeypatch, "cuda-python"))
    monkeypatch.setenv("EATRACK_HOME", str(tmp_path))
    graphs = find_graphs(f"{DEFAULT_MODEL}.fp16")
    model_spec = choose_backend(graphs[1], "onnxruntime").backend.model_spec
    engines = engine_paths(DEFAULT_MODEL, "fp16", engine_home())
    engines[0].parent.mkdir()
    for engine, graph in zip(engines, graphs, strict=True):
        simulated_tensorrt.write_engine(engine, graph, model_spec)
    for model in (DEFAULT_MODEL, engines[1], engines[0].parent):
        assert Tracker(model).choice.backend.name == "tensorrt (Orin, fp16, CUDA graph)"


def test_a_model_that_was_moved_away_is_named(tmp_path: Path) -> None:
    template, _ = find_graphs(DEFAULT_MODEL)
    shutil.copy(template, tmp_path / "a.template.onnx")
    with pytest.raises(InputError, match=r"a\.template\.onnx: ONNX Runtime cannot load it"):
        open_backend(tmp_path / "a.template.onnx")
