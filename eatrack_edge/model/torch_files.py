"""Reads the files that ``torch.save`` writes and wrote: zip archives, and the older streams and tar archives.

``torch.load`` is not used: it refuses a file for a class that stands beside the weights, and advises to read it in a
way that runs the file's code. Everything here goes through ``inert_unpickler``.
"""

from __future__ import annotations

import io
import struct
import tarfile
import zipfile
from pathlib import Path
from typing import IO, Any

import torch
from torch import Tensor

from eatrack_edge.model.inert_unpickler import StorageType, Stub, storage_tensor, unpickle

_MAGIC = 0x1950A86A20F9469CFC6C  # the first pickle of a stream


class NotATorchFile(ValueError):
    """The file is not one of these; the message says what it is."""


def read_torch_file(path: Path) -> object:
    """What a file holds: tensors, containers of them, and stubs.

    Raises:
        NotATorchFile: It is something else.
        Exception: Of any other kind, where the file is damaged.
    """
    with path.open("rb") as file:
        if file.read(4) == b"PK\3\4":
            return _read_zip(path)
        file.seek(0)
        return _read_tar(path) if tarfile.is_tarfile(path) else _read_stream(file)


def _read_zip(path: Path) -> object:
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        if any(name.count("/") <= 1 and name.endswith("constants.pkl") for name in names):
            raise NotATorchFile("a TorchScript program, which holds code beside the weights")
        pickled = next((name for name in names if name.count("/") <= 1 and name.endswith("data.pkl")), "")
        if not pickled:
            raise NotATorchFile(f"a zip archive without weights; it holds {', '.join(names[:3]) or 'nothing'}")
        prefix = pickled.removesuffix("data.pkl")
        if f"{prefix}byteorder" in names and archive.read(f"{prefix}byteorder") != b"little":
            raise NotATorchFile("of a big-endian machine")
        storages: dict[str, Tensor] = {}

        def load(reference: object) -> Tensor:
            dtype, key, _ = _storage_id(reference)
            if key not in storages:
                storages[key] = storage_tensor(archive.read(f"{prefix}data/{key}"), dtype)
            return storages[key]

        return unpickle(io.BytesIO(archive.read(pickled)), load)


def _storage_id(reference: object) -> tuple[torch.dtype, str, int]:
    """Type, key and number of elements of a storage, as a pickle refers to it."""
    if isinstance(reference, tuple) and len(reference) >= 5 and isinstance(reference[1], StorageType):
        return reference[1].dtype, str(reference[2]), int(reference[4])
    raise NotATorchFile("a pickle that refers to something other than a storage")


def _read_stream(file: IO[bytes]) -> object:
    """A stream of pickles: magic number, version, machine, the object, names of its storages; then the storages."""
    try:
        magic = unpickle(file)
    except Exception:
        magic = None
    if isinstance(magic, dict) and not isinstance(magic, Stub):  # a plain pickle, as of numpy arrays
        return magic
    if magic != _MAGIC:
        raise NotATorchFile("not a file that torch wrote")
    for _ in ("version", "machine"):
        unpickle(file)
    storages: dict[str, Tensor] = {}

    def load(reference: Any) -> object:
        if isinstance(reference, tuple) and len(reference) == 4 and reference[0] == "module":
            return reference[1]  # the class of a network that was pickled whole, with its source
        dtype, key, count = _storage_id(reference)
        root = storages.setdefault(key, torch.empty(count, dtype=dtype))
        view = reference[5] if len(reference) > 5 else None
        return root if view is None else root[int(view[1]) : int(view[1]) + int(view[2])]

    held = unpickle(file, load)
    keys = unpickle(file)
    for key in keys if isinstance(keys, list) else ():
        (count,) = struct.unpack("<q", _exactly(file, 8))
        root = storages[str(key)]
        if count != len(root):
            raise ValueError(f"storage {key} has {count} elements, the pickle says {len(root)}")
        if count:
            root.copy_(storage_tensor(_exactly(file, count * root.element_size()), root.dtype))
    return held


def _read_tar(path: Path) -> object:
    """A tar archive of torch 0.1: members ``storages``, ``tensors`` and ``pickle``, which refer to each other by id."""
    with tarfile.open(path) as archive:
        members = [
            archive.extractfile(name) for name in ("storages", "tensors", "pickle") if name in archive.getnames()
        ]
        if len(members) != 3 or None in members:
            raise NotATorchFile(f"a tar archive without weights; it holds {', '.join(archive.getnames()[:3])}")
        storages, tensors, pickled = (member for member in members if member)
        known = _tar_tensors(tensors, _tar_storages(storages))
        return unpickle(pickled, lambda reference: known[int(str(reference))])


def _tar_storages(file: IO[bytes]) -> dict[int, Tensor]:
    storages: dict[int, Tensor] = {}
    for _ in range(_integer(unpickle(file))):
        key, _, kind = _triple(unpickle(file))
        if not isinstance(kind, StorageType):
            raise NotATorchFile("a tar archive with an unknown kind of storage")
        (count,) = struct.unpack("<q", _exactly(file, 8))
        storages[_integer(key)] = storage_tensor(_exactly(file, count * kind.dtype.itemsize), kind.dtype)
    views = unpickle(file)
    for target, root, offset, count in views if isinstance(views, list) else ():
        storages[int(target)] = storages[int(root)][int(offset) : int(offset) + int(count)]
    return storages


def _tar_tensors(file: IO[bytes], storages: dict[int, Tensor]) -> dict[int, Tensor]:
    tensors: dict[int, Tensor] = dict(storages)
    for _ in range(_integer(unpickle(file))):
        key, storage, _ = _triple(unpickle(file))
        (axes,) = struct.unpack("<i4x", _exactly(file, 8))
        size, stride = (struct.unpack(f"<{axes}q", _exactly(file, 8 * axes)) for _ in range(2))
        (offset,) = struct.unpack("<q", _exactly(file, 8))
        tensors[_integer(key)] = torch.as_strided(storages[_integer(storage)], size, stride, offset)
    return tensors


def _triple(value: object) -> tuple[object, object, object]:
    if isinstance(value, tuple) and len(value) == 3:
        return value
    raise ValueError("a record of three was expected")


def _integer(value: object) -> int:
    if type(value) is int:
        return value
    raise ValueError("a number was expected")


def _exactly(file: IO[bytes], size: int) -> bytes:
    data = file.read(size) if size >= 0 else b""
    if len(data) != size:
        raise EOFError(f"the file ends {size - len(data)} bytes too early")
    return data
