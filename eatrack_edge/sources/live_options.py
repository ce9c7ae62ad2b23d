"""How to open a camera or a stream: what the ``--input-*`` options of the command line set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import cv2
import numpy as np

from eatrack_edge.core.crops import Frame
from eatrack_edge.core.errors import ConfigError, did_you_mean

CODECS = ("h264", "h265", "mjpeg", "raw")
READERS = ("auto", "pyav", "gstreamer")


class Flip(NamedTuple):
    """A way to turn or mirror a picture: transpose, then swap left and right, then top and bottom."""

    method: int  # nvvidconv's flip-method
    is_transposed: bool = False
    is_mirrored_x: bool = False
    is_mirrored_y: bool = False


# The names are those of jetson-utils. It turns CSI pictures by 180 degrees by default; we turn nothing unasked.
FLIPS = {
    "none": Flip(0),
    "counterclockwise": Flip(1, True, False, True),
    "rotate-180": Flip(2, False, True, True),
    "clockwise": Flip(3, True, True, False),
    "horizontal": Flip(4, False, True, False),
    "upper-right-diagonal": Flip(5, True, True, True),
    "vertical": Flip(6, False, False, True),
    "upper-left-diagonal": Flip(7, True, False, False),
}


@dataclass(frozen=True, slots=True)
class LiveOptions:
    """How to open a camera or a stream.

    >>> LiveOptions(flip="clokwise")
    Traceback (most recent call last):
    eatrack_edge.core.errors.ConfigError: flip must be a known way to turn a picture, got `clokwise`
    hint: did you mean `clockwise`?
    """

    width: int | None = None  # px that the camera is asked for; `None` leaves the choice to it
    height: int | None = None  # px
    rate: float | None = None  # frames per second that the camera is asked for
    codec: str = ""  # of a camera or of rtp://: one of CODECS; empty chooses by the source
    flip: str = "none"  # a name in FLIPS
    latency_ms: int = 0  # jitter buffer of network streams; 0 shows a packet as soon as it comes
    transport: str = "tcp"  # of rtsp://: `tcp`, or `udp` for less delay on a link that loses packets
    reader: str = "auto"  # one of READERS; `auto` takes GStreamer where it finds a hardware decoder
    open_timeout_s: float = 5.0  # longest wait for a connection and its first frame
    read_timeout_s: float = 2.0  # longest wait for the next frame before the link counts as dead
    reopen: bool = False  # reopen a link that died, without limit; `eatrack-edge fly` does

    def __post_init__(self) -> None:
        for name in ("width", "height", "rate"):
            value = getattr(self, name)
            if value is not None and not value > 0:
                raise ConfigError(f"{name} must be above 0, got {value}")
        if self.flip not in FLIPS:
            hint = did_you_mean(self.flip, FLIPS)
            raise ConfigError(f"flip must be a known way to turn a picture, got `{self.flip}`", hint=hint)
        for name, known in (("codec", ("", *CODECS)), ("transport", ("tcp", "udp")), ("reader", READERS)):
            if getattr(self, name) not in known:
                choices = ", ".join(choice for choice in known if choice)
                raise ConfigError(f"{name} must be one of {choices}, got `{getattr(self, name)}`")
        if self.latency_ms < 0:
            raise ConfigError(f"latency_ms must be at least 0, got {self.latency_ms}")
        if not (self.open_timeout_s > 0 and self.read_timeout_s > 0):
            raise ConfigError(f"timeouts must be above 0 s, got {self.open_timeout_s} and {self.read_timeout_s}")


def flipped(frame: Frame, name: str) -> Frame:
    """Turn or mirror a frame on the CPU; the result is contiguous.

    >>> flipped(np.arange(6, dtype=np.uint8).reshape(2, 1, 3), "vertical")[0, 0].tolist()
    [3, 4, 5]
    """
    flip = FLIPS[name]
    if flip.is_transposed:
        frame = cv2.transpose(frame).astype(np.uint8, copy=False)
    if flip.is_mirrored_x or flip.is_mirrored_y:
        axis = -1 if flip.is_mirrored_x and flip.is_mirrored_y else int(flip.is_mirrored_x)
        frame = cv2.flip(frame, axis).astype(np.uint8, copy=False)
    return np.ascontiguousarray(frame)
