"""ONNX files that hold a model specification and nothing else, written byte by byte: the drone has no onnx package either."""

from __future__ import annotations

from pathlib import Path

from eatrack_edge.core.model_spec import ModelSpec, stem_of

GRAPH, METADATA = 7, 14  # of ONNX's ModelProto


def model_spec(precision: str = "fp32") -> ModelSpec:
    return ModelSpec("simulated", 12, 64, 128, 2, precision=precision, checkpoint_sha256="c" * 64)


def field(number: int, content: bytes) -> bytes:
    return varint(number << 3 | 2) + varint(len(content)) + content


def varint(value: int) -> bytes:
    return bytes([value]) if value < 128 else bytes([value & 127 | 128]) + varint(value >> 7)


def model(metadata: dict[str, str], graph: bytes = b"g" * 300) -> bytes:
    entries = (field(1, key.encode()) + field(2, value.encode()) for key, value in metadata.items())
    return b"\x08\x0a" + field(GRAPH, graph) + b"".join(field(METADATA, entry) for entry in entries)


def write_pair(folder: Path, name: str = "a", precision: str = "fp32", says: str = "") -> tuple[Path, Path]:
    """A template and a track graph that say they are of ``precision``, or what ``says`` has them say."""
    stem = stem_of(name, precision)
    paths = folder / f"{stem}.template.onnx", folder / f"{stem}.track.onnx"
    for path in paths:
        path.write_bytes(model(model_spec(says or precision).to_metadata()))
    return paths
