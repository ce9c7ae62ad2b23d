"""Copies of the bundled graphs, and crops to give them."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np

from eatrack_edge.core.crops import Frame
from eatrack_edge.core.resources import DEFAULT_MODEL, bundled
from eatrack_edge.inference.model_files import find_graphs


def copy(folder: Path, *, change: tuple[bytes, bytes] = (b"", b""), only: str = "") -> tuple[Path, Path]:
    """The default model's graphs in ``folder``, with some bytes of their metadata changed for as many others."""
    weights = bundled(f"{DEFAULT_MODEL}.safetensors")
    assert weights is not None
    shutil.copy(weights, folder)
    paths = []
    for graph in find_graphs(DEFAULT_MODEL):
        data = graph.read_bytes()
        if change[0] and only in graph.name:
            assert change[0] in data
            assert len(change[0]) == len(change[1])
            data = data.replace(change[0], change[1])
        paths.append(folder / graph.name)
        paths[-1].write_bytes(data)
    return paths[0], paths[1]


def crop(size: int, seed: int) -> Frame:
    return np.random.default_rng(seed).integers(0, 256, (size, size, 3), dtype=np.uint8)
