"""A simulated CUDA device in host memory, behind the two packages that speak to a real one.

Nothing that is queued happens before the stream is synchronised, and device memory starts as not-a-number, so a
forgotten copy or a missing wait is seen in the answer.
"""

from __future__ import annotations

import ctypes
import sys
import threading
from collections import defaultdict
from collections.abc import Callable
from enum import IntEnum
from time import perf_counter
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

Work = Callable[[], Any]


class SimulatedDevice:
    """Memory and streams. ``faults`` makes a function of either package answer with an error."""

    size_bytes = 2**33  # of its memory, pinned host memory counted in

    def __init__(self) -> None:
        self.faults: dict[str, Any] = {}
        self.calls: list[str] = []
        self.index = 0  # of the device that is the thread's
        self.memory: dict[int, Any] = {}  # address to buffer, of the device and of pinned host memory
        self.streams: dict[int, list[Work]] = {}
        self.recordings: dict[int, list[Work]] = {}

    def allocate(self, size_bytes: int) -> int:
        # Where CUDA aligns to 256 bytes numpy does to 16: the difference is kept free.
        buffer = np.full(size_bytes + 256, 0xFF, np.uint8)
        address = -(-buffer.ctypes.data // 256) * 256
        self.memory[address] = buffer
        return address

    def free(self, address: int) -> None:
        del self.memory[address]

    def memory_info(self) -> tuple[int, int]:
        return self.size_bytes - sum(len(buffer) for buffer in self.memory.values()), self.size_bytes

    def open_stream(self) -> int:
        handle = 0x5EED00 + len(self.streams)
        self.streams[handle] = []
        return handle

    def queue(self, stream: int, work: Work) -> None:
        self.recordings.get(stream, self.streams[stream]).append(work)

    def copy(self, stream: int, target: int, source: int, size_bytes: int) -> None:
        for address in (target, source):
            assert self.holds(address, size_bytes), "a copy to or from memory that is neither the device's nor pinned"
        self.queue(stream, lambda: ctypes.memmove(target, source, size_bytes))

    def holds(self, address: int, size_bytes: int) -> bool:
        return any(start <= address and address + size_bytes <= start + len(buffer) - 255 for start, buffer in self.memory.items())  # fmt: skip

    def synchronize(self, stream: int) -> None:
        for work in self.streams[stream]:
            work()
        self.streams[stream].clear()


class Status(IntEnum):
    """Of ``cudaError_t``."""

    cudaSuccess = 0  # noqa: N815
    cudaErrorMemoryAllocation = 2  # noqa: N815
    cudaErrorInsufficientDriver = 35  # noqa: N815
    cudaErrorNoDevice = 100  # noqa: N815
    cudaErrorIllegalAddress = 700  # noqa: N815
    cudaErrorStreamCaptureInvalidated = 901  # noqa: N815


class SimulatedCudart:
    """What the adapter uses of ``cuda.bindings.runtime``: each function gives a status, then its values."""

    cudaMemcpyKind = IntEnum("cudaMemcpyKind", "cudaMemcpyHostToDevice cudaMemcpyDeviceToHost")  # noqa: N815
    cudaStreamCaptureMode = IntEnum("cudaStreamCaptureMode", {"cudaStreamCaptureModeThreadLocal": 1})  # noqa: N815

    def __init__(self, device: SimulatedDevice) -> None:
        self._device = device

    def __getattribute__(self, name: str) -> Any:
        value = object.__getattribute__(self, name)
        if not name.startswith("cuda") or not callable(value) or isinstance(value, type):
            return value
        device = self._device

        def call(*arguments: Any) -> tuple[Any, ...]:
            device.calls.append(name)
            code = Status(device.faults.get(name, 0))
            # A capture ends also where its end is an error; nothing else that fails does anything.
            result = value(*arguments) if not code or name == "cudaStreamEndCapture" else None
            if code:
                return code, None
            return (code,) if result is None else (code, *result) if isinstance(result, tuple) else (code, result)

        return call

    def cudaGetDevice(self) -> int:  # noqa: N802
        return self._device.index

    def cudaSetDevice(self, index: int) -> None:  # noqa: N802
        self._device.index = index

    def cudaStreamCreateWithFlags(self, flags: int) -> int:  # noqa: N802
        assert flags == 1
        return self._device.open_stream()

    def cudaStreamDestroy(self, stream: int) -> None:  # noqa: N802
        del self._device.streams[stream]

    def cudaStreamSynchronize(self, stream: int) -> None:  # noqa: N802
        self._device.synchronize(stream)

    def cudaHostAlloc(self, size_bytes: int, flags: int) -> int:  # noqa: N802
        assert flags == 1
        return self._device.allocate(size_bytes)

    def cudaFreeHost(self, address: int) -> None:  # noqa: N802
        self._device.free(address)

    def cudaMalloc(self, size_bytes: int) -> int:  # noqa: N802
        return self._device.allocate(size_bytes)

    def cudaFree(self, address: int) -> None:  # noqa: N802
        self._device.free(address)

    def cudaMemGetInfo(self) -> tuple[int, int]:  # noqa: N802
        return self._device.memory_info()

    def cudaMemcpyAsync(self, target: int, source: int, size_bytes: int, kind: Any, stream: int) -> None:  # noqa: N802
        assert isinstance(kind, self.cudaMemcpyKind)
        self._device.copy(stream, target, source, size_bytes)

    def cudaEventCreate(self) -> Any:  # noqa: N802
        return SimpleNamespace(time=None)

    def cudaEventRecord(self, event: Any, stream: int) -> None:  # noqa: N802
        assert stream not in self._device.recordings, "a time stamp of a recorded run cannot be read"
        self._device.queue(stream, lambda: setattr(event, "time", perf_counter()))

    def cudaEventElapsedTime(self, first: Any, second: Any) -> float:  # noqa: N802
        return 1000 * float(second.time - first.time)

    def cudaEventDestroy(self, event: Any) -> None:  # noqa: N802
        event.time = None

    def cudaStreamBeginCapture(self, stream: int, mode: Any) -> None:  # noqa: N802
        assert mode == self.cudaStreamCaptureMode.cudaStreamCaptureModeThreadLocal
        self._device.recordings[stream] = []

    def cudaStreamEndCapture(self, stream: int) -> list[Work]:  # noqa: N802
        return self._device.recordings.pop(stream)

    def cudaGraphInstantiate(self, graph: list[Work], flags: int) -> list[Work]:  # noqa: N802
        assert flags == 0
        return list(graph)

    def cudaGraphLaunch(self, graph: list[Work], stream: int) -> None:  # noqa: N802
        for work in graph:
            self._device.queue(stream, work)

    def cudaGraphExecDestroy(self, graph: list[Work]) -> None:  # noqa: N802
        graph.clear()

    def cudaGraphDestroy(self, graph: list[Work]) -> None:  # noqa: N802
        graph.clear()

    def cudaGetLastError(self) -> None:  # noqa: N802
        pass


class SimulatedPycuda:
    """What the adapter uses of ``pycuda.driver``. Like it, this refuses all work without a context of this thread."""

    class Error(Exception):
        pass

    def __init__(self, device: SimulatedDevice) -> None:
        self._device = device
        self.stacks: dict[int, list[Any]] = defaultdict(list)  # thread to its contexts, in the order of the pushes
        self.Context = SimpleNamespace(pop=self._pop)

    def init(self) -> None:
        self._called("init", needs_context=False)

    def Device(self, index: int) -> Any:  # noqa: N802
        assert index == 0
        return SimpleNamespace(retain_primary_context=self._retain)

    def Stream(self) -> Any:  # noqa: N802
        self._called("Stream")
        handle = self._device.open_stream()
        return SimpleNamespace(handle=handle, synchronize=lambda: self._synchronize(handle))

    def Event(self) -> Any:  # noqa: N802
        self._called("Event")
        event = SimpleNamespace(time=0.0)
        event.record = lambda stream: self._device.queue(stream.handle, lambda: setattr(event, "time", perf_counter()))
        event.time_till = lambda other: 1000 * (other.time - event.time)
        return event

    def mem_alloc(self, size_bytes: int) -> int:
        self._called("mem_alloc")
        return self._device.allocate(size_bytes)

    def mem_get_info(self) -> tuple[int, int]:
        self._called("mem_get_info")
        return self._device.memory_info()

    def pagelocked_zeros(self, size_bytes: int, dtype: Any) -> Any:
        self._called("pagelocked_zeros")
        address = self._device.allocate(size_bytes)
        ctypes.memset(address, 0, size_bytes)
        return np.ctypeslib.as_array((ctypes.c_uint8 * size_bytes).from_address(address)).view(dtype)

    def memcpy_htod_async(self, target: int, source: Any, stream: Any) -> None:
        self._called("memcpy_htod_async")
        self._device.copy(stream.handle, target, source.ctypes.data, source.nbytes)

    def memcpy_dtoh_async(self, target: Any, source: int, stream: Any) -> None:
        self._called("memcpy_dtoh_async")
        self._device.copy(stream.handle, target.ctypes.data, source, target.nbytes)

    def _synchronize(self, handle: int) -> None:
        self._called("synchronize")
        self._device.synchronize(handle)

    def _retain(self) -> Any:
        self._called("retain_primary_context", needs_context=False)
        thread = threading.get_ident()
        return SimpleNamespace(push=lambda: self._push(thread))

    def _push(self, thread: int) -> None:
        assert thread == threading.get_ident(), "pycuda: cannot activate out-of-thread context"
        self._device.calls.append("push")
        self.stacks[thread].append("primary")

    def _pop(self) -> None:
        self._device.calls.append("pop")
        self.stacks[threading.get_ident()].pop()

    def _called(self, name: str, *, needs_context: bool = True) -> None:
        self._device.calls.append(name)
        if needs_context:
            assert self.stacks[threading.get_ident()], f"pycuda: {name} without a current context"
        if name in self._device.faults:
            raise self.Error(self._device.faults[name])


def install(monkeypatch: pytest.MonkeyPatch, package: str) -> SimulatedDevice:
    """Let ``package`` be installed and speak to a simulated device, and the other one not be there at all."""
    device = SimulatedDevice()
    cudart, pycuda = SimulatedCudart(device), SimulatedPycuda(device)
    modules = {
        "cuda-python": {"cuda": SimpleNamespace(), "cuda.bindings": SimpleNamespace(), "cuda.bindings.runtime": cudart},
        "pycuda": {"pycuda": SimpleNamespace(), "pycuda.driver": pycuda},
    }
    for name in ("cuda", "cuda.bindings", "cuda.bindings.runtime", "cuda.cudart", "pycuda", "pycuda.driver"):
        monkeypatch.setitem(sys.modules, name, modules[package].get(name))
    return device
