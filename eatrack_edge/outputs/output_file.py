"""A file to write to, whose failures read like ours."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from eatrack_edge.core.errors import OutputError, UsageError
from eatrack_edge.core.reasons import as_clause
from eatrack_edge.outputs.base import BaseOutput, Output, RunInfo

_HINTS = {
    errno.ENOSPC: "free some space, or write to another disk",
    errno.EDQUOT: "free some space, or write to another disk",
    errno.EACCES: "choose a folder that you may write to",
    errno.EPERM: "choose a folder that you may write to",
    errno.EROFS: "the disk is read-only: choose another folder",
    errno.EISDIR: "name a file, not a folder",
    errno.ENOTDIR: "a part of the path is a file, not a folder",
    errno.ENAMETOOLONG: "choose a shorter name",
    errno.EPIPE: "whoever read it has ended",
}


def already_there(path: Path) -> UsageError:
    """The error for a file that exists and may not be replaced."""
    return UsageError(f"{path}: already there", hint="--overwrite replaces it")


def check_writable(path: Path, *, overwrite: bool) -> None:
    """Refuse what an ``OutputFile`` would refuse, without opening it.

    Raises:
        UsageError: The file is there and ``overwrite`` is not set.
        OutputError: The file cannot be written.
    """
    try:
        number = _refusal(path, overwrite=overwrite)
    except OSError as error:  # a name longer than it may be
        number = error.errno or errno.EIO
    if number:
        reason = os.strerror(number)
        raise OutputError(f"{path}: cannot be written: {as_clause(reason)}", hint=_HINTS.get(number, ""))


def _refusal(path: Path, *, overwrite: bool) -> int:
    """The number of the system's error that opening a file would end with; 0 where none is to be expected."""
    if is_special(path):
        return 0
    if path.is_dir():
        return errno.EISDIR
    if path.exists():
        if not overwrite:
            raise already_there(path)
        return 0 if os.access(path, os.W_OK) else errno.EACCES
    folder = next(one for one in path.absolute().parents if one.exists())
    return errno.ENOTDIR if not folder.is_dir() else 0 if os.access(folder, os.W_OK) else errno.EACCES


_STANDARD_OUTPUT = frozenset({"-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"})


def is_standard_output(path: Path) -> bool:
    """Whether a path stands for the standard output: ``-`` and what Linux calls it."""
    return str(path) in _STANDARD_OUTPUT


def is_special(path: Path) -> bool:
    """Whether a path is the standard output, a device or a pipe: nothing that could be replaced."""
    return is_standard_output(path) or path.is_char_device() or path.is_fifo()


class PatientStream:
    """A stream for a library that cannot be trusted with failures: they are kept, and later writes go nowhere.

    Attributes:
        failure: The first failure; ``None`` while all is well.
    """

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.failure: OSError | ValueError | None = None

    def write(self, data: bytes) -> int:
        """Write, or pretend to after a failure."""
        if self.failure is None:
            try:
                _write_all(self._stream, data)
            except (OSError, ValueError) as error:  # a ValueError when the stream was closed
                self.failure = error
        return len(data)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move, or pretend to after a failure."""
        if self.failure is None:
            try:
                return self._stream.seek(offset, whence)
            except (OSError, ValueError) as error:  # a ValueError when the stream was closed
                self.failure = error
        return offset

    def tell(self) -> int:
        """Where the next write goes, bytes."""
        return 0 if self.failure else self._stream.tell()


class ForwardStream:
    """A stream without a way back, such as a pipe: a library that finds no ``seek`` does without."""

    def __init__(self, stream: PatientStream) -> None:
        self.write = stream.write


def _write_all(stream: BinaryIO, data: bytes) -> None:
    """Write all of ``data``: a pipe may take less at a time."""
    rest = memoryview(data)
    while rest:
        rest = rest[stream.write(rest) :]


class OutputFile:
    """A new file, in a folder that is made if need be. Each write goes to the system at once.

    Args:
        path: The file; ``-`` is the standard output. A device or a pipe that is there is written to as it is.
        overwrite: Replace a file that is there.

    Raises:
        UsageError: The file is there and ``overwrite`` is not set.
        OutputError: The file cannot be written.
    """

    def __init__(self, path: Path, *, overwrite: bool = False) -> None:
        self.path = path
        self._is_broken = False
        with self.reporting():
            self.stream = self._opened(overwrite)

    def _opened(self, overwrite: bool) -> BinaryIO:
        if is_standard_output(self.path):
            sys.stdout.flush()
            return os.fdopen(os.dup(1), "wb", buffering=0)
        if is_special(self.path):
            return self.path.open("wb", buffering=0)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            return self.path.open("wb" if overwrite else "xb", buffering=0)
        except FileExistsError:
            raise already_there(self.path) from None

    @contextlib.contextmanager
    def reporting(self, *kinds: type[Exception]) -> Iterator[None]:
        """Turn failures inside, of ``kinds`` or of the system, into an ``OutputError`` that names the file."""
        caught: tuple[type[Exception], ...] = (OSError, *kinds)
        try:
            yield
        except caught as error:
            self._give_up()
            number = getattr(error, "errno", None) or 0
            reason = os.strerror(number) if number > 0 else str(error)
            name = "standard output" if is_standard_output(self.path) else self.path
            message = f"{name}: cannot be written: {as_clause(reason)}"
            raise OutputError(message, hint=_HINTS.get(number, "")) from error

    def write(self, data: bytes) -> None:
        """Write, and hand it to the system at once.

        Raises:
            OutputError: The disk is full, or gone.
        """
        with self.reporting():
            _write_all(self.stream, data)

    def close(self) -> None:
        """Close; a second time does nothing.

        Raises:
            OutputError: The last of it cannot be written; said once, not again after a write that failed.
        """
        if not self._is_broken:
            with self.reporting():
                self.stream.close()

    def _give_up(self) -> None:
        self._is_broken = True
        if hasattr(self, "stream"):
            with contextlib.suppress(OSError):
                self.stream.close()


class FileOutput(BaseOutput):
    """An output that is one ``OutputFile``.

    Args:
        path: The file.
        overwrite: Replace a file that exists.

    Raises:
        UsageError: The file exists and ``overwrite`` is not set.
        OutputError: The file cannot be written.
    """

    def __init__(self, path: Path, *, overwrite: bool = False) -> None:
        self._file = OutputFile(path, overwrite=overwrite)

    @classmethod
    def open(cls, path: Path, run: RunInfo) -> Output:
        """Open it for a run."""
        return cls(path, overwrite=run.overwrite)  # type: ignore[return-value]  # whoever inherits can write

    def close(self) -> None:
        """Finish the file; a second call does nothing.

        Raises:
            OutputError: The rest cannot be written.
        """
        self._file.close()

    def sync(self) -> None:
        """Wait until what was written is on the disk, where a power cut leaves it; from any thread."""
        with contextlib.suppress(OSError, ValueError):  # closed meanwhile; a full disk is for the next write to report
            os.fdatasync(self._file.stream.fileno())

    def finish(self, error: BaseException | None) -> None:
        """Close at the end of a run; a failure to do so never hides the ``error`` that ended it."""
        try:
            self.close()
        except OutputError:
            if error is None:
                raise
