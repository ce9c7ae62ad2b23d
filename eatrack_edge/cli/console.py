"""Tables and long lines on the terminal, and in a pipe that has no width."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

_PIPE_WIDTH = 160


def console() -> Any:
    """Where tables go."""
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else _PIPE_WIDTH, highlight=False)


def table(rows: Sequence[Sequence[str]], title: str = "") -> Any:
    """A table for ``console``; the first row is of headings, the first column to the left."""
    from rich.table import Table

    made = Table(*rows[0], title=title or None, title_justify="left", box=None, padding=(0, 2, 0, 0))
    for place, column in enumerate(made.columns):
        column.justify = "left" if place == 0 else "right"
    for row in rows[1:]:
        made.add_row(*row)
    return made
