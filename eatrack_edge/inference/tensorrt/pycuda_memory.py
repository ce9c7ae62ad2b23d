"""CUDA by pycuda, for boards that have it and not cuda-python."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from eatrack_edge.core.errors import MachineError, MissingExtra, UsageError
from eatrack_edge.core.imports import require
from eatrack_edge.inference.tensorrt.cuda_memory import INSTALL, Bytes, fault

# pycuda gives CUDA's text and not its number.
_CODES = {"out of memory": 2, "no CUDA-capable device": 100, "illegal": 700, "launch fail": 719}


class PyCudaMemory:
    """The driver API of the first device, in its primary context.

    pycuda ties all it makes to the thread in which the context was retained, and gives memory back only there. So
    one thread opens this object, uses it and drops it; each use pushes the context and pops it again.

    Raises:
        MissingExtra: pycuda is not installed.
        MachineError: There is no driver or no device.
    """

    name = "pycuda"

    def __init__(self) -> None:
        self._driver = _import()
        self._thread = threading.get_ident()
        with self._explained("cuInit"):
            self._driver.init()
            self._context = self._driver.Device(0).retain_primary_context()
        with self.current():
            self._stream = self._driver.Stream()
        self.stream = int(self._stream.handle)
        self._allocations: list[Any] = []  # pycuda frees what nobody holds
        self._events: dict[int, Any] = {}

    @contextmanager
    def current(self) -> Iterator[None]:
        """Push the primary context, and pop it again.

        Raises:
            UsageError: Called in another thread than the one that opened this object.
        """
        if threading.get_ident() != self._thread:
            raise UsageError(
                "with pycuda a tracker works only in the thread that opened it",
                hint="open it in the thread that updates it, or pip install cuda-python, which has no such rule",
            )
        with self._explained("pycuda"):
            self._context.push()
            try:
                yield
            finally:
                self._driver.Context.pop()

    def pinned(self, size_bytes: int) -> Bytes:
        """Page-locked host memory, zeroed."""
        memory: Bytes = self._driver.pagelocked_zeros(size_bytes, np.uint8)
        return memory

    def allocate(self, size_bytes: int) -> int:
        """Address of new device memory."""
        self._allocations.append(self._driver.mem_alloc(size_bytes))
        return int(self._allocations[-1])

    def free_bytes(self) -> int:
        """Device memory that nobody holds."""
        free, _total = self._driver.mem_get_info()
        return int(free)

    def copy_in(self, address: int, host: Bytes) -> None:
        """Queue a copy to the device."""
        self._driver.memcpy_htod_async(address, host, self._stream)

    def copy_out(self, host: Bytes, address: int) -> None:
        """Queue a copy from the device."""
        self._driver.memcpy_dtoh_async(host, address, self._stream)

    def mark(self, index: int) -> None:
        """Queue a time stamp."""
        if index not in self._events:
            self._events[index] = self._driver.Event()
        self._events[index].record(self._stream)

    def between_ms(self, first: int, second: int) -> float:
        """Milliseconds between two time stamps."""
        return float(self._events[first].time_till(self._events[second]))

    def capture(self, work: Callable[[], None]) -> Callable[[], None]:  # noqa: ARG002
        """Not possible: pycuda has no CUDA graphs.

        Raises:
            MachineError: Always.
        """
        raise MachineError("pycuda has no CUDA graphs", hint="pip install cuda-python")

    def synchronize(self) -> None:
        """Wait for all that was queued."""
        self._stream.synchronize()

    @contextmanager
    def _explained(self, call: str) -> Iterator[None]:
        try:
            yield
        except self._driver.Error as error:
            text = str(error)  # "cuMemAlloc failed: out of memory"
            function, _, reason = text.partition(" failed: ")
            code = next((code for part, code in _CODES.items() if part in text), 999)
            raise fault(function if reason else call, code, reason or text) from error


def _import() -> Any:
    try:
        require("pycuda", to="reach the GPU")
    except MissingExtra as error:
        raise MissingExtra(error.message, hint=INSTALL) from None
    try:
        return require("pycuda.driver", to="reach the GPU")
    except MissingExtra as error:  # it is installed: what it cannot load is the driver's library
        raise fault("import pycuda.driver", 35, str(error.__cause__)) from error
