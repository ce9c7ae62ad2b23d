"""Reads the small files of sysfs and /proc, any of which may be missing, private or asleep."""

from __future__ import annotations

from pathlib import Path


def _read_bytes(path: Path) -> bytes:
    """The one place where bytes are read, so that a test can stand in for a sensor that refuses."""
    return path.read_bytes()


def read_text(path: Path) -> str | None:
    """The file's text without outer blanks and NULs; ``None`` where it cannot be read.

    A powered-down thermal zone answers EAGAIN, a node of another user EACCES, a missing one ENOENT: all are
    ``OSError``, and all mean that the value is not to be had now.
    """
    try:
        return _read_bytes(path).decode("utf-8", "replace").strip(" \t\r\n\0")
    except OSError:
        return None


def read_int(path: Path) -> int | None:
    """The file's whole number, decimal or ``0x...``; ``None`` where there is none."""
    return as_int(read_text(path))


def as_int(text: str | None) -> int | None:
    """A whole number, decimal or ``0x...``; ``None`` for anything else.

    >>> as_int("0xf0"), as_int("-256000"), as_int("<unsupported>")
    (240, -256000, None)
    """
    try:
        return None if text is None else int(text, 16 if text.lower().startswith("0x") else 10)
    except ValueError:
        return None


def matches(folder: Path, pattern: str) -> list[Path]:
    """Paths under ``folder`` that fit ``pattern``, in order; none where the folder cannot be read."""
    try:
        return sorted(folder.glob(pattern))
    except OSError:
        return []
