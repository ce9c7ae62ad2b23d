"""Optional dependencies: a plain import, at the moment of need, with the way to get it."""

from __future__ import annotations

import importlib
from types import ModuleType

from eatrack_edge.errors import MissingExtra

_EXPORT = "pip install 'eatrack-edge[export]'"
_HOW_TO_GET = {
    "onnxruntime": "pip install 'eatrack-edge[cpu]', or 'eatrack-edge[gpu]' on a PC with an NVIDIA GPU",
    "torch": _EXPORT,
    "onnx": _EXPORT,
    "onnxscript": _EXPORT,
    "safetensors": _EXPORT,
    "matplotlib": "pip install 'eatrack-edge[eval]'",
    "distributed": "pip install 'eatrack-edge[cluster]'",
    "av": "pip install av",
    "cv2": "pip install opencv-python-headless",
}


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
        return importlib.import_module(module)
    except ImportError as error:
        raise MissingExtra(
            f"cannot {to}: {package} is not installed", hint=_HOW_TO_GET.get(package, f"pip install {package}")
        ) from error
