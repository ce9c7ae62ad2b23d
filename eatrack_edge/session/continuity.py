"""Frames of one size and without holes, whatever a source delivers, with the events that a reader should know of."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import cast

import cv2

from eatrack_edge.core.crops import Frame
from eatrack_edge.outputs.base import RunEvent
from eatrack_edge.sources.base import Source, SourceFrame


def continuous(source: Source) -> Iterator[tuple[SourceFrame, tuple[RunEvent, ...]]]:
    """Frames of a source, each scaled to the size of the first, and what happened just before.

    Yields:
        Each frame with its events: ``gap`` before frames that are lost or damaged, ``size_change`` where the picture
        has another size than the frame before.

    Raises:
        SourceLost: Frames stopped coming.
    """
    size: tuple[int, int] | None = None
    before = (0, 0)
    was_lost = was_damaged = False
    for shown in source:
        events = []
        if shown.lost and not was_lost:
            events.append(RunEvent("gap", shown.index, {"frames": shown.lost, "reason": "lost"}))
        if shown.is_damaged and not was_damaged:
            events.append(RunEvent("gap", shown.index, {"frames": 0, "reason": "damaged in part"}))
        if size is None:
            size = before = shown.size
        elif shown.size != before and not shown.lost:
            events.append(size_change(before, shown))
            before = shown.size
        was_lost, was_damaged = bool(shown.lost), shown.is_damaged
        if shown.size != size:
            shown = replace(shown, frame=_scaled(shown.frame, size))
        yield shown, tuple(events)


def size_change(before: tuple[int, int], shown: SourceFrame) -> RunEvent:
    """A frame has another size than the one before.

    Args:
        before: (width, height) of that one, pixels.
        shown: The frame.
    """
    values: dict[str, object] = {"from": before, "size": shown.size}
    return RunEvent("size_change", shown.index, values | ({"file": shown.file} if shown.file else {}))


def _scaled(frame: Frame, size: tuple[int, int]) -> Frame:
    how = cv2.INTER_AREA if frame.shape[1] > size[0] else cv2.INTER_LINEAR
    return cast("Frame", cv2.resize(frame, size, interpolation=how))
