"""Reads an ONNX file's metadata and the names of its weight files, without the onnx package, which no drone has.

An ONNX file is a protobuf message. Only the fields on the way to those texts are read, all others are skipped: a file
of several hundred megabytes takes no more memory than one of a few kilobytes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

from eatrack_edge.core.errors import InputError
from eatrack_edge.core.io import sha256
from eatrack_edge.core.model_spec import ModelSpec

# Messages of onnx.proto: the numbers of the fields to read, and the message that each holds.
_Messages = Mapping[str, Mapping[int, str]]
_METADATA: _Messages = {"model": {14: "entry"}}  # ModelProto.metadata_props
_EXTERNAL_DATA: _Messages = {
    "model": {7: "graph"},
    "graph": {1: "node", 5: "tensor"},
    "node": {5: "attribute"},
    "attribute": {5: "tensor", 6: "graph", 10: "tensor", 11: "graph"},
    "tensor": {13: "entry"},  # TensorProto.external_data
}
_KEY, _VALUE = 1, 2  # of StringStringEntryProto, the entry
_VARINT, _EIGHT_BYTES, _LENGTH, _FOUR_BYTES = 0, 1, 2, 5  # protobuf's wire types


def read_model_spec(graph: Path) -> ModelSpec:
    """The model specification of an ONNX graph.

    Raises:
        InputError: The file is missing, is not an ONNX graph, or was not exported by eatrack-edge.
    """
    return ModelSpec.from_metadata(read_metadata(graph), str(graph))


def read_metadata(graph: Path) -> dict[str, str]:
    """``metadata_props`` of an ONNX file.

    Raises:
        InputError: The file is missing or not an ONNX graph.
    """
    return dict(_read_entries(graph, _METADATA))


def graph_files(graph: Path) -> list[Path]:
    """An ONNX file, and the files in which it keeps its weights (ONNX's external data).

    Raises:
        InputError: The file is missing or not an ONNX graph.
    """
    names = {value for key, value in _read_entries(graph, _EXTERNAL_DATA) if key == "location"}
    return [graph, *(graph.parent / name for name in sorted(names))]


def graph_sha256(graph: Path) -> str:
    """SHA-256 of an ONNX file together with its weights.

    Raises:
        InputError: One of the files cannot be read.
    """
    return sha256(*graph_files(graph))


def _read_entries(graph: Path, messages: _Messages) -> list[tuple[str, str]]:
    try:
        with graph.open("rb") as file:
            end = file.seek(0, 2)
            file.seek(0)
            return list(_entries(file, end, "model", messages))
    except FileNotFoundError:
        raise InputError(f"{graph}: no such graph", hint="make it: eatrack-edge export CHECKPOINT") from None
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise InputError(f"{graph}: not an ONNX graph", hint="export it again: eatrack-edge export") from error


def _entries(file: BinaryIO, end: int, message: str, messages: _Messages) -> Iterator[tuple[str, str]]:
    """Key and value of each entry inside the message that runs up to byte ``end``."""
    for number, stop in _fields(file, end):
        inner = messages[message].get(number)
        if inner == "entry":
            texts = {field: file.read(end - file.tell()).decode() for field, end in _fields(file, stop)}
            if _KEY not in texts:
                raise EOFError
            yield texts[_KEY], texts.get(_VALUE, "")
        elif inner:
            yield from _entries(file, stop, inner, messages)


def _fields(file: BinaryIO, end: int) -> Iterator[tuple[int, int]]:
    """Number and end of each field with a length up to byte ``end``; the file stands at the field's first byte."""
    while file.tell() < end:
        tag = _varint(file)
        number, wire = tag >> 3, tag & 7
        if wire == _VARINT:
            _varint(file)
        elif wire in (_EIGHT_BYTES, _FOUR_BYTES):
            file.seek(8 if wire == _EIGHT_BYTES else 4, 1)
        elif wire == _LENGTH:
            length = _varint(file)
            stop = file.tell() + length
            if stop > end:
                raise EOFError
            yield number, stop
            file.seek(stop)
        else:
            raise EOFError
    if file.tell() > end:
        raise EOFError


def _varint(file: BinaryIO) -> int:
    """Protobuf's variable-length integer."""
    value = 0
    for shift in range(0, 64, 7):
        byte = file.read(1)
        if not byte:
            raise EOFError
        value |= (byte[0] & 127) << shift
        if byte[0] < 128:
            return value
    raise EOFError
