"""What a camera of Linux offers, by ``v4l2-ctl --list-formats-ext``, and the codec that has what was asked for.

Many USB cameras give large pictures as MJPEG alone, and raw ones at a few frames a second.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass, replace

from eatrack_edge.core.errors import InputError
from eatrack_edge.sources.live_options import LiveOptions

# Pixel formats by codec, those that are read without loss first.
_CODECS = {"YUYV": "raw", "MJPG": "mjpeg", "JPEG": "mjpeg", "H264": "h264", "HEVC": "h265"}
_ORDER = ("raw", "mjpeg", "h264", "h265")
_FORMAT = re.compile(r"\[\d+\]: '(\w+) *'")
_SIZE = re.compile(r"Size: Discrete (\d+)x(\d+)")
_RANGE = re.compile(r"Size: (?:Stepwise|Continuous) (\d+)x(\d+) - (\d+)x(\d+)")
_RATE = re.compile(r"\((\d+(?:\.\d+)?) fps\)")
_SLACK = 0.5  # frames per second: 29.97 is 30
_TIMEOUT_S = 2.0


@dataclass(frozen=True, slots=True)
class CameraMode:
    """A codec, the sizes that a camera has in it, px, and its highest rate there; 0 where the camera names none."""

    codec: str
    smallest: tuple[int, int]
    largest: tuple[int, int]
    rate: float = 0.0

    def fits(self, options: LiveOptions) -> bool:
        """Whether it has what was asked for."""
        sides = zip((options.width, options.height), self.smallest, self.largest, strict=True)
        is_size = all(wanted is None or low <= wanted <= high for wanted, low, high in sides)
        return is_size and (not options.rate or not self.rate or self.rate >= options.rate - _SLACK)

    def __str__(self) -> str:
        width, height = self.largest
        return f"{self.codec} {width}x{height}" + (f" at {self.rate:g}" if self.rate else "")


def parse_modes(listing: str) -> list[CameraMode]:
    """The modes in the text of ``v4l2-ctl --list-formats-ext``; formats that nothing here reads are left out."""
    modes: list[CameraMode] = []
    codec = ""
    is_known = False  # whether the rates that follow belong to the last mode
    for line in listing.splitlines():
        if match := _FORMAT.search(line):
            codec = _CODECS.get(match[1], "")
        elif match := _SIZE.search(line) or _RANGE.search(line):
            sides = [int(side) for side in match.groups()]
            is_known = bool(codec)
            if is_known:
                modes.append(CameraMode(codec, (sides[0], sides[1]), (sides[-2], sides[-1])))
        elif is_known and (match := _RATE.search(line)):
            modes[-1] = replace(modes[-1], rate=max(modes[-1].rate, float(match[1])))
    return modes


def with_codec(device: str, options: LiveOptions, modes: Iterable[CameraMode]) -> LiveOptions:
    """The options with the codec in which the camera has what was asked for, where only a size or a rate was.

    Args:
        device: For the message.
        options: What was asked for.
        modes: What the camera lists; none leaves all to the driver.

    Raises:
        InputError: The camera lists its modes, and has no such one.
    """
    modes = list(modes)
    if not modes or not (options.width or options.height or options.rate):
        return options
    fitting = {mode.codec for mode in modes if mode.fits(options) and options.codec in ("", mode.codec)}
    for codec in _ORDER:
        if codec in fitting:
            return replace(options, codec=codec)
    wanted = f"{options.codec} {options.width or 'any'}x{options.height or 'any'}".strip()
    rate = f" at {options.rate:g} frames per second" if options.rate else ""
    raise InputError(f"{device}: the camera has no {wanted}{rate}", hint=f"it has {', '.join(map(str, modes))}")


def listed_modes(device: str) -> list[CameraMode]:
    """What a camera lists; nothing without ``v4l2-ctl`` (package v4l-utils), or where the camera is not there."""
    command = ["v4l2-ctl", "--device", device, "--list-formats-ext"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return []
    return parse_modes(done.stdout) if done.returncode == 0 else []
