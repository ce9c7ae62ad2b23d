"""A window with the live picture, where OpenCV has one."""

from __future__ import annotations

from types import TracebackType

import cv2

from eatrack_edge.core.crops import Frame
from eatrack_edge.core.errors import MachineError

_CLOSE = (ord("q"), 27)  # q and Escape


class Window:
    """An OpenCV window.

    Raises:
        MachineError: This OpenCV was built without windows, or there is no screen.
    """

    def __init__(self, title: str) -> None:
        self._title = title
        self.is_closed_by_user = False
        try:
            cv2.namedWindow(title, cv2.WINDOW_NORMAL)
        except cv2.error as error:
            raise MachineError(
                "--show needs an OpenCV with windows and a screen",
                hint="write a video instead: -o out.mp4; or pip install opencv-python in place of the headless build",
            ) from error

    def show(self, picture: Frame) -> None:
        """Show a picture, and see whether the user closes the window."""
        cv2.imshow(self._title, picture)
        self.is_closed_by_user |= cv2.waitKey(1) & 0xFF in _CLOSE

    def __enter__(self) -> Window:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        cv2.destroyWindow(self._title)
