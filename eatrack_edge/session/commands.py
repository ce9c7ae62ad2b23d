"""What people may ask of a live session. A command is put into its queue from any thread."""

from __future__ import annotations

from typing import NamedTuple

from eatrack_edge.core.boxes import Box
from eatrack_edge.core.errors import UsageError


class Select(NamedTuple):
    """Track the target in a box, in place of any other.

    Attributes:
        box: In pixels of the frame that the user saw.
        frame: Number of that frame; ``None`` is the newest.
    """

    box: Box
    frame: int | None = None


class Stop(NamedTuple):
    """Track nothing, and wait for a selection."""


class Quit(NamedTuple):
    """End the session."""


Command = Select | Stop | Quit


def parse_command(line: str) -> Command:
    """A command from a line of text.

    Raises:
        UsageError: Not a command.

    >>> parse_command("select 10,20,30,40 117")
    Select(box=(10.0, 20.0, 30.0, 40.0), frame=117)
    """
    word, *rest = line.split()
    if word == "stop" and not rest:
        return Stop()
    if word == "quit" and not rest:
        return Quit()
    try:
        x, y, w, h = (float(part) for part in rest[0].split(","))
        if word == "select" and len(rest) <= 2:
            return Select((x, y, w, h), int(rest[1]) if len(rest) == 2 else None)
    except (ValueError, IndexError):
        pass
    raise UsageError(f"not a command: `{line.strip()}`", hint="commands are: select x,y,w,h [frame]; stop; quit")
