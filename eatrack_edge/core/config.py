"""TOML to frozen dataclasses. A typo is refused with a suggestion; the file's path leads every message."""

from __future__ import annotations

import math
import sys
import types
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar, Union, cast, get_args, get_origin, get_type_hints

from eatrack_edge.core.errors import ConfigError, did_you_mean

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

T = TypeVar("T")


def load(kind: type[T], path: Path) -> T:
    """Read a TOML file into ``kind``, refusing keys it does not have.

    A field may be a text, a number, a truth value, a tuple, a union of those, or another dataclass, which stands
    as a TOML table.

    Raises:
        ConfigError: The file cannot be read; a key is unknown or missing; a value is of another type, or one that
            ``kind`` refuses. The message starts with the path.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path}: {error}") from error
    return _fill(kind, table, path, prefix="")


def _fill(kind: type[T], table: dict[str, Any], path: Path, prefix: str) -> T:
    wanted = get_type_hints(kind)
    values: dict[str, Any] = {}
    for key, value in table.items():
        if key not in wanted:
            hint = did_you_mean(key, wanted, "known keys: {}", prefix=prefix)
            raise ConfigError(f"{path}: unknown key `{prefix}{key}`", hint=hint)
        values[key] = _read(wanted[key], value, path, prefix + key)
    for spec in fields(cast("Any", kind)):
        if spec.default is MISSING and spec.default_factory is MISSING and spec.name not in table:
            raise ConfigError(f"{path}: missing key `{prefix}{spec.name}`")
    try:
        return kind(**values)
    except (ConfigError, ValueError) as error:
        message, hint = getattr(error, "message", str(error)), getattr(error, "hint", "")
        raise ConfigError(f"{path}: {message}", hint=hint) from None


def _read(kind: Any, value: Any, path: Path, key: str) -> Any:
    """One value as ``kind``; whole numbers pass as floats and lists as tuples, nothing else is bent."""
    if is_dataclass(kind) and isinstance(value, dict):
        return _fill(cast("type[Any]", kind), value, path, prefix=f"{key}.")
    if get_origin(kind) in (Union, types.UnionType):
        for option in get_args(kind):
            if _fits(option, value):
                return _read(option, value, path, key)
    elif get_origin(kind) is tuple and isinstance(value, list):
        inner = get_args(kind)
        kinds = [inner[0]] * len(value) if inner[-1] is Ellipsis else list(inner)
        if len(kinds) == len(value):
            return tuple(
                _read(one, item, path, f"{key}[{i}]") for i, (one, item) in enumerate(zip(kinds, value, strict=True))
            )
    elif _fits(kind, value):
        if kind is float and not math.isfinite(value):
            raise ConfigError(f"{path}: `{key}` must be finite, got {value}")
        return float(value) if kind is float else value
    raise ConfigError(f"{path}: `{key}` must be {_name(kind)}, got {value!r}")


def _fits(kind: Any, value: Any) -> bool:
    if isinstance(value, bool):
        return kind is bool
    if get_origin(kind) is tuple:
        return isinstance(value, list)
    if is_dataclass(kind):
        return isinstance(value, dict)
    return isinstance(value, (int, float)) if kind is float else isinstance(kind, type) and isinstance(value, kind)


def _name(kind: Any) -> str:
    return kind.__name__ if isinstance(kind, type) and not get_args(kind) else str(kind)
