"""Writes files whole or not at all, alone or several together, and hashes files.

Standard library only: engines are read through this on the drone.
"""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from eatrack_edge.core.errors import InputError, OutputError
from eatrack_edge.core.reasons import reason_of

_CHUNK = 1 << 20
_STAGED = ".new-"


def write_whole(path: Path, data: str | bytes | memoryview) -> None:
    """Write a file so that it is there whole or, after a full disk or a power cut, not at all.

    Args:
        path: Where to; its folder is made if need be.
        data: Text is written as UTF-8; what it cannot hold, such as a file's name in another encoding, as ``?``.

    Raises:
        OutputError: It cannot be written; what was there before still is.
    """
    # Beside the target, so that the move at the end is a rename within one file system.
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    with _reporting(path, "free some space, or name another folder: -o FOLDER"):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            with temporary.open("wb") as file:
                file.write(data.encode(errors="replace") if isinstance(data, str) else data)
                file.flush()
                os.fsync(file.fileno())  # a drone loses power: the rename must not overtake the bytes
            temporary.replace(path)
        finally:
            with suppress(OSError):
                temporary.unlink()


def check_writable(folder: Path) -> None:
    """Refuse a folder that cannot be made or written into, before the work whose result goes there. Makes nothing.

    Raises:
        OutputError: It cannot be written.
    """
    there = folder.absolute()
    while not there.exists() and there != there.parent:
        there = there.parent
    if not there.is_dir():
        raise OutputError(f"{folder}: cannot be written: {there} is not a folder", hint="name another folder")
    if not os.access(there, os.W_OK | os.X_OK):
        raise OutputError(f"{folder}: cannot be written: no permission in {there}", hint="name another folder")


@contextmanager
def staged(folder: Path) -> Iterator[Path]:
    """A temporary folder: the files in it at the end of the ``with`` appear in ``folder`` together.

    If the work fails, none appears, nor a folder that was made for them. Folders inside it are removed with it.

    Args:
        folder: Where to; made if need be. Files of the same names are replaced, in the order of their names.

    Raises:
        OutputError: ``folder`` cannot be written. Whatever else the work fails of is raised as it is.
    """
    hint = "name another: -o FOLDER"
    made = [one for one in (folder, *folder.parents) if not one.exists()]
    with _reporting(folder, hint):
        folder.mkdir(parents=True, exist_ok=True)
        # Inside the target, so that the moves at the end are renames within one file system.
        _remove_abandoned(folder)
        work = Path(tempfile.mkdtemp(prefix=f"{_STAGED}{os.getpid()}-", dir=folder))
    try:
        with _reporting(folder, hint, only_within=work):
            yield work
        with _reporting(folder, hint):
            for file in sorted(path for path in work.iterdir() if path.is_file()):
                file.replace(folder / file.name)
    finally:
        shutil.rmtree(work, ignore_errors=True)
        with suppress(OSError):  # something is in it
            for one in made:
                one.rmdir()


def _remove_abandoned(folder: Path) -> None:
    """Remove the folders of processes that were killed while they worked in them."""
    for work in folder.glob(f"{_STAGED}*-*"):
        owner = work.name.removeprefix(_STAGED).partition("-")[0]
        if owner.isdigit() and not _is_running(int(owner)):
            shutil.rmtree(work, ignore_errors=True)


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)  # signal 0 asks, and does nothing
    except ProcessLookupError:
        return False
    except OSError:  # another user's
        return True
    return True


def sha256(*paths: Path) -> str:
    """SHA-256 of one file, or of several as if they were one, in hexadecimal.

    Raises:
        InputError: A file cannot be read.
    """
    digest = hashlib.sha256()
    try:
        for path in paths:
            with path.open("rb") as file:
                while chunk := file.read(_CHUNK):
                    digest.update(chunk)
    except OSError as error:
        raise InputError(f"{error.filename}: cannot be read: {reason_of(error)}") from error
    return digest.hexdigest()


@contextmanager
def _reporting(path: Path, hint: str, *, only_within: Path | None = None) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if only_within and not _happened_in(only_within, error):
            raise
        raise OutputError(f"{path}: cannot be written: {reason_of(error)}", hint=hint) from error


def _happened_in(folder: Path, error: OSError) -> bool:
    if error.filename is None:
        # A write to a full disk raises without a file name. So do sockets and pipes.
        return error.errno in (errno.ENOSPC, errno.EDQUOT)
    return Path(str(error.filename)).absolute().is_relative_to(folder.absolute())
