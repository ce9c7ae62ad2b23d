"""Reads this machine's TensorRT, GPU and board, which an engine is compared with before it is loaded."""

from __future__ import annotations

import ctypes
from typing import Any

from eatrack_edge.core.errors import MachineError
from eatrack_edge.core.imports import require
from eatrack_edge.inference.tensorrt.manifest import Fingerprint
from eatrack_edge.machine.board import read_board

_MAJOR, _MINOR = 75, 76  # CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR and _MINOR
_NO_DEVICE = 100
_HINT = "engines are built and run on a Jetson or a PC with an NVIDIA GPU; elsewhere use another --backend"


def read_fingerprint() -> Fingerprint:
    """TensorRT, GPU and board of this machine.

    The GPU is asked through the driver's own library, which is there wherever a GPU is and needs no package;
    no context is made, so nobody's is disturbed.

    Raises:
        MissingExtra: TensorRT is not installed.
        MachineError: There is no driver, or no GPU answers.
    """
    tensorrt = require("tensorrt", to="read this machine's fingerprint")
    driver, device = _first_device()
    name, version = ctypes.create_string_buffer(128), ctypes.c_int()
    _call(driver, "cuDeviceGetName", name, len(name), device)
    _call(driver, "cuDriverGetVersion", ctypes.byref(version))
    major, minor = (_attribute(driver, which, device) for which in (_MAJOR, _MINOR))
    board = read_board()
    return Fingerprint(
        tensorrt=tensorrt.__version__,
        cuda=f"{version.value // 1000}.{version.value % 1000 // 10}",
        sm=f"{major}.{minor}",
        gpu=name.value.decode(),
        board=board.module_id,
        jetpack=board.jetpack,
    )


def require_gpu() -> None:
    """Refuse a machine without an NVIDIA GPU, before gigabytes are installed for one.

    Raises:
        MachineError: There is no driver, or no GPU answers.
    """
    _first_device()


def _first_device() -> tuple[Any, ctypes.c_int]:
    driver, device = _driver(), ctypes.c_int()
    _call(driver, "cuInit", 0)
    _call(driver, "cuDeviceGet", ctypes.byref(device), 0)
    return driver, device


def _driver() -> Any:
    try:
        return ctypes.CDLL("libcuda.so.1")
    except OSError:
        raise MachineError("there is no NVIDIA driver here: libcuda.so.1 is not found", hint=_HINT) from None


def _attribute(driver: Any, which: int, device: ctypes.c_int) -> int:
    value = ctypes.c_int()
    _call(driver, "cuDeviceGetAttribute", ctypes.byref(value), which, device)
    return value.value


def _call(driver: Any, function: str, *arguments: Any) -> None:
    code = getattr(driver, function)(*arguments)
    if code == _NO_DEVICE:
        raise MachineError("the NVIDIA driver sees no GPU", hint=_HINT)
    if code:
        raise MachineError(f"the NVIDIA driver answers {function} with error {code}", hint="see: eatrack-edge doctor")
