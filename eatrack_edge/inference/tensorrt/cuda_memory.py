"""The few CUDA calls that a backend needs, behind one protocol: one device, one stream, memory at both ends of it.

Two packages offer them to Python. Neither adapter makes a context: both use the device's primary one, which TensorRT,
ONNX Runtime and torch share, so they can run in one process.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from eatrack_edge.core.errors import MachineError, MissingExtra, UsageError, did_you_mean

Bytes = NDArray[np.uint8]
INSTALL = "pip install cuda-python; or pycuda, which is built from source"
_DRIVER = (
    "on a PC install NVIDIA's driver, or the cuda-python of its CUDA; start a container with --runtime nvidia; "
    "see: eatrack-edge doctor"
)
_BROKEN = "start again; if it happens again, build the engine again on this machine: eatrack-edge build"
# Codes that have a next step. Both APIs number these alike.
_FAULTS = {
    2: ("the GPU has no memory left", "close what else uses it; on a Jetson the desktop does: sudo init 3"),
    35: ("there is no NVIDIA driver, or it is older than the CUDA that was asked for", _DRIVER),
    100: ("no NVIDIA GPU answers", _DRIVER),
    209: ("this GPU is not among those that the code was built for", "build the engine again: eatrack-edge build"),
    700: ("the GPU met an illegal address and cannot go on in this process", _BROKEN),
    719: ("the GPU stopped with a fault and cannot go on in this process", _BROKEN),
}


class CudaMemory(Protocol):
    """One device with one stream. Whatever is queued runs in the order of the calls, some time before ``synchronize``.

    Everything but ``current`` is called inside ``with memory.current()``.
    """

    name: str
    """The package behind it."""
    stream: int
    """The stream's handle."""

    def current(self) -> AbstractContextManager[None]:
        """Make the device the calling thread's for a while, and leave the thread as it was."""
        ...

    def pinned(self, size_bytes: int) -> Bytes:
        """Page-locked host memory, zeroed, that the device copies to and from by itself; freed with its last view."""
        ...

    def allocate(self, size_bytes: int) -> int:
        """Address of new device memory, aligned to 256 bytes; it lives as long as this object."""
        ...

    def free_bytes(self) -> int:
        """Device memory that nobody holds, other processes included."""
        ...

    def copy_in(self, address: int, host: Bytes) -> None:
        """Queue a copy to the device."""
        ...

    def copy_out(self, host: Bytes, address: int) -> None:
        """Queue a copy from the device."""
        ...

    def mark(self, index: int) -> None:
        """Queue a time stamp, one of a few that are used again and again."""
        ...

    def between_ms(self, first: int, second: int) -> float:
        """Milliseconds from one time stamp to another, both of them passed."""
        ...

    def capture(self, work: Callable[[], None]) -> Callable[[], None]:
        """Record what ``work`` queues instead of running it; the function returned queues all of it in one call.

        Raises:
            MachineError: It cannot be recorded. What was queued is lost, and the stream is as before.
        """
        ...

    def synchronize(self) -> None:
        """Wait for all that was queued.

        Raises:
            MachineError: Some of it failed.
        """
        ...


def open_memory(package: str = "auto") -> CudaMemory:
    """Open the first CUDA device.

    Args:
        package: ``cuda-python``, ``pycuda``, or ``auto`` for the first of them that is installed.

    Raises:
        UsageError: No adapter has that name.
        MissingExtra: The package is not installed.
        MachineError: There is no driver or no device.
    """
    from eatrack_edge.inference.tensorrt.cuda_python_memory import CudaPythonMemory
    from eatrack_edge.inference.tensorrt.pycuda_memory import PyCudaMemory

    adapters: dict[str, Callable[[], CudaMemory]] = {"cuda-python": CudaPythonMemory, "pycuda": PyCudaMemory}
    if package in adapters:
        return adapters[package]()
    if package != "auto":
        hint = did_you_mean(package, ("auto", *adapters), "known packages: {}")
        raise UsageError(f"no CUDA package called `{package}`", hint=hint)
    for adapter in adapters.values():
        with suppress(MissingExtra):
            return adapter()
    raise MissingExtra("cannot reach the GPU: neither cuda-python nor pycuda is installed", hint=INSTALL)


def fault(call: str, code: int, text: str) -> MachineError:
    """What a failed CUDA call means to a person.

    Args:
        call: The function that failed.
        code: CUDA's number for what happened.
        text: CUDA's name for it.
    """
    meaning, hint = _FAULTS.get(code, ("", "see: eatrack-edge doctor"))
    what = f"{call} answers {code}, {text}"
    return MachineError(f"{meaning}: {what}" if meaning else what, hint=hint)
