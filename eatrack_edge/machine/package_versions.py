"""Versions of the installed packages that speed and accuracy depend on."""

from __future__ import annotations

from importlib import metadata

_PACKAGES = (
    *("numpy", "opencv-python-headless", "opencv-python", "opencv-contrib-python-headless", "opencv-contrib-python"),
    *("av", "onnxruntime", "onnxruntime-gpu", "openvino", "tensorrt", "cuda-python", "cuda-bindings"),
)


def package_versions() -> dict[str, str]:
    """Name to version, of those that are installed."""
    return {name: version for name in _PACKAGES if (version := _version(name))}


def _version(package: str) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return ""
