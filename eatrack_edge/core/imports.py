"""Imports optional dependencies when they are needed, and explains how to install one that is missing."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import ModuleType

from eatrack_edge.core.errors import MissingExtra

# The packages themselves, not our extras: what was installed from a clone or a wheel is on no index.
_EXPORT = "pip install torch onnx onnxscript safetensors onnxruntime"
_PAGES = "pip install matplotlib jinja2"
_HOW_TO_GET = {
    "onnxruntime": "pip install onnxruntime; or onnxruntime-gpu on a PC with an NVIDIA GPU, never both",
    "openvino": "pip install openvino",
    # JetPack brings its own, which a virtual environment sees only with --system-site-packages.
    "tensorrt": "on a Jetson: sudo apt install python3-libnvinfer, and python3 -m venv --system-site-packages; "
    "on a PC: pip install tensorrt cuda-python",
    "torch": _EXPORT,
    "onnx": "pip install onnx onnxscript",
    "onnxscript": "pip install onnx onnxscript",
    "safetensors": "pip install safetensors",
    "matplotlib": _PAGES,
    "jinja2": _PAGES,
    "distributed": "pip install distributed",
    "mcap": "pip install mcap",
    "pymavlink": "pip install pymavlink pyserial",
    "serial": "pip install pyserial",
    **dict.fromkeys(("starlette", "uvicorn", "websockets"), "pip install starlette uvicorn websockets"),
    "av": "pip install av",
    "cv2": "pip install opencv-python-headless",
}
# NVIDIA's TensorRT for RTX has the same calls, and serves PCs where the other one is not installed.
_STAND_INS = {"tensorrt": "tensorrt_rtx"}
# OpenVINO reports each import to Intel where this package of theirs is installed, without asking.
_TELEMETRY = {"openvino": "openvino_telemetry"}


def require(module: str, *, to: str) -> ModuleType:
    """Import ``module``, or explain how to install it.

    Args:
        module: Name to import, one of the toolkit's optional dependencies; a submodule by its dotted name. For
            ``tensorrt`` TensorRT for RTX stands in, where it alone is installed.
        to: What the caller was about to do, to finish the sentence "cannot ...".

    Raises:
        MissingExtra: The module cannot be imported.
    """
    package = module.partition(".")[0]
    try:
        with _without_telemetry(package):
            return importlib.import_module(module)
    except ImportError as error:
        if stand_in := _STAND_INS.get(module):
            with suppress(ImportError):
                return importlib.import_module(stand_in)
        raise MissingExtra(
            f"cannot {to}: {package} is not installed", hint=_HOW_TO_GET.get(package, f"pip install {package}")
        ) from error


@contextmanager
def _without_telemetry(package: str) -> Iterator[None]:
    """Keep a package from reporting its import over the network."""
    telemetry = _TELEMETRY.get(package, "")
    is_hidden = bool(telemetry) and telemetry not in sys.modules
    if is_hidden:
        sys.modules[telemetry] = None  # type: ignore[assignment]  # Python takes it as not installed
    try:
        yield
    finally:
        if is_hidden:
            del sys.modules[telemetry]
