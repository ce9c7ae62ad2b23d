"""Options that several commands have, and boxes, ranges and durations as options, checked before anything runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, cast

import typer

from eatrack_edge.core.errors import UsageError

if TYPE_CHECKING:
    from eatrack_edge.core.boxes import Box, BoxFormat

RefinementName = Annotated[
    str, typer.Option(help="Second look of our tracker at its box: auto, off, vittrack, or one of your own.")
]

_UNITS_MS = {"ms": 1.0, "s": 1000.0, "m": 60_000.0, "h": 3_600_000.0}


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


def read_box(text: str, layout: str, size: tuple[int, int], *, is_normalized: bool) -> Box:
    """The target in pixels of the first frame, refused where it looks like another format than was said.

    Args:
        text: Four numbers.
        layout: ``xywh``, ``xyxy`` or ``cxcywh``.
        size: Width and height of the frame, pixels.
        is_normalized: The numbers are fractions of the frame.

    Raises:
        UsageError: No four numbers, an unknown layout, or probably another format.
        InputError: The box is empty, smaller than a pixel, or its centre is outside the frame.
    """
    from eatrack_edge.core.boxes import check_box

    if layout not in ("xywh", "xyxy", "cxcywh"):
        raise UsageError(f"--box-format is xywh, xyxy or cxcywh, got `{layout}`")
    numbers = parse_box(text)
    if is_normalized and max(numbers) > 2:
        raise UsageError(f"--box {text} is not in fractions of the frame", hint="leave out --normalized for pixels")
    if not is_normalized and max(abs(number) for number in numbers) <= 1:
        raise UsageError(f"--box {text} is smaller than a pixel", hint="are these fractions of the frame? --normalized")
    width, height = size
    scale_x, scale_y = size if is_normalized else (1, 1)
    x, y, w, h = parse_box(text, cast("BoxFormat", layout))
    box = x * scale_x, y * scale_y, w * scale_x, h * scale_y
    _refuse_other_layout(text, layout, box, size)
    check_box(box, width, height)
    return box


def _refuse_other_layout(text: str, layout: str, box: Box, size: tuple[int, int]) -> None:
    """Refuse corners given as x,y,w,h, and x,y,w,h given as corners."""
    from eatrack_edge.core.boxes import looks_like_corners

    _, _, w, h = box
    width, height = size
    if layout == "xyxy" and (w <= 0 or h <= 0):
        raise UsageError(f"--box {text} has no size as corners", hint="is it x,y,w,h? leave out --box-format xyxy")
    if layout != "xywh" or w <= 0 or h <= 0:
        return
    if looks_like_corners(box, width, height):
        raise UsageError(
            f"--box {text} lies mostly outside the frame, {width}x{height}",
            hint="are these the corners x1,y1,x2,y2? --box-format xyxy",
        )


def parse_range(text: str) -> tuple[float, float]:
    """Two numbers with a comma or a blank between them, the lower first.

    Raises:
        UsageError: They are not.
    """
    try:
        low, high = (float(part) for part in text.replace(",", " ").split())
    except ValueError:
        low, high = 0.0, 0.0
    if not low < high < float("inf"):
        raise UsageError(f"--value-range needs two numbers, got `{text}`", hint="for example: --value-range 7000,9000")
    return low, high


def parse_milliseconds(text: str, option: str, example: str) -> float:
    """A duration such as ``300ms``, ``0.3s``, ``10m`` or ``1h``, in milliseconds.

    Args:
        text: A number and its unit: without one, a typing slip would be a thousand times as long.
        option: That it was given to, for the error.
        example: A value of the option, for the hint.

    Raises:
        UsageError: It has no unit, or is negative.

    >>> parse_milliseconds("300ms", "--view-delay", "300ms"), parse_milliseconds("0.3 s", "--view-delay", "300ms")
    (300.0, 300.0)
    """
    number = text.strip().rstrip("hms")
    try:
        value = float(number) * _UNITS_MS[text.strip()[len(number) :]]
    except (ValueError, KeyError):
        value = -1.0
    if not 0 <= value < float("inf"):
        units = ", ".join(_UNITS_MS)
        raise UsageError(
            f"{option} needs a duration with a unit, {units}, got `{text}`", hint=f"for example: {option} {example}"
        )
    return value
