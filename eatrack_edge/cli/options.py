"""The ``--box`` of every command that takes one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from eatrack_edge.core.errors import UsageError

if TYPE_CHECKING:
    from eatrack_edge.core.boxes import Box, BoxFormat


def parse_box(text: str, layout: BoxFormat = "xywh") -> Box:
    """Four numbers with commas or blanks between them, as a box.

    Raises:
        UsageError: They are no four finite numbers.
    """
    from eatrack_edge.core.boxes import from_format

    try:
        return from_format([float(part) for part in text.replace(",", " ").split()], layout)
    except ValueError:
        raise UsageError(f"--box needs four numbers, got `{text}`", hint="for example: --box 392,327,155,319") from None
