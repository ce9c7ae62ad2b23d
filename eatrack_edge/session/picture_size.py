"""A source that returns with another picture size: frames are scaled to the size on which the target was selected."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from eatrack_edge.core.boxes import Box
from eatrack_edge.core.crops import Frame
from eatrack_edge.core.errors import InputError
from eatrack_edge.core.frames import frame_size

_SAME_SHAPE = 0.02  # difference of the aspect ratios, as a share, that rounding to whole pixels may cause


@dataclass(frozen=True, slots=True)
class PictureSize:
    """The size of the frame that a target was selected on.

    >>> PictureSize(1280, 720).box_on(np.zeros((360, 640, 3), np.uint8), (100.0, 50.0, 20.0, 10.0))
    (50.0, 25.0, 10.0, 5.0)
    """

    width: int  # px
    height: int  # px

    @classmethod
    def of(cls, frame: Frame) -> PictureSize:
        """The size of a frame."""
        return cls(*frame_size(frame))

    def fit(self, frame: Frame) -> Frame:
        """The frame in this size; the frame itself where it has it.

        Raises:
            InputError: Its shape is another, so that it shows another part of the world.
        """
        height, width = frame.shape[:2]
        if (width, height) == (self.width, self.height):
            return frame
        if abs(width * self.height / (height * self.width) - 1) > _SAME_SHAPE:
            raise InputError(
                f"the picture is {width}x{height}, the target was selected on {self.width}x{self.height}",
                hint="select the target again",
            )
        scaled: Any = cv2.resize(frame, (self.width, self.height), interpolation=cv2.INTER_AREA)
        return scaled.astype(np.uint8, copy=False)  # type: ignore[no-any-return]

    def box_on(self, frame: Frame, box: Box) -> Box:
        """A box of this size in pixels of a frame."""
        x_scale, y_scale = frame.shape[1] / self.width, frame.shape[0] / self.height
        if x_scale == y_scale == 1:
            return box
        x, y, w, h = box
        return x * x_scale, y * y_scale, w * x_scale, h * y_scale
