from __future__ import annotations

import gc
import os
import subprocess
import sys
from contextlib import suppress
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from eatrack_edge.core.errors import MachineError
from eatrack_edge.inference.tensorrt.cuda_python_memory import CudaPythonMemory
from inference import simulated_cuda
from inference.simulated_cuda import SimulatedCudart, SimulatedDevice


@pytest.fixture
def device(monkeypatch: pytest.MonkeyPatch) -> SimulatedDevice:
    return simulated_cuda.install(monkeypatch, "cuda-python")


@pytest.fixture
def genuine() -> Any:
    if not find_spec("cuda"):
        pytest.skip("cuda-python is not installed")
    return import_module("cuda.bindings.runtime")


def test_a_recording_runs_when_it_is_launched_as_often_as_it_is_launched(device: SimulatedDevice) -> None:
    memory = CudaPythonMemory()
    host, address = memory.pinned(16), memory.allocate(16)
    launch = memory.capture(lambda: memory.copy_out(host, address))
    memory.synchronize()
    assert not host.any()
    for _ in range(2):
        host[:] = 0
        launch()
        memory.synchronize()
        assert (host == 0xFF).all()
    assert not device.recordings


def test_a_recording_that_fails_leaves_the_stream_as_it_was(device: SimulatedDevice) -> None:
    memory = CudaPythonMemory()
    host, address = memory.pinned(16), memory.allocate(16)

    def work() -> None:
        memory.copy_out(host, address)
        raise MachineError("it cannot be recorded")

    with pytest.raises(MachineError, match="it cannot be recorded"):
        memory.capture(work)
    assert device.calls[-2:] == ["cudaStreamEndCapture", "cudaGetLastError"]
    memory.copy_out(host, address)
    memory.synchronize()
    assert host.all()


@pytest.mark.parametrize("fails", [False, True])
def test_the_calling_thread_keeps_its_own_device(device: SimulatedDevice, fails: bool) -> None:
    device.index = 1
    memory = CudaPythonMemory()
    assert device.index == 1
    with suppress(RuntimeError), memory.current():
        assert device.index == 0
        if fails:
            raise RuntimeError
    assert device.index == 1


def test_all_is_given_back_graphs_before_their_stream(device: SimulatedDevice) -> None:
    memory = CudaPythonMemory()
    memory.allocate(16)
    memory.mark(0)
    memory.capture(lambda: None)
    device.calls.clear()
    del memory
    gc.collect()
    assert device.calls == [
        "cudaGraphExecDestroy", "cudaGraphDestroy", "cudaStreamDestroy", "cudaFree", "cudaEventDestroy",
    ]  # fmt: skip


def test_at_the_end_of_the_process_the_driver_gives_back_by_itself() -> None:
    program = """
import atexit, pytest
from inference import simulated_cuda
from eatrack_edge.inference.tensorrt.cuda_python_memory import CudaPythonMemory

device = simulated_cuda.install(pytest.MonkeyPatch(), "cuda-python")
atexit.register(lambda: print(device.calls))  # last, for it is registered first
memory = CudaPythonMemory()
view = memory.pinned(16)
device.calls.clear()
"""
    path = [str(Path(__file__).parents[2]), *sys.path]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path)}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment, check=True)
    assert done.stdout == "[]\n"


def test_pinned_memory_lives_as_long_as_a_view_of_it(device: SimulatedDevice) -> None:
    memory = CudaPythonMemory()
    view = memory.pinned(16)[4:8]
    del memory
    gc.collect()
    assert len(device.memory) == 1
    view[:] = 1
    del view
    gc.collect()
    assert not device.memory


def test_what_is_simulated_is_in_the_genuine_package(genuine: Any) -> None:
    names = [name for name in vars(SimulatedCudart) if name.startswith("cuda")]
    assert len(names) > 15
    assert [name for name in names if not hasattr(genuine, name)] == []
    for kind in (SimulatedCudart.cudaMemcpyKind, SimulatedCudart.cudaStreamCaptureMode):
        for member in kind:
            assert int(getattr(getattr(genuine, kind.__name__), member.name)) == member.value


def test_without_a_driver_the_genuine_package_says_so(genuine: Any) -> None:
    if genuine.cudaGetDeviceCount()[0] == 0:
        pytest.skip("there is a driver")
    with pytest.raises(MachineError) as caught:
        CudaPythonMemory()
    assert caught.value.message == (
        "there is no NVIDIA driver, or it is older than the CUDA that was asked for: "
        "cudaGetDevice answers 35, cudaErrorInsufficientDriver"
    )
    assert caught.value.hint.startswith("on a PC install NVIDIA's driver, or the cuda-python of its CUDA; ")
