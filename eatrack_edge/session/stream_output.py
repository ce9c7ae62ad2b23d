"""Live video of a session for a ground station, with the box drawn: an output of ``OutputThread``."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import cv2
import numpy as np

from eatrack_edge.core.crops import Frame
from eatrack_edge.core.errors import OutputError
from eatrack_edge.outputs.base import FrameRecord
from eatrack_edge.outputs.live_stream import STREAMS, Sender, StreamOptions, StreamPlan, parse_address, plan_for
from eatrack_edge.outputs.overlay import annotate
from eatrack_edge.session.events import Event, FrameEvent, OutputFailedEvent

_WAITS_S = (0.5, 1.0, 2.0, 4.0)  # before each further try; the last one for ever
_NICENESS = 5  # of the encoder's threads: the tracker's come first


class StreamOutput:
    """Draws the result on a small copy of each frame, encodes and sends it.

    A network that is not there, or an encoder that fails, is tried again without limit; an encoder of hardware that
    fails gives way to the next.

    Args:
        uri: ``rtp://HOST:PORT``, ``udp://HOST:PORT`` or ``rtsp://:PORT/PATH``.
        options: Size, rate and bit rate.
        on_failure: Gets an event when sending stops, not again before it has worked.

    Attributes:
        description: What encodes, such as ``GStreamer x264enc``.

    Raises:
        UsageError: Not a stream that can be sent.
        MachineError: This machine lacks what it needs.
    """

    def __init__(self, uri: str, options: StreamOptions, on_failure: Callable[[OutputFailedEvent], None]) -> None:
        address = parse_address(uri)
        self._uri, self._options, self._on_failure = uri, options, on_failure
        self._ways = list(STREAMS.get(address.scheme)(address, options))
        self.description = self._ways[0].description
        self._plan: StreamPlan | None = None  # of the first frame: later sizes are fitted into it
        self._sender: Sender | None = None
        self._due_ns = self._again_ns = 0
        self._failures = 0  # since the last picture that was sent
        self._is_nice = False

    def take(self, event: Event) -> None:
        """Send a frame, unless the last one was sent a moment ago."""
        if not isinstance(event, FrameEvent):
            return
        now = time.monotonic_ns()
        if now < self._again_ns or event.shown.captured_ns < self._due_ns:
            return
        self._be_nice()
        frame = event.shown.frame
        if self._plan is None:
            self._plan = plan_for(event.shown.size, self._options, is_hardware=self._ways[0].is_hardware)
        # A tenth of a period early: a source that is a little faster than asked would lose every second frame.
        self._due_ns = event.shown.captured_ns + round(0.9e9 / self._plan.rate)
        try:
            if self._sender is None:
                self._sender = self._ways[0].connect(self._plan)
            self._sender.send(drawn(frame, event.record, self._plan.size))
            self._failures = 0
        except OutputError as error:
            self._give_way(error.message, now)

    def _give_way(self, reason: str, now: int) -> None:
        """Close what failed, and try again later, by the next way if there is one."""
        self._close()
        if len(self._ways) > 1 and self._ways[0].is_hardware:
            del self._ways[0]
            self._plan = None
            reason = f"{reason}; going on with {self._ways[0].description}"
        elif not self._failures:
            reason = f"{reason}; trying again"
        else:
            reason = ""
        self._again_ns = now + round(1e9 * _WAITS_S[min(self._failures, len(_WAITS_S) - 1)])
        self._failures += 1
        if reason:
            self._on_failure(OutputFailedEvent(self._uri, reason, now, is_final=False))

    def _be_nice(self) -> None:
        if not self._is_nice:
            self._is_nice = True
            with suppress(OSError):  # 0 is this thread, and those that it starts inherit it
                os.setpriority(os.PRIO_PROCESS, 0, _NICENESS)

    def _close(self) -> None:
        if self._sender is not None:
            sender, self._sender = self._sender, None
            sender.close()

    def finish(self, error: BaseException | None) -> None:
        """Stop sending."""
        del error
        self._close()


def drawn(frame: Frame, record: FrameRecord, size: tuple[int, int]) -> Frame:
    """A small copy of a frame with its result on it.

    Args:
        frame: Shape (H, W, 3), BGR; left as it is.
        record: Its result, in pixels of ``frame``.
        size: Width and height of the copy, px. A frame of another shape leaves black borders.

    Returns:
        Shape ``(size[1], size[0], 3)``, BGR.
    """
    width, height = size
    scale = min(width / frame.shape[1], height / frame.shape[0])
    inner = min(width, round(frame.shape[1] * scale)), min(height, round(frame.shape[0] * scale))
    if abs(inner[0] - width) < 2 and abs(inner[1] - height) < 2:  # the sides of a plan are rounded
        inner = width, height
    x_scale, y_scale = inner[0] / frame.shape[1], inner[1] / frame.shape[0]
    # Averaging areas takes five times as long where the scale is not a whole number, and shows from a half down.
    small = cv2.resize(frame, inner, interpolation=cv2.INTER_AREA if scale <= 0.5 else cv2.INTER_LINEAR)
    if record.box is not None:
        x, y, w, h = record.box
        record = replace(record, box=(x * x_scale, y * y_scale, w * x_scale, h * y_scale))
    picture = annotate(small.astype(np.uint8, copy=False), record)
    if inner == size:
        return picture
    whole: Frame = np.zeros((height, width, 3), np.uint8)
    whole[: inner[1], : inner[0]] = picture
    return whole
