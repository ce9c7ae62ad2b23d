"""Tensors side by side in one piece of device memory, so that one copy moves them all."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from eatrack_edge.core.model_spec import TensorSpec
from eatrack_edge.inference.tensorrt.cuda_memory import CudaMemory

_ALIGNMENT = 256  # bytes, which TensorRT asks of every tensor's address


class DeviceBlock:
    """Tensors on the device.

    Args:
        memory: The device.
        specs: Their shapes and dtypes, in order.
    """

    def __init__(self, memory: CudaMemory, specs: tuple[TensorSpec, ...]) -> None:
        self._memory = memory
        self._offsets: list[int] = []
        self.size_bytes = 0
        for spec in specs:
            self._offsets.append(self.size_bytes)
            self.size_bytes += -(-_size_bytes(spec) // _ALIGNMENT) * _ALIGNMENT
        self._specs = specs
        self._address = memory.allocate(self.size_bytes)

    @property
    def addresses(self) -> list[int]:
        """Addresses of the tensors, in order."""
        return [self._address + offset for offset in self._offsets]


class MirroredBlock(DeviceBlock):
    """Tensors on the device, and as many page-locked arrays on the host that are copied to or from them at once."""

    def __init__(self, memory: CudaMemory, specs: tuple[TensorSpec, ...]) -> None:
        super().__init__(memory, specs)
        self._host = memory.pinned(self.size_bytes)

    @property
    def arrays(self) -> list[NDArray[Any]]:
        """The tensors on the host, in order."""
        return [
            self._host[offset : offset + _size_bytes(spec)].view(spec.dtype).reshape(spec.shape)
            for spec, offset in zip(self._specs, self._offsets, strict=True)
        ]

    def copy_in(self) -> None:
        """Queue a copy from the host to the device."""
        self._memory.copy_in(self._address, self._host)

    def copy_out(self) -> None:
        """Queue a copy from the device to the host."""
        self._memory.copy_out(self._host, self._address)


def _size_bytes(spec: TensorSpec) -> int:
    return int(np.prod(spec.shape)) * np.dtype(spec.dtype).itemsize
