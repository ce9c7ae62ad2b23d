"""From a picture to a crop in one warp: window, padding, rotation, stretch, perspective and mirror.

The convention is ``crops.cut``'s with rule ``subpixel``: pixel ``i`` covers ``[i, i + 1)``, bilinear, shrunk by area
first when the picture is much larger than the crop, mean colour beyond the image's border.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from eatrack_edge.core.crops import Frame
from eatrack_edge.train.pool import Sighting

Matrix = NDArray[np.float64]

_AREA_BELOW = 0.6  # as crops.cut


@dataclass(frozen=True, slots=True)
class Pose:
    """How a target lies in its crop.

    Attributes:
        centre: Of the target in the crop, pixels.
        scale: Crop pixels per picture pixel.
        rotation: Radians.
        stretch: Log of the ratio of widths to heights added; 0 leaves the aspect.
        tilt: Two perspective terms per crop side; 0 is none.
        is_mirrored: Left and right swapped.
    """

    centre: tuple[float, float]
    scale: float
    rotation: float = 0.0
    stretch: float = 0.0
    tilt: tuple[float, float] = (0.0, 0.0)
    is_mirrored: bool = False

    def matrix(self, target: tuple[float, float], size: int) -> Matrix:
        """Picture to crop coordinates, shape (3, 3), for a target centred at ``target`` in the picture."""
        across, down = self.scale * math.exp(self.stretch / 2), self.scale * math.exp(-self.stretch / 2)
        across *= -1 if self.is_mirrored else 1
        cosine, sine = math.cos(self.rotation), math.sin(self.rotation)
        linear = np.array([[cosine * across, -sine * down], [sine * across, cosine * down]])
        about_target = np.eye(3)
        about_target[:2, :2] = linear
        about_target[:2, 2] = -linear @ np.array(target)
        perspective = np.eye(3)
        perspective[2, :2] = np.array(self.tilt) / size
        to_place = np.eye(3)
        to_place[:2, 2] = self.centre
        return to_place @ perspective @ about_target

    def box_in_crop(self, width: float, height: float) -> NDArray[np.float32]:
        """The target's box in the crop, (cx, cy, w, h) in pixels, for its box (width, height) in the picture.

        Rotated, the extent is taken between that of the box's inner ellipse and that of its corners: an object
        seldom fills the corners of its box.
        """
        across = self.scale * math.exp(self.stretch / 2) * width
        down = self.scale * math.exp(-self.stretch / 2) * height
        cosine, sine = abs(math.cos(self.rotation)), abs(math.sin(self.rotation))
        ellipse = math.hypot(cosine * across, sine * down), math.hypot(sine * across, cosine * down)
        corners = cosine * across + sine * down, sine * across + cosine * down
        w, h = ((a + b) / 2 for a, b in zip(ellipse, corners, strict=True))
        return np.array([*self.centre, w, h], np.float32)


def warp(
    sighting: Sighting, pose: Pose, size: int, padding_bgr: tuple[int, int, int]
) -> tuple[Frame, NDArray[np.uint8]]:
    """Cut the crop that shows the sighting's target in ``pose``.

    Args:
        sighting: What to cut from.
        pose: How the target is to lie.
        size: Crop side, pixels.
        padding_bgr: Colour beyond the image's border.

    Returns:
        The crop, shape (size, size, 3), and where it shows the picture: 255, or 0 in the padding, (size, size).
    """
    x, y, w, h = sighting.box
    matrix = pose.matrix((x + w / 2, y + h / 2), size)
    picture, offset = _extended(sighting, 1.5 * size / pose.scale)
    matrix = matrix @ _shift(-offset[0], -offset[1])
    if pose.scale < _AREA_BELOW:
        height, width = picture.shape[:2]
        small_w, small_h = max(1, round(width * pose.scale)), max(1, round(height * pose.scale))
        picture = cast("Frame", cv2.resize(picture, (small_w, small_h), interpolation=cv2.INTER_AREA))
        matrix = matrix @ np.diag([width / small_w, height / small_h, 1.0])
    # OpenCV's coordinates name pixel centres: half a pixel in, half a pixel out.
    matrix = _shift(-0.5, -0.5) @ matrix @ _shift(0.5, 0.5)
    crop = _apply(picture, matrix, size, padding_bgr)
    shown = _apply(np.full(picture.shape[:2], 255, np.uint8), matrix, size, (0, 0, 0))
    return crop, shown


def _apply(picture: Frame, matrix: Matrix, size: int, border: tuple[int, int, int]) -> Frame:
    if abs(matrix[2, 0]) + abs(matrix[2, 1]) < 1e-9:
        out = cv2.warpAffine(picture, matrix[:2], (size, size), flags=cv2.INTER_LINEAR, borderValue=border)
    else:
        out = cv2.warpPerspective(picture, matrix, (size, size), flags=cv2.INTER_LINEAR, borderValue=border)
    return cast("Frame", out)


def _shift(x: float, y: float) -> Matrix:
    matrix = np.eye(3)
    matrix[:2, 2] = x, y
    return matrix


def _extended(sighting: Sighting, wanted: float) -> tuple[Frame, tuple[int, int]]:
    """Mirror the picture outwards on sides where it was cut, but not where the image itself ended.

    A crop padded there would tell the network where the target is: in the middle of what is shown.

    Args:
        sighting: Picture, box and reach.
        wanted: Pixels wanted on each side of the target at most.

    Returns:
        The picture, and what was added on the left and on the top, pixels.
    """
    x, y, w, h = sighting.box
    height, width = sighting.picture.shape[:2]
    cut_at = sighting.reach * math.sqrt(w * h)
    sides = (x + w / 2, width - x - w / 2, y + h / 2, height - y - h / 2)
    left, right, top, bottom = (
        min(math.ceil(max(0.0, wanted - side)), round(0.45 * side)) if side >= cut_at else 0 for side in sides
    )
    if not (left or right or top or bottom):
        return sighting.picture, (0, 0)
    picture = cv2.copyMakeBorder(sighting.picture, top, bottom, left, right, cv2.BORDER_REFLECT)
    return cast("Frame", picture), (left, top)
