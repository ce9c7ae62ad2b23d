"""CUDA by NVIDIA's own package, cuda-python."""

from __future__ import annotations

import ctypes
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any

import numpy as np

from eatrack_edge.core.errors import MachineError, MissingExtra
from eatrack_edge.core.imports import require
from eatrack_edge.inference.tensorrt.cuda_memory import INSTALL, Bytes, fault

_MODULES = ("cuda.bindings.runtime", "cuda.cudart")  # since 12.6.1, and before
_NON_BLOCKING = 1  # cudaStreamNonBlocking: the legacy stream, where others may work, does not wait for ours
_DEVICE = 0
_PORTABLE = 1  # cudaHostAllocPortable


class CudaPythonMemory:
    """The runtime API of the first device, which may be used from any thread, by one at a time.

    Raises:
        MissingExtra: cuda-python is not installed.
        MachineError: There is no driver or no device.
    """

    name = "cuda-python"

    def __init__(self) -> None:
        self._cuda = _import()
        with self.current():
            self._stream = self._call("cudaStreamCreateWithFlags", _NON_BLOCKING)
        self.stream = int(self._stream)
        self._events: dict[int, Any] = {}
        # What is to be given back, in this order; at the end of the process the driver does it by itself.
        self._owned: list[tuple[str, Any]] = [("cudaStreamDestroy", self._stream)]
        weakref.finalize(self, _release, self._cuda, self._owned).atexit = False

    @contextmanager
    def current(self) -> Iterator[None]:
        """Make the device the calling thread's, and give it back its own; the runtime API keeps one for each."""
        before = self._call("cudaGetDevice")
        self._call("cudaSetDevice", _DEVICE)  # also where it is the same: another library's context may be current
        try:
            yield
        finally:
            if before != _DEVICE:
                self._call("cudaSetDevice", before)

    def pinned(self, size_bytes: int) -> Bytes:
        """Page-locked host memory, zeroed; freed with the last view of it."""
        address = int(self._call("cudaHostAlloc", size_bytes, _PORTABLE))
        memory = (ctypes.c_uint8 * size_bytes).from_address(address)
        weakref.finalize(memory, self._cuda.cudaFreeHost, address).atexit = False
        ctypes.memset(address, 0, size_bytes)
        return np.ctypeslib.as_array(memory)

    def allocate(self, size_bytes: int) -> int:
        """Address of new device memory."""
        address = self._call("cudaMalloc", size_bytes)
        self._owned.append(("cudaFree", address))
        return int(address)

    def free_bytes(self) -> int:
        """Device memory that nobody holds."""
        return int(self._call("cudaMemGetInfo"))  # the first of free and total

    def copy_in(self, address: int, host: Bytes) -> None:
        """Queue a copy to the device."""
        self._copy(address, host.ctypes.data, host.nbytes, "cudaMemcpyHostToDevice")

    def copy_out(self, host: Bytes, address: int) -> None:
        """Queue a copy from the device."""
        self._copy(host.ctypes.data, address, host.nbytes, "cudaMemcpyDeviceToHost")

    def mark(self, index: int) -> None:
        """Queue a time stamp."""
        if index not in self._events:
            self._events[index] = self._call("cudaEventCreate")
            self._owned.append(("cudaEventDestroy", self._events[index]))
        self._call("cudaEventRecord", self._events[index], self._stream)

    def between_ms(self, first: int, second: int) -> float:
        """Milliseconds between two time stamps."""
        return float(self._call("cudaEventElapsedTime", self._events[first], self._events[second]))

    def capture(self, work: Callable[[], None]) -> Callable[[], None]:
        """Record what ``work`` queues; see ``CudaMemory.capture``."""
        # Of this thread only: others may allocate meanwhile, which the global mode would forbid them.
        self._call("cudaStreamBeginCapture", self._stream, self._cuda.cudaStreamCaptureMode(1))
        try:
            work()
        except BaseException:
            self._cuda.cudaStreamEndCapture(self._stream)
            self._cuda.cudaGetLastError()  # or the next call would report the capture's fault as its own
            raise
        try:
            graph = self._call("cudaStreamEndCapture", self._stream)
        except MachineError:
            self._cuda.cudaGetLastError()
            raise
        self._owned.insert(0, ("cudaGraphDestroy", graph))
        executable = self._call("cudaGraphInstantiate", graph, 0)
        self._owned.insert(0, ("cudaGraphExecDestroy", executable))
        return partial(self._call, "cudaGraphLaunch", executable, self._stream)

    def synchronize(self) -> None:
        """Wait for all that was queued."""
        self._call("cudaStreamSynchronize", self._stream)

    def _copy(self, target: int, source: int, size_bytes: int, kind: str) -> None:
        direction = getattr(self._cuda.cudaMemcpyKind, kind)
        self._call("cudaMemcpyAsync", target, source, size_bytes, direction, self._stream)

    def _call(self, function: str, *arguments: Any) -> Any:
        try:
            status, *values = getattr(self._cuda, function)(*arguments)
        except RuntimeError as error:  # cuda-python before 12.6.1, where there is no driver
            raise fault(function, 35, str(error)) from error
        if int(status):
            raise fault(function, int(status), status.name)
        return values[0] if values else None


def _import() -> Any:
    for module in _MODULES:
        with suppress(MissingExtra):
            return require(module, to="reach the GPU")
    raise MissingExtra("cannot reach the GPU: cuda-python is not installed", hint=INSTALL)


def _release(cuda: Any, owned: list[tuple[str, Any]]) -> None:
    for function, handle in owned:
        getattr(cuda, function)(handle)
