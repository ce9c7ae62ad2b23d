"""Reads what an ONNX graph says of itself, without the onnx package: a Jetson that only flies has none."""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from eatrack_edge.core.errors import InputError
from eatrack_edge.core.model_spec import ModelSpec

# Of ONNX's ModelProto and of the entries in it, as onnx.proto numbers them.
_METADATA_PROPS, _KEY, _VALUE = 14, 1, 2
_VARINT, _EIGHT_BYTES, _LENGTH, _FOUR_BYTES = 0, 1, 2, 5  # protobuf's wire types


def read_model_spec(graph: Path) -> ModelSpec:
    """The model specification of an ONNX graph.

    Raises:
        InputError: The file is missing, no ONNX graph, or none of ours.
    """
    return ModelSpec.from_metadata(read_metadata(graph), str(graph))


def read_metadata(graph: Path) -> dict[str, str]:
    """``metadata_props`` of an ONNX file.

    Raises:
        InputError: The file is missing or no ONNX graph.
    """
    try:
        with graph.open("rb") as file:
            entries = [dict(_texts(BytesIO(entry))) for number, entry in _top_level(file) if number == _METADATA_PROPS]
        return {entry[_KEY].decode(): entry.get(_VALUE, b"").decode() for entry in entries}
    except FileNotFoundError:
        raise InputError(f"{graph}: no such graph", hint="make it: eatrack-edge export CHECKPOINT") from None
    except (OSError, EOFError, KeyError, UnicodeDecodeError) as error:
        raise InputError(f"{graph}: is no ONNX graph", hint="export it again: eatrack-edge export") from error


def _top_level(file: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Number and content of each metadata entry of a message; the rest, the weights above all, is leapt over."""
    while (tag := _varint(file)) is not None:
        number, wire = tag >> 3, tag & 7
        if wire == _VARINT:
            _varint(file)
        elif wire == _LENGTH:
            length = _varint(file) or 0
            if number == _METADATA_PROPS:
                yield number, _exactly(file, length)
            else:
                file.seek(length, 1)
        elif wire in (_EIGHT_BYTES, _FOUR_BYTES):
            _exactly(file, 8 if wire == _EIGHT_BYTES else 4)
        else:
            raise EOFError


def _texts(message: BinaryIO) -> Iterator[tuple[int, bytes]]:
    """Number and content of the fields of a message that holds nothing but texts."""
    while (tag := _varint(message)) is not None:
        yield tag >> 3, _exactly(message, _varint(message) or 0)


def _varint(file: BinaryIO) -> int | None:
    """Protobuf's variable-length number; ``None`` at the end of the file."""
    value = shift = 0
    while byte := file.read(1):
        value |= (byte[0] & 127) << shift
        if byte[0] < 128:
            return value
        shift += 7
        if shift > 63:
            break
    if shift:
        raise EOFError
    return None


def _exactly(file: BinaryIO, length: int) -> bytes:
    data = file.read(length)
    if len(data) != length:
        raise EOFError
    return data
