"""Unpickles checkpoints without running any code of the file.

A pickle is a program: it names functions and calls them. Here every name gives one of a few functions of this module,
which rebuild tensors, or ``Stub``, which keeps what it is given and does nothing. So nothing of another package is
imported, and a checkpoint that holds settings or meters of a training package is read without that package.
"""

from __future__ import annotations

import math
import pickle
import sys
from collections.abc import Callable, Mapping
from typing import IO, Any, ClassVar, NamedTuple, cast

import torch
from torch import Tensor

_STORAGE_DTYPES = {
    "FloatStorage": torch.float32,
    "DoubleStorage": torch.float64,
    "HalfStorage": torch.float16,
    "BFloat16Storage": torch.bfloat16,
    "LongStorage": torch.int64,
    "IntStorage": torch.int32,
    "ShortStorage": torch.int16,
    "CharStorage": torch.int8,
    "ByteStorage": torch.uint8,
    "BoolStorage": torch.bool,
    "UntypedStorage": torch.uint8,
}


_ARRAY_DTYPES = {
    "f2": torch.float16,
    "f4": torch.float32,
    "f8": torch.float64,
    "i1": torch.int8,
    "i2": torch.int16,
    "i4": torch.int32,
    "i8": torch.int64,
    "u1": torch.uint8,
    "b1": torch.bool,
}


class Stub(dict[Any, Any]):
    """Stands for any class or function of a pickle, and for what it makes. Does nothing but keep its state.

    Attributes:
        state: What the pickle would have restored the object from; of an ``nn.Module`` its parameters are in it.
    """

    state: object = None

    def __new__(cls, *_: Any, **__: Any) -> Stub:
        """Take any arguments: the pickle chooses them."""
        return super().__new__(cls)

    def __init__(self, *_: Any, **__: Any) -> None:
        super().__init__()

    def append(self, value: object) -> None:
        """Drop an item that the pickle adds to a list."""

    def extend(self, values: object) -> None:
        """Drop items that the pickle adds to a list."""

    def add(self, value: object) -> None:
        """Drop an item that the pickle adds to a set."""

    # A pickle may use it as a key, where a dict could not be used.
    __hash__ = object.__hash__  # type: ignore[assignment]

    def __eq__(self, other: object) -> bool:
        return self is other


class StorageType(NamedTuple):
    """What a pickle calls ``torch.FloatStorage`` and the like."""

    dtype: torch.dtype


class _Dictionary(Stub):
    """``collections.OrderedDict``; pickles of Python 2 give its items to the constructor."""

    def __init__(self, *pairs: Any) -> None:
        super().__init__()
        if len(pairs) == 1 and isinstance(pairs[0], list):
            self.update(tuple(pair) for pair in pairs[0] if isinstance(pair, (list, tuple)) and len(pair) == 2)


def _rebuild_tensor(storage: object, offset: object, size: object, stride: object, *_: object) -> Tensor | Stub:
    """A view of a storage, see ``torch._utils._rebuild_tensor_v2``; hooks are dropped."""
    if not isinstance(storage, Tensor):
        return Stub()
    # Refuses what is not an integer, and a view beyond the storage.
    return torch.as_strided(storage, cast("Any", size), cast("Any", stride), cast("Any", offset))


def _rebuild_parameter(data: object, *_: object) -> object:
    return data if isinstance(data, Tensor) else Stub()


def _rebuild_from_type(function: object, _type: object, arguments: object, *_: object) -> object:
    """A subclass of a tensor, as the tensor; see ``torch._tensor._rebuild_from_type_v2``."""
    return _call(function, arguments)


def _size(*values: object) -> object:
    """``torch.Size``."""
    return values[0] if len(values) == 1 and isinstance(values[0], tuple) else Stub()


class _Array(Stub):
    """``numpy.ndarray``, whose state is (version, shape, dtype, is in Fortran order, bytes)."""


def _reconstruct_array(*_: object) -> Stub:
    """``numpy.core.multiarray._reconstruct``: an array whose state follows."""
    return _Array()


def _array_from_buffer(data: object, dtype: object, shape: object, order: object, *_: object) -> Tensor | Stub:
    """``numpy.core.numeric._frombuffer``, of pickles since protocol 5."""
    return _array(shape, dtype, order == "F", data)


def _encode(text: object, encoding: object = "") -> bytes | Stub:
    """``_codecs.encode``, by which protocol 2 keeps bytes."""
    return text.encode("latin1") if isinstance(text, str) and encoding == "latin1" else Stub()


def _dtype(name: object, *_: object) -> Stub:
    """``numpy.dtype``: its name, such as ``f4``; the byte order is in the state that follows."""
    made = Stub()
    made["name"] = name
    return made


def _array(shape: object, dtype: object, is_fortran: object, data: object) -> Tensor | Stub:
    """Bytes as a tensor; a stub where they are no plain numbers, little-endian, of a shape that fits."""
    kind = dtype.get("name") if isinstance(dtype, Stub) else None
    order = dtype.state[1] if isinstance(dtype, Stub) and isinstance(dtype.state, tuple) and dtype.state[1:] else "<"
    data = _encode(data, "latin1") if isinstance(data, str) else data  # of Python 2
    if kind not in _ARRAY_DTYPES or order not in ("<", "|", "=") or not isinstance(data, (bytes, bytearray)):
        return Stub()
    if not isinstance(shape, tuple) or not all(type(side) is int for side in shape):
        return Stub()
    flat = storage_tensor(bytes(data), _ARRAY_DTYPES[kind])
    if math.prod(shape) != len(flat):
        return Stub()
    return flat.reshape(shape[::-1]).permute(*range(len(shape))[::-1]) if is_fortran else flat.reshape(shape)


def _set(*values: object) -> object:
    """``set``: a network that was pickled whole names in one the buffers that are not saved."""
    return set(values[0]) if len(values) == 1 and isinstance(values[0], list) else Stub()


# All that a pickle can reach. Each is a function of this module or a constant.
_KNOWN: Mapping[tuple[str, str], object] = {
    ("collections", "OrderedDict"): _Dictionary,
    ("torch._utils", "_rebuild_tensor"): _rebuild_tensor,
    ("torch._utils", "_rebuild_tensor_v2"): _rebuild_tensor,
    ("torch._utils", "_rebuild_tensor_v3"): _rebuild_tensor,
    ("torch._utils", "_rebuild_parameter"): _rebuild_parameter,
    ("torch._utils", "_rebuild_parameter_with_state"): _rebuild_parameter,
    ("torch._tensor", "_rebuild_from_type_v2"): _rebuild_from_type,
    ("torch", "Size"): _size,
    **{
        (f"numpy.{core}.{module}", name): function
        for core in ("core", "_core")
        for module, name, function in (
            ("multiarray", "_reconstruct", _reconstruct_array),
            ("numeric", "_frombuffer", _array_from_buffer),
        )
    },
    ("numpy", "dtype"): _dtype,
    ("_codecs", "encode"): _encode,
    ("builtins", "set"): _set,
    ("__builtin__", "set"): _set,
    **{("torch", name): StorageType(dtype) for name, dtype in _STORAGE_DTYPES.items()},
    ("torch.storage", "UntypedStorage"): StorageType(torch.uint8),
}


class InertUnpickler(pickle._Unpickler):
    """Reads one pickle of a stream.

    Args:
        file: The stream.
        load_storage: Called with the persistent id of a storage; returns it as a tensor of one dimension.
    """

    # Python's own implementation, whose steps can be replaced. C's also takes objects from the extension registry of
    # `copyreg`, past `find_class`; here those codes are unknown.
    dispatch: ClassVar[dict[int, Any]] = {
        code: step
        for code, step in pickle._Unpickler.dispatch.items()
        if bytes([code]) not in (pickle.EXT1, pickle.EXT2, pickle.EXT4)
    }

    def __init__(self, file: IO[bytes], load_storage: Callable[[object], object] | None = None) -> None:
        # Checkpoints of Python 2 hold bytes as text.
        super().__init__(file, encoding="latin1")
        self._load_storage = load_storage

    def find_class(self, module_name: str, global_name: str, /) -> Any:
        """What a name in the pickle stands for here."""
        return _KNOWN.get((module_name, global_name), Stub)

    def persistent_load(self, pid: Any) -> object:
        """A storage that lies outside the pickle."""
        if self._load_storage is None:
            raise pickle.UnpicklingError("a reference to a storage where there is none")
        return self._load_storage(pid)

    def _reduce(self) -> None:
        """Call what is on the stack, if it is one of ours."""
        arguments = self.stack.pop()  # type: ignore[attr-defined]
        self.stack[-1] = _call(self.stack[-1], arguments)  # type: ignore[attr-defined]

    def _build(self) -> None:
        """Give an object its state, if it is a stub. A tensor's state is nothing that we need."""
        state = self.stack.pop()  # type: ignore[attr-defined]
        made = self.stack[-1]  # type: ignore[attr-defined]
        if isinstance(made, _Array) and isinstance(state, tuple) and len(state) == 5:
            made["tensor"] = _array(*state[1:])
        if isinstance(made, Stub):
            made.state = state

    dispatch[pickle.REDUCE[0]] = dispatch[pickle.NEWOBJ[0]] = _reduce
    dispatch[pickle.BUILD[0]] = _build


_FUNCTIONS = (
    *(_rebuild_tensor, _rebuild_parameter, _rebuild_from_type, _size, _set, _Dictionary),
    *(_reconstruct_array, _array_from_buffer, _dtype, _encode),
)


def _call(function: object, arguments: object) -> object:
    if function in _FUNCTIONS:
        return function(*arguments) if isinstance(arguments, tuple) and callable(function) else Stub()
    return Stub()


def unpickle(file: IO[bytes], load_storage: Callable[[object], object] | None = None) -> object:
    """Read one pickle of a stream, see ``InertUnpickler``.

    Raises:
        Exception: Of any kind, where the stream is not a pickle.
    """
    return InertUnpickler(file, load_storage).load()


def as_tensor(value: object) -> Tensor | None:
    """What a checkpoint holds under a key, if it is a tensor or an array of numbers."""
    found = value.get("tensor") if isinstance(value, _Array) else value
    return found if isinstance(found, Tensor) else None


def storage_tensor(data: bytes, dtype: torch.dtype) -> Tensor:
    """Bytes of a file, little-endian, as a tensor of one dimension."""
    if sys.byteorder != "little":
        raise ValueError("this machine is big-endian")
    return torch.frombuffer(bytearray(data), dtype=dtype) if data else torch.empty(0, dtype=dtype)
