"""Images of ROS as frames, and the newest of them as a feed of a session. Needs no ROS."""

from __future__ import annotations

import time
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from eatrack_edge.core.mailbox import Mailbox
from eatrack_edge.sources.feed import FeedItem, LiveFrame

_CHANNELS = {"bgr8": 3, "rgb8": 3, "bgra8": 4, "rgba8": 4, "mono8": 1}
_TO_BGR = {
    "rgb8": cv2.COLOR_RGB2BGR,
    "bgra8": cv2.COLOR_BGRA2BGR,
    "rgba8": cv2.COLOR_RGBA2BGR,
    "mono8": cv2.COLOR_GRAY2BGR,
}


def frame_of(image: Any) -> NDArray[np.uint8]:
    """A ``sensor_msgs/Image`` as a BGR frame, shape (H, W, 3).

    Raises:
        ValueError: An encoding that is not 8 bits of colour or gray.
    """
    if image.encoding not in _CHANNELS:
        raise ValueError(f"image has the encoding {image.encoding}, a frame is one of {', '.join(_CHANNELS)}")
    channels = _CHANNELS[image.encoding]
    rows = np.frombuffer(image.data, np.uint8).reshape(image.height, image.step)  # which may end in padding
    pixels = rows[:, : image.width * channels].reshape(image.height, image.width, channels)
    if image.encoding == "bgr8":
        return np.ascontiguousarray(pixels)
    return cv2.cvtColor(np.ascontiguousarray(pixels), _TO_BGR[image.encoding]).astype(np.uint8, copy=False)


class NewestImage:
    """Feeds a session with the newest image; older ones are dropped and counted.

    Attributes:
        headers: Of the frames that were delivered, by number; the last few.
    """

    def __init__(self) -> None:
        self.headers: dict[int, Any] = {}
        self._mailbox: Mailbox[tuple[int, int, Any]] = Mailbox()
        self._count = self._next = 0

    def put(self, image: Any) -> None:
        """Take an image, from the thread of ROS."""
        self._mailbox.put((self._count, time.monotonic_ns(), image))
        self._count += 1

    def next(self, timeout: float) -> FeedItem | None:
        """The newest image as a frame; ``None`` when none came in time."""
        taken = self._mailbox.get(timeout)
        if taken is None:
            return None
        number, captured_ns, image = taken
        self.headers[number] = image.header
        for old in [one for one in self.headers if one < number - 300]:
            del self.headers[old]
        dropped, self._next = number - self._next, number + 1
        stamp = image.header.stamp
        return LiveFrame(
            number, stamp.sec + stamp.nanosec / 1e9, frame_of(image), captured_ns=captured_ns, dropped=dropped
        )
