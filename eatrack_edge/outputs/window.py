"""A window with the live picture, where OpenCV has one."""

from __future__ import annotations

import cv2

from eatrack_edge.core.crops import Frame
from eatrack_edge.core.errors import MachineError
from eatrack_edge.outputs.base import BaseOutput, FrameRecord

_CLOSE_KEYS = (ord("q"), 27)  # q and Escape


class WindowOutput(BaseOutput):
    """An OpenCV window; ``q`` or Escape ends the run.

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
            raise MachineError(
                "--show needs an OpenCV with windows and a screen",
                hint="write a video instead: -o out.mp4; or pip install opencv-python in place of the headless build",
            ) from error

    def write(self, record: FrameRecord, picture: Frame | None = None) -> None:
        """Show a picture, and look whether the user closes the window."""
        del record
        if picture is not None:
            cv2.imshow(self._title, picture)
        self.is_closed_by_user |= cv2.waitKey(1) & 0xFF in _CLOSE_KEYS

    def finish(self, error: BaseException | None) -> None:
        """Close the window."""
        del error
        cv2.destroyWindow(self._title)
