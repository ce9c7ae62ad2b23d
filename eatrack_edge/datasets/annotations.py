"""Annotation files: rows of boxes and of flags, however the dataset separates its numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from eatrack_edge.core.errors import InputError


def read_boxes(path: Path) -> NDArray[np.float64]:
    """Read boxes, one a line: four numbers separated by commas, tabs, blanks or semicolons.

    Returns:
        Rows as written, shape (N, 4); ``nan`` stays ``nan``.

    Raises:
        InputError: No file, no row, or a line that is not four numbers; the message names the line.
    """
    text = _text(path).rstrip()
    rows = [line.split() for line in text.splitlines()]
    if {len(row) for row in rows} == {4}:
        try:
            return np.array(text.split(), np.float64).reshape(-1, 4)
        except ValueError:
            pass
    for number, row in enumerate(rows, start=1):
        if len(row) != 4 or not all(_is_number(value) for value in row):
            raise InputError(f"{path}:{number}: expected four numbers x,y,w,h, got `{' '.join(row)[:60]}`")
    raise InputError(f"{path}: no boxes in the file")


def has_size(boxes: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Which boxes, shape (N, 4), have a size; the others say that the target is absent."""
    return np.asarray((np.nan_to_num(boxes[:, 2:]) > 0).all(axis=1))


def check_in_pixels(boxes: NDArray[np.float64], where: str) -> None:
    """Refuse boxes, shape (N, 4), that are fractions of the frame, or infinite.

    Raises:
        InputError: They are; the message begins with ``where``.
    """
    known = boxes[has_size(boxes)]
    if not np.isfinite(known).all():
        raise InputError(f"{where}: a box is infinite", hint="write nan where the target is absent")
    if len(known) and (np.abs(known) <= 1).all():
        raise InputError(
            f"{where}: all boxes are smaller than a pixel, such as {known[0].tolist()}",
            hint="are these fractions of the frame? boxes are x,y,w,h in pixels",
        )


def read_flags(path: Path) -> NDArray[np.bool_]:
    """Read flags, in a row or a column: any number above 0 is true.

    Raises:
        InputError: No file, or something that is not a number.
    """
    values = _text(path).split()
    for value in values:
        if not _is_number(value):
            raise InputError(f"{path}: expected flags of 0 and 1, got `{value[:60]}`")
    return np.array([float(value) > 0 for value in values], np.bool_)


def read_words(path: Path) -> list[str]:
    """Read words, such as names of sequences, separated by blanks, line ends or commas.

    Raises:
        InputError: No file, or not a text file.
    """
    return _text(path).split()


def _text(path: Path) -> str:
    """The file's text with every separator made a blank."""
    try:
        content = path.read_bytes()
        # Files that passed through Windows begin with a mark, and those of PowerShell have two bytes a letter.
        text = content.decode("utf-16" if content[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except FileNotFoundError:
        raise InputError(f"expected a file at {path}") from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read: {error}") from error
    return text.replace(",", " ").replace("\t", " ").replace(";", " ")


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
