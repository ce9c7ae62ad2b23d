"""TOML to frozen dataclasses. A typo is refused with a suggestion; the file's path leads every message."""

from __future__ import annotations

import math
import re
import sys
from pathlib import Path
from typing import Any, TypeVar

import msgspec
from msgspec import inspect

from eatrack_edge.core.errors import ConfigError, did_you_mean
from eatrack_edge.core.reasons import reason_of

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

T = TypeVar("T")
# msgspec's message: "Expected `int`, got `bool` - at `$.cropping.padding[1]`", or what the dataclass refused.
_PLACE = re.compile(r" - at `\$\.?(.*)`$")
_MISSING = re.compile(r"Object missing required field `(.+)`")
_WRONG_TYPE = re.compile(r"Expected `(.+?)`(.*), got ")


def load(kind: type[T], path: Path) -> T:
    """Read a TOML file into ``kind``, refusing keys it does not have.

    A field may be a string, a number, a boolean, a tuple, a union of those, or another dataclass, which is a TOML
    table. Values are not converted, except integers to floats and lists to tuples.

    Raises:
        ConfigError: The file cannot be read; a key is unknown or missing; a value is of another type, or one that
            ``kind`` refuses. The message starts with the path.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"{path}: {reason_of(error)}", hint="name another file") from error
    except (UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path}: {error}") from error
    try:
        _check_keys(inspect.type_info(kind), table, "")
        return msgspec.convert(table, kind)
    except ConfigError as error:  # a key that is unknown, or a value that a dataclass refuses
        raise ConfigError(f"{path}: {error.message}", hint=error.hint) from None
    except msgspec.ValidationError as error:
        message, hint = _explain(error, table)
        raise ConfigError(f"{path}: {message}", hint=hint) from None


def _check_keys(kind: inspect.Type, value: Any, prefix: str) -> None:
    """Refuse keys that a dataclass does not have, and numbers that are not finite: msgspec takes both."""
    if isinstance(kind, inspect.DataclassType) and isinstance(value, dict):
        fields = {field.name: field.type for field in kind.fields}
        for key, inner in value.items():
            if key not in fields:
                hint = did_you_mean(key, fields, "known keys: {}", prefix=prefix)
                raise ConfigError(f"unknown key `{prefix}{key}`", hint=hint)
            _check_keys(fields[key], inner, f"{prefix}{key}.")
    elif isinstance(kind, inspect.VarTupleType) and isinstance(value, list):
        for index, item in enumerate(value):
            _check_keys(kind.item_type, item, f"{prefix[:-1]}[{index}].")
    elif isinstance(kind, inspect.UnionType):
        for option in kind.types:
            _check_keys(option, value, prefix)
    elif isinstance(value, float) and not math.isfinite(value):
        raise ConfigError(f"`{prefix[:-1]}` must be finite, got {value}")


def _explain(error: msgspec.ValidationError, table: dict[str, Any]) -> tuple[str, str]:
    """What msgspec refused, with the value that came, and the hint of the dataclass that refused it."""
    text = _PLACE.sub("", str(error))
    found = _PLACE.search(str(error))
    place = found[1] if found else ""
    if missing := _MISSING.match(text):
        return f"missing key `{f'{place}.' if place else ''}{missing[1]}`", ""
    if wrong := _WRONG_TYPE.match(text):
        value: Any = table
        for key in re.findall(r"[^.\[\]]+", place):
            value = value[int(key)] if isinstance(value, list) else value[key]
        expected = wrong[1].replace(" | null", "").replace("object", "table") + wrong[2]
        return f"`{place}` must be {expected}, got {value!r}", ""
    return text, getattr(error.__cause__, "hint", "")
