"""How graphs keep their weights: each its own, in float32, or both in one half-precision checkpoint beside them.

Template and track graph hold the same Stage-1 weights, and a wheel has to stay small. ONNX may keep a tensor in
another file, at an offset; a ``.safetensors`` is plain tensors behind a short header. So the checkpoint itself,
in float16, can be the one weights file of both graphs: 24 MB where two float32 graphs take 78.
"""

from __future__ import annotations

import json
import struct
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

_HEADER_LENGTH_BYTES = 8


def share_weights(graph: onnx.ModelProto, checkpoint: Path) -> None:
    """Replace every weight that stands in ``checkpoint`` by a reference to it, cast back to float32 at load.

    Args:
        graph: Changed in place. Its weights must be named as the checkpoint's.
        checkpoint: A ``.safetensors`` of float16 tensors, which must stay in the graph's folder.
    """
    offsets, held = _offsets(checkpoint), checkpoint.read_bytes()
    kept, casts = [], []
    for tensor in graph.graph.initializer:
        start, length = offsets.get(tensor.name, (0, 0))
        # By value too: a weight that the exporter has changed keeps its name.
        if not length or numpy_helper.to_array(tensor).astype(np.float16).tobytes() != held[start : start + length]:
            kept.append(tensor)
            continue
        half = TensorProto(name=f"{tensor.name}:half", data_type=TensorProto.FLOAT16, dims=tensor.dims)
        half.data_location = TensorProto.EXTERNAL
        for key, value in (("location", checkpoint.name), ("offset", start), ("length", length)):
            half.external_data.add(key=key, value=str(value))
        kept.append(half)
        casts.append(helper.make_node("Cast", [half.name], [tensor.name], to=TensorProto.FLOAT))
    nodes = [*casts, *graph.graph.node]
    del graph.graph.initializer[:], graph.graph.node[:]
    graph.graph.initializer.extend(kept)
    graph.graph.node.extend(nodes)


def _offsets(checkpoint: Path) -> dict[str, tuple[int, int]]:
    """Name to (first byte in the file, length in bytes) of each tensor; the format is safetensors' README."""
    with checkpoint.open("rb") as file:
        (length,) = struct.unpack("<Q", file.read(_HEADER_LENGTH_BYTES))
        header = json.loads(file.read(length))
    data = _HEADER_LENGTH_BYTES + length
    return {
        name: (data + entry["data_offsets"][0], entry["data_offsets"][1] - entry["data_offsets"][0])
        for name, entry in header.items()
        if name != "__metadata__"
    }
