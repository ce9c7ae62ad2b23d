"""A window with the live picture, where OpenCV has one."""

from __future__ import annotations

import os
import sys
from contextlib import suppress

import cv2

from eatrack_edge.core.boxes import Box
from eatrack_edge.core.crops import Frame
from eatrack_edge.core.errors import MachineError
from eatrack_edge.outputs.base import BaseOutput, FrameRecord

_CLOSE_KEYS = (ord("q"), 27)  # q and Escape


def _no_window() -> MachineError:
    return MachineError(
        "--show needs an OpenCV with windows and a screen",
        hint="write a video instead: -o out.mp4; or pip install opencv-python in place of the headless build",
    )


def check_screen() -> None:
    """Refuse a window that could not be opened, without opening one.

    Raises:
        MachineError: This OpenCV was built without windows, or there is no screen.
    """
    has_screen = sys.platform != "linux" or os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if not has_screen or not cv2.currentUIFramework():
        raise _no_window()


class WindowOutput(BaseOutput):
    """An OpenCV window; ``q``, Escape or its close button ends the run.

    Args:
        title: Of the window.

    Raises:
        MachineError: This OpenCV was built without windows, or there is no screen.
    """

    needs_picture = True

    def __init__(self, title: str) -> None:
        self._title = title
        try:
            cv2.namedWindow(title, cv2.WINDOW_NORMAL)
        except cv2.error as error:
            raise _no_window() from error

    def write(self, record: FrameRecord, picture: Frame | None = None) -> None:
        """Show a picture, and look whether the user closes the window."""
        del record
        if picture is not None:
            cv2.imshow(self._title, picture)
        self.is_closed_by_user |= cv2.waitKey(1) & 0xFF in _CLOSE_KEYS or self._is_closed()

    def ask_box(self, frame: Frame) -> Box | None:
        """Let the user draw the target with the mouse; ``None`` when nothing was drawn.

        Args:
            frame: Shape (H, W, 3), BGR.
        """
        x, y, w, h = (float(side) for side in cv2.selectROI(self._title, frame, showCrosshair=False))
        return (x, y, w, h) if w > 0 and h > 0 else None

    def _is_closed(self) -> bool:
        try:
            return bool(cv2.getWindowProperty(self._title, cv2.WND_PROP_VISIBLE) < 1)
        except cv2.error:  # some backends raise for a window that is gone
            return True

    def finish(self, error: BaseException | None) -> None:
        """Close the window."""
        del error
        with suppress(cv2.error):  # the close button was quicker
            cv2.destroyWindow(self._title)
