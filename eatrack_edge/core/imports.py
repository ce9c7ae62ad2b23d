"""Optional dependencies: a plain import, at the moment of need, with the way to get it."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType

from eatrack_edge.core.errors import MissingExtra

_EXPORT = "pip install 'eatrack-edge[export]'"
_HOW_TO_GET = {
    "onnxruntime": "pip install 'eatrack-edge[cpu]', or 'eatrack-edge[gpu]' on a PC with an NVIDIA GPU",
    "openvino": "pip install 'eatrack-edge[openvino]'",
    # JetPack brings its own, which a virtual environment sees only if it was told to.
    "tensorrt": "on a Jetson: sudo apt install python3-libnvinfer, and python3 -m venv --system-site-packages; "
    "on a PC: pip install 'eatrack-edge[tensorrt]'",
    "torch": _EXPORT,
    "onnx": _EXPORT,
    "onnxscript": _EXPORT,
    "safetensors": _EXPORT,
    "matplotlib": "pip install 'eatrack-edge[eval]'",
    "jinja2": "pip install 'eatrack-edge[eval]'",
    "distributed": "pip install 'eatrack-edge[cluster]'",
    "av": "pip install av",
    "cv2": "pip install opencv-python-headless",
}
# OpenVINO sends its makers a message whenever it is imported beside this package of theirs, and asks nobody.
_REPORTS_BY = {"openvino": "openvino_telemetry"}


def require(module: str, *, to: str) -> ModuleType:
    """Import ``module``, or explain how to install it.

    Args:
        module: Name to import, one of the toolkit's optional dependencies; a submodule by its dotted name.
        to: What the caller was about to do, to finish the sentence "cannot ...".

    Raises:
        MissingExtra: The module cannot be imported.
    """
    package = module.partition(".")[0]
    try:
        with _unreported(package):
            return importlib.import_module(module)
    except ImportError as error:
        raise MissingExtra(
            f"cannot {to}: {package} is not installed", hint=_HOW_TO_GET.get(package, f"pip install {package}")
        ) from error


@contextmanager
def _unreported(package: str) -> Iterator[None]:
    """Keep a package from reporting its import: what tracks from a drone speaks to nobody."""
    reporter = _REPORTS_BY.get(package, "")
    is_hidden = bool(reporter) and reporter not in sys.modules
    if is_hidden:
        sys.modules[reporter] = None  # type: ignore[assignment]  # Python's own way to say: not installed
    try:
        yield
    finally:
        if is_hidden:
            del sys.modules[reporter]
