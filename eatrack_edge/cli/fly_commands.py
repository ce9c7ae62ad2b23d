"""The commands of ``eatrack-edge fly --commands``, read from a file, a FIFO or stdin."""

from __future__ import annotations

import os
import stat
import threading
from collections.abc import Callable
from pathlib import Path

from eatrack_edge.cli.console import print_error, print_note
from eatrack_edge.core.errors import UsageError
from eatrack_edge.core.reasons import reason_of
from eatrack_edge.session.commands import Command, parse_command


def open_commands(place: str) -> int:
    """Open where commands come from, without waiting for a writer.

    Args:
        place: A file, a FIFO, or ``-`` for stdin.

    Returns:
        The descriptor itself: a thread that waits inside sys.stdin would spoil Python's shutdown.

    Raises:
        UsageError: It is not there, a folder, or cannot be read.
    """
    try:
        mode = os.fstat(0).st_mode if place == "-" else Path(place).stat().st_mode
        if stat.S_ISDIR(mode):
            raise UsageError(f"{place}: a folder holds no commands", hint=f"mkfifo {place.rstrip('/')}/commands")
        if place == "-":
            return 0
        return os.open(place, os.O_RDWR if stat.S_ISFIFO(mode) else os.O_RDONLY)
    except FileNotFoundError as error:
        raise UsageError(f"{place}: no such file", hint=f"mkfifo {place}") from error
    except OSError as error:
        raise UsageError(f"{place}: no commands can be read: {reason_of(error)}", hint="mkfifo commands") from error


def obey_from(descriptor: int, obey: Callable[[Command], None]) -> None:
    """Read commands to the end of a file, in a thread that ends with the process.

    Args:
        descriptor: Of ``open_commands``.
        obey: Called from the thread with each command.
    """

    def read() -> None:
        rest = b""
        try:
            while data := os.read(descriptor, 4096):
                *lines, rest = (rest + data).split(b"\n")
                for line in lines:
                    _obey_line(line, obey)
        except OSError as error:
            print_note(f"no more commands can be read: {reason_of(error)}")
        _obey_line(rest, obey)  # the last line of a file may lack its end

    threading.Thread(target=read, name="commands", daemon=True).start()


def _obey_line(line: bytes, obey: Callable[[Command], None]) -> None:
    text = line.decode(errors="replace")
    if not text.strip():
        return
    try:
        obey(parse_command(text))
    except UsageError as error:
        print_error(error)
