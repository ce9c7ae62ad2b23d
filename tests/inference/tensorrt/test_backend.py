"""The TensorRT backend on a simulated TensorRT and a simulated device; see the two modules for what that means."""

from __future__ import annotations

import sys
import threading
from dataclasses import replace
from math import isnan
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from eatrack_edge.core.boxes import Box
from eatrack_edge.core.errors import MachineError, MissingExtra, UsageError
from eatrack_edge.core.resources import DEFAULT_MODEL
from eatrack_edge.inference.backend import Backend
from eatrack_edge.inference.model_files import find_graphs
from eatrack_edge.inference.onnxruntime import OnnxRuntimeBackend
from eatrack_edge.inference.tensorrt import backend as module
from eatrack_edge.inference.tensorrt.backend import TensorRTBackend, open_backend
from eatrack_edge.inference.tensorrt.manifest import read_manifest
from eatrack_edge.sources.registry import open_source
from eatrack_edge.tracking.settings import NETWORK_ALONE, TemplateSettings
from eatrack_edge.tracking.tracker import Tracker
from inference import simulated_cuda, simulated_tensorrt
from inference.conftest import Write
from inference.graphs import crop
from inference.simulated_cuda import SimulatedDevice
from inference.simulated_tensorrt import Fate


@pytest.fixture(scope="module")
def boxes(reference: OnnxRuntimeBackend) -> list[Box]:
    return follow_the_scene(reference)


def follow_the_scene(backend: Backend) -> list[Box]:
    """Over two template updates."""
    tracker = Tracker(backend, settings=replace(NETWORK_ALONE, templates=TemplateSettings(interval=3)))
    boxes: list[Box] = []
    with open_source("test://?frames=7&width=320&height=240") as source:
        for item in source:
            if boxes:
                boxes.append(tracker.update(item.frame).box)
            else:
                assert item.truth is not None
                boxes.append(item.truth)
                tracker.init(item.frame, item.truth)
    assert [event.is_replaced for event in tracker.templates.events] == [True, True]
    return boxes


@pytest.mark.parametrize("package", ["cuda-python", "pycuda"])
def test_boxes_are_those_of_onnx_runtime(
    monkeypatch: pytest.MonkeyPatch, package: str, write: Write, boxes: list[Box]
) -> None:
    simulated_tensorrt.install(monkeypatch, simulated_cuda.install(monkeypatch, package))
    np.testing.assert_allclose(follow_the_scene(TensorRTBackend(*write())), boxes, atol=1e-3)


@pytest.mark.usefixtures("fate")
def test_a_frame_is_one_launch_between_which_and_its_answer_nothing_else_is_called(
    device: SimulatedDevice, write: Write
) -> None:
    backend = TensorRTBackend(*write())
    device.calls.clear()
    backend.infer(crop(256, 1))
    assert device.calls == ["cudaGetDevice", "cudaSetDevice", "cudaGraphLaunch", "cudaStreamSynchronize"]
    assert backend.name == "tensorrt (Orin, fp32, CUDA graph)"
    assert backend.note == ""


def test_addresses_are_given_once_and_only_the_template_graphs_outputs_move(fate: Fate, write: Write) -> None:
    backend = TensorRTBackend(*write())
    tensors = [
        *backend.model_spec.template_inputs(),
        *backend.model_spec.track_inputs(),
        *backend.model_spec.track_outputs(),
    ]
    encoded = [spec.name for spec in backend.model_spec.template_outputs()]
    assert sorted(fate.bound) == sorted([spec.name for spec in tensors] + encoded * 2)
    fate.bound.clear()
    backend.infer(crop(256, 1))
    backend.encode_template(crop(128, 1), (0.5, 0.5), [1])
    backend.infer(crop(256, 2))
    assert fate.bound == encoded


@pytest.mark.usefixtures("fate")
def test_no_frame_copies_a_template(device: SimulatedDevice, write: Write) -> None:
    backend = TensorRTBackend(*write(), cuda_graph=False)
    device.calls.clear()
    backend.infer(crop(256, 1))
    assert device.calls.count("cudaMemcpyAsync") == 2  # the crop in, the answer out


@pytest.mark.usefixtures("fate")
def test_a_new_template_changes_its_own_slot_only(write: Write, reference: OnnxRuntimeBackend) -> None:
    backend = TensorRTBackend(*write())
    for slots, seed in (([0, 1], 1), ([1], 2), ([0], 3)):
        for each in (backend, reference):
            each.encode_template(crop(128, seed), (0.5, 0.5), slots)
        ours, theirs = backend.infer(crop(256, 9)), reference.infer(crop(256, 9))
        for our, their in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(our, their, atol=1e-5)


@pytest.mark.usefixtures("fate")
def test_a_template_is_read_before_its_inputs_are_written_again(write: Write, reference: OnnxRuntimeBackend) -> None:
    backend = TensorRTBackend(*write())
    for slot, seed in ((0, 1), (1, 2)):  # nothing between the two waits for the first
        for each in (backend, reference):
            each.encode_template(crop(128, seed), (0.5, 0.5), [slot])
    ours, theirs = backend.infer(crop(256, 9)), reference.infer(crop(256, 9))
    np.testing.assert_allclose(ours.score_map, theirs.score_map, atol=1e-5)


@pytest.mark.usefixtures("fate")
def test_with_a_recorded_frame_the_copies_cannot_be_told_apart(write: Write) -> None:
    backend = TensorRTBackend(*write())
    backend.infer(crop(256, 1))
    assert backend.timing_ms.run > 0
    assert isnan(backend.timing_ms.copy_in)
    assert isnan(backend.timing_ms.copy_out)


@pytest.mark.usefixtures("fate")
def test_without_one_they_are(write: Write) -> None:
    backend = TensorRTBackend(*write(), cuda_graph=False)
    timings = []
    for seed in range(10):
        backend.infer(crop(256, seed))
        timings.append(backend.timing_ms)
    copy_in, run, copy_out = (min(times) for times in zip(*timings, strict=True))  # a busy machine stalls any of them
    assert 0 < copy_in < run
    assert 0 < copy_out < run
    assert backend.name == "tensorrt (Orin, fp32)"
    assert backend.note == ""


@pytest.mark.parametrize(
    ("call", "code", "reason"),
    [
        pytest.param("cudaStreamBeginCapture", 901, "answers 901, cudaErrorStreamCaptureInvalidated", id="at its start"),
        pytest.param("cudaStreamEndCapture", 901, "answers 901, cudaErrorStreamCaptureInvalidated", id="at its end"),
        pytest.param("cudaGraphInstantiate", 2, "answers 2, cudaErrorMemoryAllocation", id="when it is made ready"),
    ],
)  # fmt: skip
@pytest.mark.usefixtures("fate")
def test_a_frame_that_cannot_be_recorded_is_queued_call_by_call(
    device: SimulatedDevice, write: Write, boxes: list[Box], call: str, code: int, reason: str
) -> None:
    device.faults[call] = code
    backend = TensorRTBackend(*write())
    assert backend.name == "tensorrt (Orin, fp32)"
    assert backend.note.startswith("no CUDA graph: ")
    assert backend.note.endswith(reason)
    np.testing.assert_allclose(follow_the_scene(backend), boxes, atol=1e-3)


def test_an_engine_that_refuses_to_be_recorded_is_queued_call_by_call(
    fate: Fate, device: SimulatedDevice, write: Write
) -> None:
    fate.executes = iter([True, True, True, False, *[True] * 9])  # templates, frame, recording, frames
    backend = TensorRTBackend(*write())
    assert backend.note.startswith("no CUDA graph: ")
    assert backend.note.endswith("m.track.engine: cannot be run: enqueueV3: Error Code 1: Cask convolution")
    assert not device.recordings
    backend.infer(crop(256, 1))


def test_an_engine_that_stops_running_is_named_with_tensorrts_reason(fate: Fate, write: Write) -> None:
    engines = write()
    backend = TensorRTBackend(*engines, cuda_graph=False)
    fate.executes = iter([False])
    with pytest.raises(MachineError) as caught:
        backend.infer(crop(256, 1))
    assert str(caught.value) == (
        f"{engines[1]}: cannot be run: enqueueV3: Error Code 1: Cask convolution\nhint: see: eatrack-edge doctor"
    )


@pytest.mark.usefixtures("fate")
def test_a_fault_on_the_device_is_explained_where_it_is_waited_for(device: SimulatedDevice, write: Write) -> None:
    backend = TensorRTBackend(*write())
    device.faults["cudaStreamSynchronize"] = 700
    with pytest.raises(MachineError, match=r"illegal address .*: cudaStreamSynchronize answers 700, .*\nhint: start a"):
        backend.infer(crop(256, 1))


@pytest.mark.usefixtures("fate")
def test_the_simulated_device_shows_a_missing_wait(
    monkeypatch: pytest.MonkeyPatch, device: SimulatedDevice, write: Write
) -> None:
    backend = TensorRTBackend(*write())
    before = backend.infer(crop(256, 1)).score_map.copy()
    monkeypatch.setattr(device, "synchronize", lambda _: None)
    np.testing.assert_array_equal(backend.infer(crop(256, 2)).score_map, before)
    monkeypatch.undo()
    device.synchronize(next(iter(device.streams)))
    assert not np.array_equal(backend._maps.score_map, before)


@pytest.mark.parametrize("package", ["cuda-python", "pycuda"])
def test_two_trackers_in_two_threads_do_not_disturb_each_other(
    monkeypatch: pytest.MonkeyPatch, package: str, write: Write, reference: OnnxRuntimeBackend
) -> None:
    device = simulated_cuda.install(monkeypatch, package)
    simulated_tensorrt.install(monkeypatch, device)
    engines = write()
    answers: dict[int, Any] = {}

    def track(seed: int) -> None:
        backend = TensorRTBackend(*engines)
        backend.encode_template(crop(128, seed), (0.5, 0.5), [0, 1])
        for _ in range(3):
            answers[seed] = backend.infer(crop(256, seed)).score_map.copy()

    threads = [threading.Thread(target=track, args=(seed,)) for seed in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for seed in (1, 2):
        reference.encode_template(crop(128, seed), (0.5, 0.5), [0, 1])
        np.testing.assert_allclose(answers[seed], reference.infer(crop(256, seed)).score_map, atol=1e-5)


def test_with_pycuda_a_tracker_stays_in_its_thread(monkeypatch: pytest.MonkeyPatch, write: Write) -> None:
    simulated_tensorrt.install(monkeypatch, simulated_cuda.install(monkeypatch, "pycuda"))
    backend = TensorRTBackend(*write())
    assert backend.note == "no CUDA graph: pycuda has no CUDA graphs"
    caught: list[UsageError] = []

    def update() -> None:
        try:
            backend.infer(crop(256, 1))
        except UsageError as error:
            caught.append(error)

    thread = threading.Thread(target=update)
    thread.start()
    thread.join()
    assert str(caught[0]).startswith("with pycuda a tracker works only in the thread that opened it\nhint: open it in")


@pytest.mark.usefixtures("fate")
def test_the_order_of_an_engines_tensors_does_not_matter(write: Write, boxes: list[Box]) -> None:
    backend = TensorRTBackend(*write(is_reversed=True))
    np.testing.assert_allclose(follow_the_scene(backend), boxes, atol=1e-3)


def test_without_tensorrt_nothing_is_opened(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "tensorrt", None)
    with pytest.raises(
        MissingExtra, match="cannot run an engine: tensorrt is not installed\nhint: on a Jetson: sudo a"
    ):
        TensorRTBackend(tmp_path / "m.template.engine", tmp_path / "m.track.engine")


@pytest.mark.usefixtures("fate")
def test_a_dropped_backend_gives_its_memory_back(device: SimulatedDevice, write: Write) -> None:
    backend = TensorRTBackend(*write())
    maps = backend.infer(crop(256, 1))
    assert len(device.memory) > 3
    del backend
    assert len(device.memory) == 1  # what the maps still look at
    assert np.isfinite(maps.score_map).all()
    del maps
    assert not device.memory
    assert not device.streams


@pytest.mark.usefixtures("fate")
def test_the_first_frame_finds_the_recorded_run_launched(device: SimulatedDevice, write: Write) -> None:
    TensorRTBackend(*write())
    assert device.calls.count("cudaGraphLaunch") == 1


@pytest.mark.usefixtures("fate")
def test_a_launch_is_timed_from_before_the_copy_in_milliseconds(monkeypatch: pytest.MonkeyPatch, write: Write) -> None:
    backend = TensorRTBackend(*write())
    monkeypatch.setattr(module, "perf_counter", iter([1.0, 1.25, 1.75]).__next__)
    backend.infer(crop(256, 1))
    assert backend.timing_ms.run == 750


@pytest.mark.usefixtures("fate")
def test_copies_are_timed_with_that_on_the_host_in_milliseconds(monkeypatch: pytest.MonkeyPatch, write: Write) -> None:
    backend = TensorRTBackend(*write(), cuda_graph=False)
    steps = {(0, 1): 1.0, (1, 2): 20.0, (2, 3): 3.0}
    monkeypatch.setattr(backend._memory, "between_ms", lambda first, second: steps[first, second], raising=False)
    monkeypatch.setattr(module, "perf_counter", iter([1.0, 1.25]).__next__)
    backend.infer(crop(256, 1))
    assert backend.timing_ms == (251, 20, 3)


@pytest.mark.usefixtures("fate")
def test_closing_frees_all_and_may_be_repeated(device: SimulatedDevice, write: Write) -> None:
    backend = TensorRTBackend(*write())
    backend.close()
    backend.close()
    assert not device.memory
    assert not device.streams
    assert vars(backend).keys() == {"model_spec", "timing_ms", "note", "name"}


@pytest.mark.usefixtures("fate")
@pytest.mark.parametrize("is_named", [True, False])
def test_engines_are_opened_by_their_name_or_as_those_of_a_model(
    monkeypatch: pytest.MonkeyPatch, write: Write, is_named: bool
) -> None:
    engines = write()
    built = {find_graphs(DEFAULT_MODEL)[1]: engines}
    monkeypatch.setattr(module, "built_engines", built.__getitem__)
    backend = open_backend(engines[1] if is_named else DEFAULT_MODEL, threads=1)
    assert backend.name == "tensorrt (Orin, fp32, CUDA graph)"


def test_without_tensorrt_no_engine_is_looked_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "tensorrt", None)
    with pytest.raises(MissingExtra, match="cannot run an engine: tensorrt is not installed"):
        open_backend(tmp_path / "missing", threads=1)


@pytest.mark.usefixtures("fate")
def test_the_model_spec_comes_from_the_manifest(write: Write, reference: OnnxRuntimeBackend) -> None:
    engines = write()
    backend = TensorRTBackend(*engines)
    assert backend.model_spec == reference.model_spec
    assert backend.model_spec.to_metadata() == read_manifest(engines[1]).model_spec
