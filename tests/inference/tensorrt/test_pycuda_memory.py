"""pycuda's rules of threads and contexts, on a simulated driver that keeps them and records what it is asked."""

from __future__ import annotations

import sys
import threading
from typing import Any

import pytest

from eatrack_edge.core.errors import EATrackError, MachineError, UsageError
from eatrack_edge.inference.tensorrt.pycuda_memory import PyCudaMemory
from inference import simulated_cuda
from inference.simulated_cuda import SimulatedDevice


@pytest.fixture
def device(monkeypatch: pytest.MonkeyPatch) -> SimulatedDevice:
    return simulated_cuda.install(monkeypatch, "pycuda")


def in_another_thread(work: Any) -> list[EATrackError]:
    caught: list[EATrackError] = []

    def run() -> None:
        try:
            work()
        except EATrackError as error:
            caught.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return caught


def test_the_primary_context_is_retained_and_none_is_made(device: SimulatedDevice) -> None:
    PyCudaMemory()
    assert device.calls == ["init", "retain_primary_context", "push", "Stream", "pop"]


def test_every_push_is_popped_also_where_the_work_fails(device: SimulatedDevice) -> None:
    memory = PyCudaMemory()
    device.faults["mem_alloc"] = "cuMemAlloc failed: out of memory"
    with pytest.raises(MachineError) as caught, memory.current():
        memory.allocate(16)
    assert caught.value.message == "the GPU has no memory left: cuMemAlloc answers 2, out of memory"
    assert device.calls.count("push") == device.calls.count("pop") == 2
    assert device.calls[-1] == "pop"


def test_work_without_the_context_would_be_noticed() -> None:
    device = SimulatedDevice()
    with pytest.raises(AssertionError, match="mem_alloc without a current context"):
        simulated_cuda.SimulatedPycuda(device).mem_alloc(16)


@pytest.mark.usefixtures("device")
def test_another_thread_is_refused_before_it_touches_the_context(device: SimulatedDevice) -> None:
    memory = PyCudaMemory()
    device.calls.clear()

    def work() -> None:
        with memory.current():
            memory.allocate(16)

    (error,) = in_another_thread(work)
    assert isinstance(error, UsageError)
    assert str(error) == (
        "with pycuda a tracker works only in the thread that opened it\n"
        "hint: open it in the thread that updates it, or pip install cuda-python, which has no such rule"
    )
    assert not device.calls


@pytest.mark.usefixtures("device")
def test_each_thread_may_open_its_own() -> None:
    def work() -> None:
        memory = PyCudaMemory()
        with memory.current():
            memory.allocate(16)
            memory.synchronize()

    assert in_another_thread(work) == in_another_thread(work) == []


@pytest.mark.usefixtures("device")
def test_a_frame_cannot_be_recorded() -> None:
    memory = PyCudaMemory()
    with (
        memory.current(),
        pytest.raises(MachineError, match="pycuda has no CUDA graphs\nhint: pip install cuda-python"),
    ):
        memory.capture(lambda: None)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        pytest.param(
            "cuInit failed: no CUDA-capable device is detected",
            "no NVIDIA GPU answers: cuInit answers 100, no CUDA-capable device is detected",
            id="no device",
        ),
        pytest.param("not initialised", "cuInit answers 999, not initialised", id="in other words"),
    ],
)
def test_pycudas_words_are_explained(device: SimulatedDevice, text: str, message: str) -> None:
    device.faults["init"] = text
    with pytest.raises(MachineError) as caught:
        PyCudaMemory()
    assert caught.value.message == message


@pytest.mark.usefixtures("device")
def test_pycuda_without_a_driver_is_told_from_no_pycuda(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pycuda.driver", None)
    with pytest.raises(MachineError, match=r"^there is no NVIDIA driver, .*: import pycuda\.driver answers 35, "):
        PyCudaMemory()
