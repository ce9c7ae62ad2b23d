"""A window on a live session: the newest result, and a box drawn with the mouse; an output of ``OutputThread``."""

from __future__ import annotations

from collections.abc import Callable

import cv2

from eatrack_edge.outputs.overlay import annotate
from eatrack_edge.outputs.window import WindowOutput
from eatrack_edge.session.commands import Command, KeepFrame, Quit, Select
from eatrack_edge.session.events import Event, FrameEvent

_SMALLEST_PX = 3.0  # a box with shorter sides is a click that slipped


class LiveWindow:
    """Shows frames in a window of its own thread, as OpenCV's libraries of windows ask for.

    Args:
        title: Of the window.
        command: Gets ``Select`` for a box that is drawn with the left button, on the frame where it was begun, which is
            kept meanwhile, and ``Quit`` when the window is closed, or for ``q`` and Escape.
    """

    def __init__(self, title: str, command: Callable[[Command], None]) -> None:
        self._title, self._command = title, command
        self._window: WindowOutput | None = None
        self._shown = 0  # number of the frame in the window
        self._begin: tuple[int, int, int] | None = None  # where the button was pressed, and on which frame
        self._is_over = False

    def take(self, event: Event) -> None:
        """Show a frame.

        Raises:
            MachineError: This OpenCV was built without windows, or there is no screen.
        """
        if not isinstance(event, FrameEvent) or self._is_over:
            return
        if self._window is None:
            self._window = WindowOutput(self._title)
            cv2.setMouseCallback(self._title, self._on_mouse)
        self._shown = event.shown.index
        self._window.write(event.record, annotate(event.shown.frame, event.record))
        if self._window.is_closed_by_user:
            self._is_over = True
            self._command(Quit())

    def _on_mouse(self, kind: int, x: int, y: int, _flags: int, _data: object) -> None:
        if kind == cv2.EVENT_LBUTTONDOWN:
            self._begin = x, y, self._shown
            self._command(KeepFrame(self._shown))
        elif kind == cv2.EVENT_LBUTTONUP and self._begin is not None:
            left, top, frame = self._begin
            self._begin = None
            width, height = abs(x - left), abs(y - top)
            if min(width, height) >= _SMALLEST_PX:
                self._command(Select((float(min(x, left)), float(min(y, top)), float(width), float(height)), frame))

    def finish(self, error: BaseException | None) -> None:
        """Close the window."""
        if self._window is not None:
            self._window.finish(error)
