"""Draws the result of a frame onto it, for people to look at. The one place where boxes become integers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import cast

import cv2
import numpy as np

from eatrack_edge.core.boxes import Box
from eatrack_edge.core.crops import Frame
from eatrack_edge.outputs.base import FrameRecord

Bgr = tuple[int, int, int]

_LOW: Bgr = (60, 70, 235)
_MIDDLE: Bgr = (40, 190, 250)
_HIGH: Bgr = (110, 225, 80)
_BACK: Bgr = (235, 200, 60)
_TEXT: Bgr = (245, 245, 245)
_FAINT: Bgr = (190, 190, 190)
_PANEL: Bgr = (24, 22, 20)
_TRUTH: Bgr = (255, 255, 255)
_FONT = cv2.FONT_HERSHEY_SIMPLEX
_SHIFT = 4  # fractional bits of OpenCV's drawing coordinates


def colour_of(confidence: float) -> Bgr:
    """Red, amber or green, and all between, for a confidence in [0, 1]; ``nan`` is amber.

    >>> colour_of(1.0)
    (110, 225, 80)
    """
    if math.isnan(confidence):
        return _MIDDLE
    share = 2 * min(max(confidence, 0.0), 1.0)
    low, high = (_LOW, _MIDDLE) if share < 1 else (_MIDDLE, _HIGH)
    part = share if share < 1 else share - 1
    blue, green, red = (round(a + (b - a) * part) for a, b in zip(low, high, strict=True))
    return blue, green, red


def state_colour(record: FrameRecord) -> Bgr:
    """The colour of a state; that of ``TRACKING`` depends on the confidence."""
    if record.state == "TRACKING":
        return colour_of(record.confidence)
    return {"LOST": _LOW, "REACQUIRED": _BACK}.get(str(record.state), _MIDDLE)


def annotate(
    frame: Frame,
    record: FrameRecord,
    *,
    fps: float | None = None,
    templates: Sequence[Frame] = (),
    truth: Box | None = None,
) -> Frame:
    """Draw the result of a frame onto a copy of it.

    Each state has a colour and a line, so that it can be read without the colour: ``TRACKING`` is solid, from amber to
    green with the confidence; ``REACQUIRED`` solid and blue; ``UNCERTAIN`` dashed and amber; ``LOST`` dotted and red,
    round the last reliable box, which is no claim. What may be a lost target is dashed and grey, with its probability.
    Line widths and text grow with the frame.

    Args:
        frame: Shape (H, W, 3), BGR; left as it is.
        record: What to draw.
        fps: Speed to show, frames per second; ``None`` shows none.
        templates: The crops that the tracker compares with, BGR, of any size; shown as a strip.
        truth: The true box, drawn thin and white; ``None`` draws none.

    Returns:
        The picture, shape (H, W, 3).
    """
    picture = frame.copy()
    scale = max(0.35, min(frame.shape[0], frame.shape[1]) / 480)
    if truth is not None:
        _rectangle(picture, truth, _TRUTH, max(1, round(scale)))
    for candidate, probability in record.candidates:
        _dashed(picture, candidate, _FAINT, max(1, round(scale)), 5 * scale)
        _tag(picture, f"{probability:.0%} ?", candidate[:2], candidate[3], _FAINT, scale)
    box = record.box or record.last_reliable_box
    if box is not None and all(math.isfinite(side) for side in box):
        _draw_box(picture, box, record, scale)
    _draw_panel(picture, record, fps, scale)
    _draw_templates(picture, templates, record, scale)
    return picture


def _point(x: float, y: float) -> tuple[int, int]:
    # A box far outside must not overflow OpenCV's 32-bit coordinates. OpenCV counts from the middle of pixel 0.
    limit = 1e6
    return tuple(round((min(max(v, -limit), limit) - 0.5) * (1 << _SHIFT)) for v in (x, y))  # type: ignore[return-value]


def _line(picture: Frame, begin: tuple[float, float], end: tuple[float, float], colour: Bgr, width: int) -> None:
    cv2.line(picture, _point(*begin), _point(*end), colour, width, cv2.LINE_AA, _SHIFT)


def _rectangle(picture: Frame, box: Box, colour: Bgr, width: int) -> None:
    x, y, w, h = box
    cv2.rectangle(picture, _point(x, y), _point(x + w, y + h), colour, width, cv2.LINE_AA, _SHIFT)


def _draw_box(picture: Frame, box: Box, record: FrameRecord, scale: float) -> None:
    colour, thin, thick = state_colour(record), max(1, round(scale)), max(2, round(2.6 * scale))
    x, y, w, h = box
    if record.state in ("TRACKING", "REACQUIRED"):
        _rectangle(picture, box, colour, thin)
        for corner_x, corner_y, step_x, step_y in (
            (x, y, 1, 1),
            (x + w, y, -1, 1),
            (x, y + h, 1, -1),
            (x + w, y + h, -1, -1),
        ):
            arm = min(0.28 * min(w, h), 26 * scale)
            _line(picture, (corner_x, corner_y), (corner_x + step_x * arm, corner_y), colour, thick)
            _line(picture, (corner_x, corner_y), (corner_x, corner_y + step_y * arm), colour, thick)
    elif record.state == "LOST":
        _dashed(picture, box, colour, 2 * thin, 6 * scale, share=0.1)
        _tag(picture, "last seen", (x, y), h, colour, scale)
        return
    else:
        _dashed(picture, box, colour, 2 * thin, 8 * scale)
    label = "" if math.isnan(record.confidence) else f"{record.confidence:.2f}"
    if label:
        _tag(picture, label, (x, y), h, colour, scale)


def _dashed(picture: Frame, box: Box, colour: Bgr, width: int, dash: float, share: float = 0.4) -> None:
    x, y, w, h = box
    corners = ((x, y), (x + w, y), (x + w, y + h), (x, y + h))
    for begin, end in zip(corners, (*corners[1:], corners[0]), strict=True):
        length = math.dist(begin, end)
        # A box of the whole sky must not take a million dashes.
        count = min(max(1, round(length / (2 * dash))), 200)
        for number in range(count):
            low, high = (number + 0.5 - share / 2) / count, (number + 0.5 + share / 2) / count
            points = [tuple(a + (b - a) * part for a, b in zip(begin, end, strict=True)) for part in (low, high)]
            _line(picture, (points[0][0], points[0][1]), (points[1][0], points[1][1]), colour, width)


def _tag(picture: Frame, text: str, corner: tuple[float, float], box_height: float, colour: Bgr, scale: float) -> None:
    """A filled label over the box, or under it where there is no room above."""
    size = 0.42 * scale
    (width, height), _ = cv2.getTextSize(text, _FONT, size, max(1, round(scale)))
    pad = round(3 * scale)
    left = round(min(max(corner[0], 0), picture.shape[1] - width - 2 * pad))
    above = corner[1] - height - 3 * pad
    top = round(above if above >= 0 else min(max(corner[1] + box_height + pad, 0), picture.shape[0] - height - 2 * pad))
    cv2.rectangle(picture, (left, top), (left + width + 2 * pad, top + height + 2 * pad), colour, cv2.FILLED)
    cv2.putText(picture, text, (left + pad, top + pad + height), _FONT, size, _PANEL, max(1, round(scale)), cv2.LINE_AA)


def _shade(picture: Frame, left: int, top: int, width: int, height: int) -> None:
    part = picture[max(0, top) : top + height, max(0, left) : left + width]
    part[:] = cv2.addWeighted(part, 0.35, np.full_like(part, _PANEL), 0.65, 0) if part.size else part


def _draw_panel(picture: Frame, record: FrameRecord, fps: float | None, scale: float) -> None:
    """State, confidence bar, frame, time and speed, at the upper left."""
    size, weight, pad = 0.42 * scale, max(1, round(scale)), round(8 * scale)
    lines = [str(record.state), f"frame {record.frame}  {record.pts_s:.2f} s"]
    if fps is not None:
        lines.append(f"{fps:.0f} fps" if fps >= 10 else f"{fps:.1f} fps")
    extents = [cv2.getTextSize(line, _FONT, size, weight)[0] for line in lines]
    step = round(max(height for _, height in extents) + 9 * scale)
    width = max(max(extent[0] for extent in extents), round(118 * scale)) + 2 * pad
    bar_height = max(2, round(4 * scale))
    _shade(picture, pad, pad, width, step * len(lines) + bar_height + 2 * pad)
    colour = state_colour(record)
    y = 2 * pad
    for number, line in enumerate(lines):
        y += step
        baseline = y - round(5 * scale)
        text_colour = colour if number == 0 else _TEXT if number == 1 else _FAINT
        cv2.putText(picture, line, (2 * pad, baseline), _FONT, size, text_colour, weight, cv2.LINE_AA)
        if number == 0:
            length = width - 2 * pad
            filled = 0 if math.isnan(record.confidence) else round(length * min(max(record.confidence, 0.0), 1.0))
            cv2.rectangle(picture, (2 * pad, y), (2 * pad + length, y + bar_height), (80, 80, 80), cv2.FILLED)
            cv2.rectangle(picture, (2 * pad, y), (2 * pad + filled, y + bar_height), colour, cv2.FILLED)
            y += bar_height


def _draw_templates(picture: Frame, templates: Sequence[Frame], record: FrameRecord, scale: float) -> None:
    """The templates at the lower left, the first one first; a bright edge round the last when it is new."""
    side, pad = round(64 * scale), round(8 * scale)
    top = picture.shape[0] - side - pad
    left = pad
    for number, template in enumerate(templates):
        if top < 0 or left + side > picture.shape[1] or not template.size:
            return
        thumbnail = cv2.resize(template, (side, side), interpolation=cv2.INTER_AREA)
        picture[top : top + side, left : left + side] = cast("Frame", thumbnail)
        is_new = record.template_updated and number == len(templates) - 1
        edge, width = (_HIGH, max(2, round(3 * scale))) if is_new else (_FAINT, max(1, round(scale)))
        cv2.rectangle(picture, (left, top), (left + side - 1, top + side - 1), edge, width)
        left += side + pad
