"""Asks NVIDIA's driver about the first GPU. No context is made, so nobody's is disturbed."""

from __future__ import annotations

import ctypes
from enum import IntEnum
from typing import Any

from eatrack_edge.core.errors import MachineError

_NO_DEVICE = 100
_HINT = "engines are built and run on a Jetson or a PC with an NVIDIA GPU; elsewhere use another --backend"


class Attribute(IntEnum):
    """Of ``CUdevice_attribute``."""

    CLOCK_KHZ = 13
    MULTIPROCESSORS = 16
    MEMORY_CLOCK_KHZ = 36
    MEMORY_BUS_BITS = 37
    MAJOR = 75
    MINOR = 76


def require_gpu() -> None:
    """Refuse a machine without an NVIDIA GPU, before gigabytes are installed for one.

    Raises:
        MachineError: There is no driver, or no GPU answers.
    """
    _device()


def read_name() -> str:
    """The driver's name for the GPU.

    Raises:
        MachineError: There is no driver, or no GPU answers.
    """
    driver, device = _device()
    name = ctypes.create_string_buffer(128)
    _call(driver, "cuDeviceGetName", name, len(name), device)
    return name.value.decode()


def read_cuda_version() -> str:
    """Highest CUDA that the driver runs, e.g. ``12.6``.

    Raises:
        MachineError: There is no driver, or no GPU answers.
    """
    driver, _ = _device()
    version = ctypes.c_int()
    _call(driver, "cuDriverGetVersion", ctypes.byref(version))
    return f"{version.value // 1000}.{version.value % 1000 // 10}"


def read_attributes(*attributes: Attribute) -> tuple[int, ...]:
    """Values of attributes, in their order.

    Raises:
        MachineError: There is no driver, no GPU answers, or the driver does not know an attribute.
    """
    driver, device = _device()
    return tuple(_attribute(driver, which, device) for which in attributes)


def _device() -> tuple[Any, ctypes.c_int]:
    try:
        driver = ctypes.CDLL("libcuda.so.1")
    except OSError:
        raise MachineError("there is no NVIDIA driver here: libcuda.so.1 is not found", hint=_HINT) from None
    _call(driver, "cuInit", 0)
    device = ctypes.c_int()
    _call(driver, "cuDeviceGet", ctypes.byref(device), 0)
    return driver, device


def _attribute(driver: Any, which: Attribute, device: ctypes.c_int) -> int:
    value = ctypes.c_int()
    _call(driver, "cuDeviceGetAttribute", ctypes.byref(value), int(which), device)
    return value.value


def _call(driver: Any, function: str, *arguments: Any) -> None:
    code = getattr(driver, function)(*arguments)
    if code == _NO_DEVICE:
        raise MachineError("the NVIDIA driver sees no GPU", hint=_HINT)
    if code:
        raise MachineError(f"the NVIDIA driver answers {function} with error {code}", hint="see: eatrack-edge doctor")
