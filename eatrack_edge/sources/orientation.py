"""Which way up a stored picture is shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from eatrack_edge.core.crops import Frame


@dataclass(frozen=True, slots=True)
class Orientation:
    """How stored pixels become displayed ones: one of the eight ways to turn and mirror a picture.

    Attributes:
        is_transposed: Rows become columns, before the mirroring.
        is_mirrored_x: Left and right are swapped.
        is_mirrored_y: Top and bottom are swapped.
    """

    is_transposed: bool = False
    is_mirrored_x: bool = False
    is_mirrored_y: bool = False

    @classmethod
    def from_display_matrix(cls, matrix: bytes) -> Orientation:
        """Read the 3x3 matrix of a track header: nine native int32, ``x' = a x + c y`` and ``y' = b x + d y``.

        A turn that is not a whole quarter is taken to the nearest, as video players do.
        """
        a, b, _, c, d = (int(value) for value in np.frombuffer(matrix, np.int32, count=5))
        if abs(b) > abs(a):
            return cls(True, c < 0, b < 0)
        return cls(False, a < 0, d < 0)

    @classmethod
    def of(cls, decoded: Any) -> Orientation:
        """The orientation that a decoded frame carries; upright when it carries none."""
        for item in decoded.side_data:
            # PyAV 19 iterates over the types, earlier ones over the entries. The type's class has moved, not its name.
            entry = item if hasattr(item, "type") else decoded.side_data[item]
            if getattr(entry.type, "name", "") == "DISPLAYMATRIX":
                return cls.from_display_matrix(bytes(entry))
        return cls()

    @property
    def clockwise_degrees(self) -> int:
        """Clockwise turn, 0, 90, 180 or 270; a mirrored picture counts as its turn alone."""
        if self.is_transposed:
            return 270 if self.is_mirrored_y else 90
        return 180 if self.is_mirrored_y else 0

    def apply(self, frame: Frame) -> Frame:
        """Turn a stored frame the right side up; the result is contiguous."""
        if self.is_transposed:
            frame = frame.transpose(1, 0, 2)
        if self.is_mirrored_x:
            frame = frame[:, ::-1]
        if self.is_mirrored_y:
            frame = frame[::-1]
        return np.ascontiguousarray(frame)
