"""What a check found, and the command that fixes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

State = Literal["ok", "note", "problem"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the diagnosis."""

    subject: str  # what was checked, e.g. power mode
    state: State  # note: works, but could be better, or is simply absent; problem: something is broken
    text: str  # what was found, one line without a full stop
    fix: str = ""  # a command that fixes or improves it; empty where there is none
    facts: Mapping[str, object] = field(default_factory=dict)  # the same for machines; plain JSON values
