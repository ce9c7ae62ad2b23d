"""Unpickles checkpoints without running any code of the file.

A pickle is a program: it names functions and calls them. Here every name gives one of a few functions of this module,
which rebuild tensors, or ``Stub``, which keeps what it is given and does nothing. So nothing of another package is
imported, and a checkpoint that holds settings or meters of a training package is read without that package.
"""

from __future__ import annotations

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

    def __init__(self, file: IO[bytes], load_storage: Callable[[object], Tensor] | None = None) -> None:
        # Checkpoints of Python 2 hold bytes as text.
        super().__init__(file, encoding="latin1")
        self._load_storage = load_storage

    def find_class(self, module_name: str, global_name: str, /) -> Any:
        """What a name in the pickle stands for here."""
        return _KNOWN.get((module_name, global_name), Stub)

    def persistent_load(self, pid: Any) -> Tensor:
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
        if isinstance(self.stack[-1], Stub):  # type: ignore[attr-defined]
            self.stack[-1].state = state  # type: ignore[attr-defined]

    dispatch[pickle.REDUCE[0]] = dispatch[pickle.NEWOBJ[0]] = _reduce
    dispatch[pickle.BUILD[0]] = _build


def _call(function: object, arguments: object) -> object:
    if function in (_rebuild_tensor, _rebuild_parameter, _rebuild_from_type, _size, _set, _Dictionary):
        return function(*arguments) if isinstance(arguments, tuple) and callable(function) else Stub()
    return Stub()


def unpickle(file: IO[bytes], load_storage: Callable[[object], Tensor] | None = None) -> object:
    """Read one pickle of a stream, see ``InertUnpickler``.

    Raises:
        Exception: Of any kind, where the stream is not a pickle.
    """
    return InertUnpickler(file, load_storage).load()


def storage_tensor(data: bytes, dtype: torch.dtype) -> Tensor:
    """Bytes of a file, little-endian, as a tensor of one dimension."""
    if sys.byteorder != "little":
        raise ValueError("this machine is big-endian")
    return torch.frombuffer(bytearray(data), dtype=dtype) if data else torch.empty(0, dtype=dtype)
