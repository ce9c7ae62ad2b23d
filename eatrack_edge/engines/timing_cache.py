"""What TensorRT measured in earlier builds, so that the next one need not measure it again.

Timings hold for one TensorRT on one GPU, so each such pair has its own file, shared by all models.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from eatrack_edge.core.io import write_whole
from eatrack_edge.inference.tensorrt.manifest import Fingerprint


def cache_path(folder: Path, here: Fingerprint) -> Path:
    """Where the timings of this machine lie.

    >>> cache_path(Path("e"), Fingerprint("10.3.0", "12.6", "8.7", "Orin (nvgpu)", "p3767-0005", "6.2")).name
    'timing-tensorrt_10.3.0-sm_8.7-orin_nvgpu-p3767_0005.cache'
    """
    parts = [f"tensorrt {here.tensorrt}", f"sm {here.sm}", here.gpu, here.board]
    plain = (re.sub(r"[^a-z0-9.]+", "_", part.lower()).strip("_") for part in parts)
    return folder / ("-".join(["timing", *filter(None, plain)]) + ".cache")


def attach(config: Any, path: Path) -> None:
    """Give a build the timings in ``path``; none there, or unreadable ones, and it starts from nothing."""
    try:
        data = path.read_bytes()
    except OSError:
        data = b""
    # A damaged cache makes TensorRT answer None and log it: slower, not wrong.
    cache = config.create_timing_cache(data) or config.create_timing_cache(b"")
    config.set_timing_cache(cache, False)


def save(config: Any, path: Path) -> None:
    """Keep what the build has measured.

    Raises:
        OutputError: The file cannot be written.
    """
    cache = config.get_timing_cache()
    if cache is not None:
        write_whole(path, memoryview(cache.serialize()))
