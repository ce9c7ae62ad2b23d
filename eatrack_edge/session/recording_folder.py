"""A folder of recordings: a folder for each run, segments in it, and room on the disk for the next one."""

from __future__ import annotations

import math
import re
import shutil
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from filelock import FileLock, Timeout

from eatrack_edge.core.errors import ConfigError, OutputError, UsageError
from eatrack_edge.core.reasons import reason_of
from eatrack_edge.outputs.output_file import check_writable
from eatrack_edge.outputs.outputs import removal_of_new

_RUN, _SEGMENT = re.compile(r"run-(\d{4,})"), re.compile(r"(\d{5,})\.(mkv|jsonl)")
_UNITS = {"": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30}
# Shares of the disk, and bytes at most. Old segments are deleted below the first; recording stops below the second.
_KEEP_FREE, _STOP_BELOW = (0.10, 2 * 10**9), (0.02, 500 * 10**6)
_KEPT = 2  # newest segments, which are never deleted


def parse_bytes(text: str) -> int:
    """A number of bytes, such as ``8GB``, ``500 MB`` or ``2GiB``.

    Raises:
        ConfigError: It is none.

    >>> parse_bytes("8GB"), parse_bytes("0.5 GiB")
    (8000000000, 536870912)
    """
    match = re.fullmatch(r"\s*(\d+(?:\.\d*)?)\s*([a-zA-Z]*)\s*", text)
    if match is None or match[2].upper() not in _UNITS:
        raise ConfigError(f"a budget of disk space must be a number of bytes, got `{text}`", hint="for example: 8GB")
    return int(float(match[1]) * _UNITS[match[2].upper()])


class SegmentFile(NamedTuple):
    """One file of a recording."""

    run: int
    segment: int
    path: Path
    size_bytes: int


class RecordingFolder:
    """Claims a run of its own in a folder, and deletes the oldest segments of all runs where space is short.

    Only files that are named as segments are counted and deleted, never the newest two.

    Args:
        folder: Made if need be. One process at a time records into it.
        budget_bytes: Most that all runs together may take; 0 is what the disk has.

    Attributes:
        run: Number of this run, one more than the highest there. A drone's clock may be wrong; this never is.

    Raises:
        UsageError: Another process records there.
        OutputError: The folder cannot be made or written to, or the disk is full. Then nothing that was made is left.
    """

    def __init__(self, folder: Path, budget_bytes: int = 0) -> None:
        lock_file = folder / ".lock"
        check_writable(lock_file, overwrite=True)
        self._folder, self._budget = folder, budget_bytes
        self._users = 0
        self._undo = removal_of_new([lock_file])
        # Taken by the thread that opens the flight, and released by that of the last output.
        self._lock = FileLock(lock_file, timeout=0, thread_local=False)
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self._lock.acquire()
            self.run = 1 + max((int(match[1]) for match in map(_run_number, folder.iterdir()) if match), default=0)
            self.make_room()
            self.run_folder.mkdir()
        except Timeout:  # what was made meanwhile is the other run's
            raise UsageError(f"{folder}: another run is recording there", hint="name another folder") from None
        except BaseException as error:
            self._undo()  # before the lock is free: then its file may be another run's
            self._lock.release()
            if isinstance(error, OSError):
                raise OutputError(f"{folder}: cannot be recorded to: {reason_of(error)}") from error
            raise

    @property
    def run_folder(self) -> Path:
        """Where the segments of this run are."""
        return self._folder / f"run-{self.run:04d}"

    def path(self, number: int, suffix: str) -> Path:
        """The file of a segment of this run."""
        return self.run_folder / f"{number:05d}{suffix}"

    def make_room(self) -> None:
        """Delete the oldest segments while they take more than the budget, or too little of the disk is free.

        Raises:
            OutputError: The disk is full, and what may be deleted is not enough: then it is kept.
        """
        files = self._files()
        segments = sorted({file[:2] for file in files})
        total = sum(file.size_bytes for file in files)
        # First, or recordings would be deleted for one that cannot be made in spite of it.
        self._check_free(sum(file.size_bytes for file in files if file[:2] not in segments[-_KEPT:]))
        for segment in segments[:-_KEPT]:
            if (not self._budget or total <= self._budget) and self._free() >= self._limit(_KEEP_FREE):
                break
            for file in (file for file in files if file[:2] == segment):  # a video and its log
                file.path.unlink(missing_ok=True)
                total -= file.size_bytes
                with suppress(OSError):  # not empty yet
                    file.path.parent.rmdir()
        self._check_free()

    def _check_free(self, deletable_bytes: int = 0) -> None:
        """See that enough of the disk is free, or would be without what may be deleted.

        Raises:
            OutputError: The disk is full.
        """
        if self._free() + deletable_bytes < self._limit(_STOP_BELOW):
            raise OutputError(
                f"{self._folder}: the disk is full: {self._free() // 1_000_000} MB are free, "
                f"and a recording leaves {math.ceil(self._limit(_STOP_BELOW) / 1e6)} MB",
                hint="free some space, or record to another disk",
            )

    def join(self) -> None:
        """Count one more output that writes here."""
        self._users += 1

    def leave(self) -> None:
        """Count one less; the last gives the folder free. A run in which nothing was written leaves nothing."""
        self._users -= 1
        if self._users == 0:
            with suppress(OSError):  # not empty, as always, or the disk is gone
                self.run_folder.rmdir()
                self._undo()  # what was made for this run, with the lock, which this process holds
            self._lock.release()

    def _files(self) -> list[SegmentFile]:
        folders = [(int(match[1]), path) for path in self._folder.iterdir() if (match := _run_number(path))]
        return [
            SegmentFile(run, int(match[1]), path, path.stat().st_size)
            for run, folder in folders
            if folder.is_dir() and not folder.is_symlink()
            for path in folder.iterdir()
            if (match := _SEGMENT.fullmatch(path.name)) and path.is_file() and not path.is_symlink()
        ]

    def _free(self) -> int:
        return shutil.disk_usage(self._folder).free

    def _limit(self, rule: tuple[float, int]) -> int:
        share, most = rule
        return min(most, round(share * shutil.disk_usage(self._folder).total))


def _run_number(path: Path) -> re.Match[str] | None:
    return _RUN.fullmatch(path.name)
