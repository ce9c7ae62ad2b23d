"""What may happen to the target of a scene besides driving: it leaves the picture, is covered, or there is a cut.

Each event takes ``gone`` frames and its truth is known: the scene computes which part of the target can be seen.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from eatrack_edge.scene.camera_motion import VIEW_M, ZOOM, Drive, Flight, driven_m
from eatrack_edge.scene.layout import Deck, Layout

_TURN_S = 0.7  # how long the camera takes to turn away, and back
_CAR_M = 4.6


@dataclass(frozen=True, slots=True)
class Events:
    """Which events a scene has, by the frame at which each begins; 0: it does not happen.

    Attributes:
        leave: The camera turns away until the target has left the picture, and back.
        cut: The picture is of another place.
        cover: The target is under a bridge that hides all of it.
        gone: Frames that each takes; for ``leave``, without turning away and back.
        lookalikes: Cars like the target that drive before and behind it, at most 4.
    """

    leave: int = 0
    cut: int = 0
    cover: int = 0
    gone: int = 60
    lookalikes: int = 0

    def deck(self, fps: float) -> Deck:
        """The bridge: a footbridge that hides a part of the target, unless ``cover`` asks for a wide one."""
        if not self.cover:
            return Deck()
        begin, end = driven_m(np.array([self.cover, self.cover + self.gone]) / fps).tolist()
        return Deck((begin + end) / 2, end - begin + _CAR_M)

    def lookalikes_ahead_m(self) -> list[float]:
        """How far ahead of the target each look-alike drives, metres."""
        return [9.5, -9.5, 19.0, -19.0][: self.lookalikes]


def look_away(flight: Flight, target: Drive, layout: Layout, events: Events, fps: float) -> Flight:
    """The flight with what the events do to the camera; the same one where there are none.

    Args:
        flight: That follows the target.
        target: Where the target is in each frame.
        layout: Of the world.
        events: What happens.
        fps: Frames per second.
    """
    middle = flight.middle.copy()
    frames = np.arange(len(middle))
    if events.leave:
        width, height = flight.size
        # So far that a target in any corner of the picture is out of it at the widest view.
        away_m = 1.15 * VIEW_M / (ZOOM[0] - ZOOM[1]) * np.hypot(width / height, 1) / 2 + 12
        inwards = np.array(layout.road.points.mean(0)) - target.middle
        inwards /= np.maximum(np.linalg.norm(inwards, axis=1, keepdims=True), 1e-9)
        middle += inwards * (away_m * _turned(frames, events, fps))[:, None]
    if events.cut:
        is_cut = (frames >= events.cut) & (frames < events.cut + events.gone)
        across = 2 * layout.road.points.mean(0) - middle  # the other side of the ring
        middle = np.where(is_cut[:, None], across, middle)
    return replace(flight, middle=middle)


def _turned(frames: NDArray[np.int64], events: Events, fps: float) -> NDArray[np.float64]:
    """How far the camera has turned away in each frame, [0, 1]: smoothly there, staying, and smoothly back."""
    turn = max(1.0, _TURN_S * fps)
    there = np.clip((frames - events.leave) / turn, 0, 1)
    back = np.clip((frames - events.leave - turn - events.gone) / turn, 0, 1)
    turned = there - back
    return np.asarray(turned * turned * (3 - 2 * turned))
