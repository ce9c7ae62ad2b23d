"""Stores the weights of graphs: each graph its own, or all in one half-precision checkpoint beside them.

Template and track graph hold the same Stage-1 weights, and a wheel has to stay small. ONNX may keep a tensor in
another file, at an offset; a ``.safetensors`` is plain tensors behind a short header. So the checkpoint itself,
in float16, can be the one weights file of the graphs of both precisions: 24 MB where four would take 117.
"""

from __future__ import annotations

import json
import struct
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

_HEADER_LENGTH_BYTES = 8
_HALF = ":half"  # ending of a weight's name in float16


def share_weights(graph: onnx.ModelProto, checkpoint: Path) -> None:
    """Replace every weight that is in ``checkpoint`` by a reference to it.

    A float32 weight is cast at load; a float16 one, which ``fp16.to_half`` calls ``NAME:half``, is read as it is.

    Args:
        graph: Changed in place. Its weights must be named as the checkpoint's.
        checkpoint: A ``.safetensors`` of float16 tensors, which must stay in the graph's folder.
    """
    offsets, held = _offsets(checkpoint), checkpoint.read_bytes()
    kept, casts = [], []
    for tensor in graph.graph.initializer:
        name = tensor.name.removesuffix(_HALF)
        start, length = offsets.get(name, (0, 0))
        # By value too: a weight that the exporter has changed keeps its name.
        if not length or not _is_same(tensor, held[start : start + length]):
            kept.append(tensor)
            continue
        half = TensorProto(name=f"{name}{_HALF}", data_type=TensorProto.FLOAT16, dims=tensor.dims)
        half.data_location = TensorProto.EXTERNAL
        for key, value in (("location", checkpoint.name), ("offset", start), ("length", length)):
            half.external_data.add(key=key, value=str(value))
        kept.append(half)
        if tensor.name == name:
            casts.append(helper.make_node("Cast", [half.name], [name], to=TensorProto.FLOAT))
    nodes = [*casts, *graph.graph.node]
    del graph.graph.initializer[:], graph.graph.node[:]
    graph.graph.initializer.extend(kept)
    graph.graph.node.extend(nodes)


def own_weights(graph: onnx.ModelProto) -> None:
    """Undo ``share_weights`` in a float32 graph that was read with its weights: each becomes the graph's own.

    Args:
        graph: Changed in place.
    """
    own = [_floated(tensor) if tensor.name.endswith(_HALF) else tensor for tensor in graph.graph.initializer]
    nodes = [node for node in graph.graph.node if not (node.op_type == "Cast" and node.input[0].endswith(_HALF))]
    del graph.graph.initializer[:], graph.graph.node[:]
    graph.graph.initializer.extend(own)
    graph.graph.node.extend(nodes)


def _floated(half: TensorProto) -> TensorProto:
    return numpy_helper.from_array(numpy_helper.to_array(half).astype(np.float32), half.name.removesuffix(_HALF))


def _is_same(tensor: TensorProto, held: bytes) -> bool:
    return numpy_helper.to_array(tensor).astype(np.float16).tobytes() == held


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
