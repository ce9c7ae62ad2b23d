"""Encodes the newest frame as JPEG, once for each size that viewers ask for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import NamedTuple

import cv2
import numpy as np

from eatrack_edge.core.boxes import Box
from eatrack_edge.core.crops import Frame
from eatrack_edge.core.frames import as_bgr, frame_size
from eatrack_edge.outputs.base import FrameRecord
from eatrack_edge.outputs.overlay import annotate
from eatrack_edge.session.events import FrameEvent

# Widths that a picture is sent in, never above the frame's own. 1280 is all that a radio link and a screen need.
WIDTHS = (640, 960, 1280)
_QUALITY = 75  # 120 KiB at 1280x720, 40 KiB at 640x360
_FRAMES_KEPT = 2


class Picture(NamedTuple):
    """An encoded frame."""

    jpeg: bytes
    width: int  # pixels
    height: int


class Pictures:
    """Encodes in a thread of its own, and keeps the newest frames' pictures for other viewers of the same size."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, "web pictures")
        self._kept: dict[tuple[int, int, bool], asyncio.Future[Picture]] = {}

    async def of(self, event: FrameEvent, width: int, *, is_annotated: bool = False) -> Picture:
        """The picture of a frame.

        Args:
            event: The frame with its result.
            width: Pixels that the viewer has for it.
            is_annotated: Draw the box and the state into it, for players that can only show it.
        """
        shown = event.shown
        width = min(_step_above(width), shown.frame.shape[1])
        key = (shown.index, width, is_annotated)
        if key not in self._kept:
            self._forget(shown.index)
            self._kept[key] = self._submit(lambda: _encode(event, width, is_annotated))
        # Other viewers wait for the same picture: one that leaves must not cancel it.
        return await asyncio.shield(self._kept[key])

    async def of_crop(self, crop: Frame) -> bytes:
        """A template as JPEG."""
        return (await self._submit(lambda: _jpeg(crop))).jpeg

    def close(self) -> None:
        """End the thread after what it is encoding."""
        self._thread.shutdown(wait=False, cancel_futures=True)

    def _submit(self, encode: Callable[[], Picture]) -> asyncio.Future[Picture]:
        return asyncio.get_running_loop().run_in_executor(self._thread, encode)

    def _forget(self, newest: int) -> None:
        """Drop what is older than the newest frames."""
        numbers = sorted({number for number, _, _ in self._kept} | {newest})[-_FRAMES_KEPT:]
        self._kept = {key: picture for key, picture in self._kept.items() if key[0] in numbers}


def _step_above(width: int) -> int:
    return next((step for step in WIDTHS if step >= width), WIDTHS[-1])


def _encode(event: FrameEvent, width: int, is_annotated: bool) -> Picture:
    frame = as_bgr(event.shown.frame)
    scale = width / frame.shape[1]
    if scale < 1:
        # INTER_AREA looks a little better, and costs more than the encoding.
        size = (width, max(1, round(frame.shape[0] * scale)))
        frame = np.asarray(cv2.resize(frame, size, interpolation=cv2.INTER_LINEAR), np.uint8)
    if is_annotated:
        frame = annotate(frame, _scaled(event.record, scale))
    return _jpeg(frame)


def _scaled(record: FrameRecord, scale: float) -> FrameRecord:
    """A record with its boxes in pixels of a picture that is this many times as wide as the frame."""

    def scaled(box: Box) -> Box:
        x, y, w, h = (side * scale for side in box)
        return x, y, w, h

    return replace(
        record,
        box=record.box and scaled(record.box),
        last_reliable_box=record.last_reliable_box and scaled(record.last_reliable_box),
        candidates=[(scaled(box), probability) for box, probability in record.candidates],
    )


def _jpeg(frame: Frame) -> Picture:
    encoded = cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])[1]
    return Picture(encoded.tobytes(), *frame_size(frame))
