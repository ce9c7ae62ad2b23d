"""Both adapters, on the simulated device."""

from __future__ import annotations

import sys
from types import SimpleNamespace

import numpy as np
import pytest

from eatrack_edge.core.errors import MachineError, MissingExtra, UsageError
from eatrack_edge.inference.tensorrt.cuda_memory import CudaMemory, fault, open_memory
from inference import simulated_cuda
from inference.simulated_cuda import SimulatedDevice


@pytest.fixture(params=["cuda-python", "pycuda"])
def package(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


@pytest.fixture
def device(monkeypatch: pytest.MonkeyPatch, package: str) -> SimulatedDevice:
    return simulated_cuda.install(monkeypatch, package)


@pytest.fixture
def memory(device: SimulatedDevice, package: str) -> CudaMemory:
    assert not device.calls
    return open_memory(package)


def test_what_goes_in_comes_out_after_the_wait_and_not_before(memory: CudaMemory) -> None:
    with memory.current():
        there, back = memory.pinned(1024), memory.pinned(1024)
        address = memory.allocate(1024)
        there[:] = np.arange(1024) % 251
        memory.copy_in(address, there)
        memory.copy_out(back, address)
        assert not back.any()
        memory.synchronize()
    np.testing.assert_array_equal(back, there)


def test_time_stamps_are_taken_where_the_stream_gets_to(memory: CudaMemory) -> None:
    with memory.current():
        host, address = memory.pinned(1 << 20), memory.allocate(1 << 20)
        memory.mark(0)
        memory.copy_in(address, host)
        memory.mark(1)
        memory.synchronize()
        assert memory.between_ms(0, 1) > 0


def test_auto_takes_whichever_is_installed(device: SimulatedDevice, package: str) -> None:
    memory = open_memory()
    assert memory.name == package
    assert list(device.streams) == [memory.stream]


def test_an_unknown_package_is_refused() -> None:
    with pytest.raises(
        UsageError, match="no CUDA package called `cupy`\nhint: known packages: auto, cuda-python, pycu"
    ):
        open_memory("cupy")


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ("auto", "cannot reach the GPU: neither cuda-python nor pycuda is installed"),
        ("cuda-python", "cannot reach the GPU: cuda-python is not installed"),
        ("pycuda", "cannot reach the GPU: pycuda is not installed"),
    ],
)
def test_without_a_package_the_hint_says_which_to_install(
    monkeypatch: pytest.MonkeyPatch, asked: str, message: str
) -> None:
    for name in ("cuda", "cuda.bindings", "cuda.bindings.runtime", "cuda.cudart", "pycuda", "pycuda.driver"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(MissingExtra) as caught:
        open_memory(asked)
    assert str(caught.value) == (f"{message}\nhint: pip install cuda-python; or pycuda, which is built from source")


def test_before_12_6_1_cuda_python_had_another_name(monkeypatch: pytest.MonkeyPatch) -> None:
    device = simulated_cuda.install(monkeypatch, "cuda-python")
    monkeypatch.setitem(sys.modules, "cuda.cudart", sys.modules["cuda.bindings.runtime"])
    for name in ("cuda.bindings", "cuda.bindings.runtime"):
        monkeypatch.setitem(sys.modules, name, None)
    memory = open_memory("cuda-python")
    assert list(device.streams) == [memory.stream]


def test_there_the_missing_driver_was_an_exception(monkeypatch: pytest.MonkeyPatch) -> None:
    def without_driver() -> None:
        raise RuntimeError("Failed to dlopen libcuda.so.1")

    simulated_cuda.install(monkeypatch, "cuda-python")
    monkeypatch.setitem(sys.modules, "cuda.bindings.runtime", SimpleNamespace(cudaGetDevice=without_driver))
    with pytest.raises(
        MachineError, match=r"^there is no NVIDIA driver, .*: cudaGetDevice answers 35, Failed to dlopen"
    ):
        open_memory("cuda-python")


@pytest.mark.parametrize(
    ("code", "meaning", "hint"),
    [
        (2, "the GPU has no memory left: ", "close what else uses it"),
        (
            35,
            "there is no NVIDIA driver, or it is older than the CUDA that was asked for: ",
            "on a PC install NVIDIA's",
        ),
        (100, "no NVIDIA GPU answers: ", "on a PC install NVIDIA's driver"),
        (209, "this GPU is not among those that the code was built for: ", "build the engine again"),
        (700, "the GPU met an illegal address and cannot go on in this process: ", "start again; if it happens again"),
        (719, "the GPU stopped with a fault and cannot go on in this process: ", "start again; if it happens again"),
        (999, "", "see: eatrack-edge doctor"),
    ],
)
def test_cudas_numbers_are_put_in_words(code: int, meaning: str, hint: str) -> None:
    error = fault("cudaMalloc", code, "cudaErrorOfSomeKind")
    assert error.message == f"{meaning}cudaMalloc answers {code}, cudaErrorOfSomeKind"
    assert error.hint.startswith(hint)


def test_free_memory_is_what_nobody_holds(memory: CudaMemory, device: SimulatedDevice) -> None:
    with memory.current():
        before = memory.free_bytes()
        assert 0 < before < device.size_bytes + 1
        memory.allocate(1 << 20)
        assert before - memory.free_bytes() >= 1 << 20


def test_every_allocation_has_an_address_of_its_own(memory: CudaMemory, device: SimulatedDevice) -> None:
    with memory.current():
        addresses = [memory.allocate(1000) for _ in range(3)]
    assert addresses == list(device.memory)[-3:]
    assert len(set(addresses)) == 3
