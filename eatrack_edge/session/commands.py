"""What people may ask of a live session. A command is put into its queue from any thread."""

from __future__ import annotations

import itertools
import math
from typing import NamedTuple

from eatrack_edge.core.boxes import Box
from eatrack_edge.core.errors import UsageError

KEEP_S = 5.0  # that a frame is kept for who draws on it: from older ones few targets are found (docs/selection.md)
_ids = itertools.count(1)


def new_selection_id() -> int:
    """A number that no other selection of this process has, for whoever waits for the answer to one."""
    return next(_ids)  # one step of the interpreter: threads never get the same


class Select(NamedTuple):
    """Track the target in a box, in place of any other.

    Attributes:
        box: In pixels of the frame that the user saw.
        frame: Number of that frame (``LiveFrame.index``); ``None`` is the one captured the session's view delay ago,
            which is the newest where there is no delay.
        id: From ``new_selection_id``; the ``SelectionEvent`` that answers it has the same. ``None`` where nobody waits.
    """

    box: Box
    frame: int | None = None
    id: int | None = None


class SelectPoint(NamedTuple):
    """Track what lies under a point, such as a click, in place of any other target. Its box is proposed.

    Attributes:
        x: In pixels of the frame that the user saw, from its left edge.
        y: The same, from its top edge.
        frame: As in ``Select``.
        id: As in ``Select``.
    """

    x: float
    y: float
    frame: int | None = None
    id: int | None = None


class KeepFrame(NamedTuple):
    """Keep a frame that somebody draws on, such as one on a paused screen, for ``KEEP_S`` seconds.

    A selection on it ends this. One frame is kept at a time, the one that was asked for last.

    Attributes:
        frame: Its number. One that is not held any more cannot be kept.
    """

    frame: int


class RestoreTemplate(NamedTuple):
    """Compare the target with an earlier template again, in the second slot.

    Attributes:
        number: Of the template, see ``Tracker.templates``; 0 is the first.
    """

    number: int


class Stop(NamedTuple):
    """Track nothing, and wait for a selection."""


class Quit(NamedTuple):
    """End the session."""


Selection = Select | SelectPoint
Command = Selection | KeepFrame | RestoreTemplate | Stop | Quit


def parse_command(line: str) -> Command:
    """A command from a line of text.

    Raises:
        UsageError: Not a command.

    >>> parse_command("select 10,20,30,40 117")
    Select(box=(10.0, 20.0, 30.0, 40.0), frame=117, id=None)
    >>> parse_command("point 25,40")
    SelectPoint(x=25.0, y=40.0, frame=None, id=None)
    """
    word, *rest = line.split() or [""]
    if not rest and word in ("stop", "quit"):
        return Stop() if word == "stop" else Quit()
    if word == "restore" and len(rest) == 1 and rest[0].isascii() and rest[0].isdigit():
        return RestoreTemplate(int(rest[0]))
    try:
        numbers = [float(part) for part in rest[0].split(",")]
        frame = int(rest[1]) if len(rest) == 2 else None
        if len(rest) <= 2 and all(map(math.isfinite, numbers)):
            if word == "select":
                x, y, w, h = numbers
                return Select((x, y, w, h), frame)
            if word == "point":
                x, y = numbers
                return SelectPoint(x, y, frame)
    except (ValueError, IndexError):
        pass
    raise UsageError(
        f"not a command: `{line.strip()}`",
        hint="commands are: select x,y,w,h [frame]; point x,y [frame]; restore number; stop; quit",
    )
