"""A sender of stamped frames through a ``StreamOutput``, and the age of what a receiver sees."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from eatrack_edge.core.crops import Frame
from eatrack_edge.outputs.base import FrameRecord
from eatrack_edge.outputs.live_stream import StreamOptions
from eatrack_edge.session.events import FrameEvent, OutputFailedEvent
from eatrack_edge.session.output_thread import OutputThread
from eatrack_edge.session.stream_output import StreamOutput
from eatrack_edge.sources.feed import LiveFrame

WIDTH, HEIGHT, FPS = 960, 540, 30
BOX = (600.0, 200.0, 120.0, 80.0)
_CELL, _BITS, _TOP = 16, 32, 500  # the stamp, below what `annotate` draws


def frame_event(number: int, width: int = WIDTH, height: int = HEIGHT) -> FrameEvent:
    """A moving frame with the time of making it burnt in, and a box on it."""
    y, x = np.mgrid[0:height, 0:width]
    gray = (80 + ((x // 8) * 7 + (y // 8) * 13 + number) % 60).astype(np.uint8)
    stamp = int(time.monotonic() * 1000) & 0xFFFFFFFF
    if height >= HEIGHT:
        for bit in range(_BITS):
            gray[_TOP : _TOP + _CELL, bit * _CELL : (bit + 1) * _CELL] = 235 if stamp >> bit & 1 else 16
    frame = np.repeat(gray[..., None], 3, axis=2)
    shown = LiveFrame(number, number / FPS, frame, captured_ns=time.monotonic_ns())
    return FrameEvent(shown, FrameRecord(number, number / FPS, BOX, 1.0, wall_ns=time.time_ns()), 0.0)


def age_ms(frame: Frame) -> int:
    """Milliseconds since a frame of the full size was made."""
    rows = frame[_TOP + 4 : _TOP + 12, : _CELL * _BITS, 1].reshape(8, _BITS, _CELL)
    bits = np.flatnonzero(rows[:, :, 4:12].mean(axis=(0, 2)) > 126).tolist()
    return (int(time.monotonic() * 1000) & 0xFFFFFFFF) - sum(1 << bit for bit in bits)


def has_box(frame: Frame) -> bool:
    """Whether the box is drawn: its left edge is green, what lies beside it is gray."""
    x, y, _, h = (round(side) for side in BOX)
    edge = frame[y + 10 : y + h - 10, x - 3 : x + 4].astype(int)
    beside = frame[y + 10 : y + h - 10, x - 40 : x - 20].astype(int)
    return bool((edge[..., 1] - edge[..., 2]).max() > 60 > abs(beside[..., 1] - beside[..., 2]).mean())


@contextmanager
def sending(uri: str, options: StreamOptions | None = None) -> Iterator[tuple[OutputThread, list[OutputFailedEvent]]]:
    """Offer 30 frames a second to a stream, as a session would."""
    failures: list[OutputFailedEvent] = []
    output = OutputThread(StreamOutput(uri, options or StreamOptions(), failures.append), uri, failures.append)
    stopped = threading.Event()

    def offer() -> None:
        begin, number = time.monotonic(), 0
        while not stopped.wait(max(0.0, begin + number / FPS - time.monotonic())):
            output.offer(frame_event(number))
            number += 1

    thread = threading.Thread(target=offer)
    thread.start()
    try:
        yield output, failures
    finally:
        stopped.set()
        thread.join(5)
        assert output.close(), "the stream is stuck"
