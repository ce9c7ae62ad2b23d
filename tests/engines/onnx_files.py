"""ONNX files that hold a model specification and nothing else, written byte by byte: the drone has no onnx package either."""

from __future__ import annotations

from pathlib import Path

from eatrack_edge.core.model_spec import ModelSpec, stem_of

GRAPH, METADATA = 7, 14  # of ONNX's ModelProto
INITIALIZER, NAME, EXTERNAL_DATA = 5, 2, 13  # of GraphProto, the next too, of TensorProto


def model_spec(precision: str = "fp32") -> ModelSpec:
    return ModelSpec("simulated", 12, 64, 128, 2, precision=precision, checkpoint_sha256="c" * 64)


def field(number: int, content: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(content)) + content


def varint(value: int) -> bytes:
    return bytes([value]) if value < 128 else bytes([value & 127 | 128]) + varint(value >> 7)


def entry(key: str, value: str) -> bytes:
    return field(1, key.encode()) + field(2, value.encode())


def model(metadata: dict[str, str], weights: str = "") -> bytes:
    """A graph with one initializer, which lies in the file ``weights`` where one is named."""
    initializer = field(EXTERNAL_DATA, entry("location", weights)) if weights else b""
    graph = field(NAME, b"g" * 300) + field(INITIALIZER, initializer)
    entries = (entry(key, value) for key, value in metadata.items())
    return b"\x08\x0a" + field(GRAPH, graph) + b"".join(field(METADATA, one) for one in entries)


def write_pair(folder: Path, name: str = "a", precision: str = "fp32", says: str = "") -> tuple[Path, Path]:
    """A template and a track graph that say they are of ``precision``, or what ``says`` has them say."""
    stem = stem_of(name, precision)
    paths = folder / f"{stem}.template.onnx", folder / f"{stem}.track.onnx"
    for path in paths:
        path.write_bytes(model(model_spec(says or precision).to_metadata()))
    return paths
