"""The errors, as a tree. Every error is one line, and most carry a hint with the next step.

    EATrackError              exit code 1
    ├── UsageError            2   a usage error: the request cannot be carried out as given
    │   ├── InputError        2   a source, box, frame or file is not what it should be
    │   ├── ConfigError       2   a recipe, device or suite file is wrong
    │   └── CheckpointError   2   weights do not fit the network
    ├── MachineError          3   this machine lacks something
    │   ├── MissingExtra      3   an optional dependency is not installed
    │   ├── EngineMismatch    3   an engine was built for another machine, or from another graph
    │   └── OutputError       3   a file cannot be written
    ├── GateFailed            4   a graph or a result is worse than allowed
    └── SourceLost            5   frames stopped coming before the source's end

Library code raises these; only ``cli`` prints them and exits.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class EATrackError(Exception):
    """An expected failure.

    Attributes:
        message: One line, no full stop, with the value that came and the value that is needed.
        hint: The next step, ideally a command; empty when there is none.
    """

    exit_code = 1

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\nhint: {self.hint}" if self.hint else self.message


class UsageError(EATrackError):
    """A usage error: the request cannot be carried out as given."""

    exit_code = 2


class InputError(UsageError, ValueError):
    """A source, box, frame or file is not what it should be."""


class ConfigError(UsageError):
    """A recipe, device or suite file is wrong."""


class CheckpointError(UsageError):
    """Weights do not fit the network."""


class MachineError(EATrackError):
    """This machine lacks something."""

    exit_code = 3


class MissingExtra(MachineError):
    """An optional dependency is not installed."""


class EngineMismatch(MachineError):
    """An engine was built for another machine, or from another graph."""


class OutputError(MachineError):
    """A file cannot be written."""


class GateFailed(EATrackError):
    """A graph or a result is worse than allowed."""

    exit_code = 4


class SourceLost(EATrackError):
    """Frames stopped coming before the source's end."""

    exit_code = 5


def did_you_mean(name: str, known: Iterable[str], otherwise: str = "known: {}", *, prefix: str = "") -> str:
    """The hint for a name that nothing has: the known one that is nearest.

    Args:
        name: What came.
        known: What there is.
        otherwise: The hint where none is near; ``{}`` stands for all that are known.
        prefix: What the user must write before it, such as the table that a key is in.

    >>> did_you_mean("fp61", ["fp32", "fp16"]), did_you_mean("x", ["fp32", "fp16"])
    ('did you mean `fp16`?', 'known: fp32, fp16')
    """
    names = list(known)
    near = difflib.get_close_matches(name, names, n=1)
    return f"did you mean `{prefix}{near[0]}`?" if near else otherwise.format(", ".join(names))
