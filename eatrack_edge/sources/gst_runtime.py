"""GStreamer through the system's own Python bindings, which pip cannot bring."""

from __future__ import annotations

import ctypes
import importlib
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

from eatrack_edge.core.errors import MissingExtra

_SYSTEM_PACKAGES = Path("/usr/lib/python3/dist-packages")  # of Debian, Ubuntu and JetPack
_HINT = (
    "sudo apt install python3-gi gir1.2-gst-plugins-base-1.0 gstreamer1.0-plugins-good gstreamer1.0-plugins-bad "
    "gstreamer1.0-libav, and use a Python of the same version as the system's"
)


def require_gst() -> Any:
    """GStreamer's module, initialised.

    Raises:
        MissingExtra: The bindings or GStreamer are not installed, or are for another version of Python.
    """
    try:
        return _imported()
    except (ImportError, ValueError) as error:  # a ValueError where a library's description is missing
        raise MissingExtra("cannot run a GStreamer pipeline: its Python bindings are missing", hint=_HINT) from error


@cache
def require_gst_library(name: str) -> Any:
    """A library beside GStreamer, such as ``GstRtspServer`` or ``GLib``.

    Raises:
        MissingExtra: It is not installed, or GStreamer is not.
    """
    require_gst()
    try:
        with _quiet_imports():
            if name != "GLib":
                _gi().require_version(name, "1.0")
            return importlib.import_module(f"gi.repository.{name}")
    except (ImportError, ValueError) as error:
        raise MissingExtra(f"cannot use GStreamer's {name}: it is not installed", hint=_HINT) from error


@contextmanager
def _quiet_imports() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Debian's bindings are imported in a way that newer Pythons frown upon
        yield


@cache
def _imported() -> Any:
    # GStreamer brings libunwind, whose symbols would take the place of libgcc's in every library that is loaded later:
    # OpenVINO then dies of its first C++ exception. The first to be loaded for all wins.
    with suppress(OSError):  # a C library without it has no such conflict
        ctypes.CDLL("libgcc_s.so.1", mode=ctypes.RTLD_GLOBAL)
    with _quiet_imports():
        gi = _gi()
        for name in ("Gst", "GstApp"):
            gi.require_version(name, "1.0")
            importlib.import_module(f"gi.repository.{name}")  # GstApp gives an appsink its methods
        # The module of that name is the bare library; the attribute has Python's additions.
        gst: Any = importlib.import_module("gi.repository").Gst
    gst.init(None)
    return gst


def _gi() -> Any:
    try:
        return importlib.import_module("gi")
    except ImportError:
        built_for = f"_gi.cpython-{sys.version_info.major}{sys.version_info.minor}-*.so"
        if not any((_SYSTEM_PACKAGES / "gi").glob(built_for)):
            raise
    # An environment without the system's packages: take this one from there, and nothing else.
    sys.path.append(str(_SYSTEM_PACKAGES))
    try:
        return importlib.import_module("gi")
    finally:
        sys.path.remove(str(_SYSTEM_PACKAGES))


def has_element(name: str) -> bool:
    """Whether GStreamer is there and knows this element. Nothing is run to find out."""
    try:
        return require_gst().ElementFactory.find(name) is not None
    except MissingExtra:
        return False
