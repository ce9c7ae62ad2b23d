"""How the camera and the cars move. Everything is a function of the frame's number, worked out once per scene."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from eatrack_edge.scene.layout import LANE_M, Layout, Points
from eatrack_edge.scene.vehicles import Affine

VIEW_M = 48.0  # height of the view at zoom 1
ZOOM = (1.14, 0.30)  # middle and swing: a car grows and shrinks by 1.7 times
_SPEED_M_S = 11.0
_LAG_S = 0.7  # how slowly the pilot follows the car


@dataclass(frozen=True, slots=True)
class Drive:
    """Where one vehicle is in each frame.

    Attributes:
        middle: Shape (N, 2), metres.
        direction: Unit vectors, shape (N, 2).
    """

    middle: Points
    direction: Points


@dataclass(frozen=True, slots=True)
class Flight:
    """The camera in each frame: what it looks at, how it is turned, and how large things appear.

    Attributes:
        middle: Shape (N, 2), metres.
        angle: Radians, shape (N,).
        px_per_m: Shape (N,).
        size: (width, height) of the frame, pixels.
    """

    middle: Points
    angle: NDArray[np.float64]
    px_per_m: NDArray[np.float64]
    size: tuple[int, int]

    def camera(self, index: int) -> Affine:
        """The map from metres to the pixels of frame ``index``."""
        cosine, sine = np.cos(self.angle[index]), np.sin(self.angle[index])
        turn = self.px_per_m[index] * np.array([[cosine, -sine], [sine, cosine]])
        return np.column_stack([turn, np.array(self.size) / 2 - turn @ self.middle[index]])


def driven_m(seconds: NDArray[np.float64]) -> NDArray[np.float64]:
    """How far a car has driven along the road, metres."""
    return np.asarray(_SPEED_M_S * seconds + 1.6 * np.sin(0.9 * seconds))


def drive_ring(layout: Layout, seconds: NDArray[np.float64], ahead_m: float, *, is_oncoming: bool = False) -> Drive:
    """Drive along the ring road, slower and faster by turns, ``ahead_m`` before the target's start."""
    driven = driven_m(seconds)
    distance = layout.start_m + ahead_m + (-driven if is_oncoming else driven)
    sign = -1.0 if is_oncoming else 1.0
    # No driver keeps the middle of the lane to the centimetre.
    sway = 0.14 * np.sin(0.7 * seconds + ahead_m)
    return Drive(layout.road.at(distance, sign * (LANE_M + sway)), sign * layout.road.direction(distance))


def fly(random: np.random.Generator, layout: Layout, fps: float, count: int, size: tuple[int, int]) -> Flight:
    """Follow the target as a pilot does: late, never quite centred, drifting, with a little shake."""
    padding = int(np.ceil(3 * _LAG_S * fps))
    seconds = np.arange(-padding, count + padding) / fps
    target = drive_ring(layout, seconds, 0.0).middle
    weights = np.exp(-0.5 * (np.arange(-padding, padding + 1) / (_LAG_S * fps)) ** 2)
    weights /= weights.sum()
    middle: Points = np.stack([np.convolve(target[:, axis], weights, "valid") for axis in (0, 1)], 1).astype(np.float64)
    seconds = seconds[padding : padding + count]
    phase = random.uniform(0, 2 * np.pi, 10)
    for axis in (0, 1):
        middle[:, axis] += 4.2 * np.sin(0.55 * seconds + phase[axis]) + 1.2 * np.sin(1.7 * seconds + phase[axis + 2])
        middle[:, axis] += 0.06 * np.sin(9.0 * seconds + phase[axis + 4]) + random.normal(0, 0.018, count)
    angle = phase[6] + 0.42 * np.sin(0.38 * seconds + phase[7]) + 0.012 * np.sin(2.9 * seconds + phase[8])
    zoom = ZOOM[0] + ZOOM[1] * np.sin(0.80 * seconds + phase[9])
    return Flight(middle, angle, zoom * size[1] / VIEW_M, size)
