"""Checks that the numbers of a settings object are finite and in their ranges."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import fields
from numbers import Integral, Real
from typing import Any

from eatrack_edge.core.errors import ConfigError

_INTERVAL = re.compile(r"([\[(])(\S+), (\S+)([\])])")


def check_ranges(settings: Any, intervals: Mapping[str, str]) -> None:
    """Refuse a number that is not finite, not in its range, or not whole where an ``int`` is wanted.

    Args:
        settings: A dataclass.
        intervals: Of each number by the field's name, as mathematics writes them: ``[0, 1]``, ``(0, inf)``.

    Raises:
        ConfigError: One is refused; the message names it, with the range.
    """
    kinds = {spec.name: spec.type for spec in fields(settings)}
    for name, interval in intervals.items():
        value = getattr(settings, name)
        if isinstance(value, bool) or not isinstance(value, Real):
            raise ConfigError(f"{name} must be a number, got {value!r}")
        if not _holds(interval, float(value)):
            raise ConfigError(f"{name} must be {_in_words(interval)}, got {value}")
        if kinds[name] in ("int", int) and not isinstance(value, Integral):
            raise ConfigError(f"{name} must be a whole number, got {value}")


def _holds(interval: str, value: float) -> bool:
    opening, low, high, closing = _parts(interval)
    is_above = value > low or (opening == "[" and value == low)
    is_below = value < high or (closing == "]" and value == high)
    return math.isfinite(value) and is_above and is_below


def _in_words(interval: str) -> str:
    """An interval as words.

    >>> _in_words("(0, 1]"), _in_words("[1, inf)")
    ('above 0 and at most 1', 'at least 1')
    """
    opening, low, high, closing = _parts(interval)
    words = [f"{'at least' if opening == '[' else 'above'} {low:g}"] if math.isfinite(low) else []
    words += [f"{'at most' if closing == ']' else 'below'} {high:g}"] if math.isfinite(high) else []
    return " and ".join(words) or "finite"


def _parts(interval: str) -> tuple[str, float, float, str]:
    match = _INTERVAL.fullmatch(interval)
    if match is None:
        raise ValueError(f"not an interval: {interval}")
    return match[1], float(match[2]), float(match[3]), match[4]
