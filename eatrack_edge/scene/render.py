"""Renders the scene: frames, true boxes, and how much of the target is visible."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import cast

import cv2
import numpy as np
from numpy.typing import NDArray

from eatrack_edge.core.crops import Frame
from eatrack_edge.scene.camera_motion import VIEW_M, ZOOM, Drive, Flight, drive_ring, fly
from eatrack_edge.scene.ground import Ground, paint
from eatrack_edge.scene.layout import SUN, plan
from eatrack_edge.scene.target_events import Events, look_away
from eatrack_edge.scene.vehicles import (
    Affine,
    Vehicle,
    apply,
    covered_part,
    draw,
    draw_car,
    draw_truck,
    for_opencv,
    pose,
    then,
)

_GROUND_SHARPNESS = 1.0  # ground pixels per frame pixel at zoom 1
_GRAIN_MIDDLE = 12.0
_SHADOW_LENGTH = 0.55  # metres of shadow per metre of height
_GRAIN_PX = 64  # the camera's noise is one picture, moved about by up to this much
_RED, _RUST, _WHITE = (38, 44, 168), (44, 62, 132), (214, 217, 218)
_BLUE, _SILVER, _BLACK = (128, 66, 40), (150, 150, 148), (46, 44, 44)


@dataclass(frozen=True, slots=True, eq=False)
class _Traffic:
    vehicle: Vehicle
    drive: Drive


class Scene:
    """A drone video of a car, made up from a seed.

    Args:
        seed: Which world, flight and traffic.
        frame_count: How many frames, at least 1.
        size: (width, height), pixels.
        fps: Frames per second.
        events: What happens to the target.
    """

    def __init__(
        self,
        seed: int,
        frame_count: int,
        size: tuple[int, int],
        fps: float,
        events: Events = Events(),  # noqa: B008  (it is frozen)
    ) -> None:
        self.frame_count = frame_count
        self.size = size
        view_px_per_m = size[1] / VIEW_M
        # Above 1080p the ground would fill a small board's memory: it gets softer instead.
        self._ground_scale = min(view_px_per_m * _GROUND_SHARPNESS, 24.0)
        self._seed = seed
        self._bridge = events.deck(fps)
        self._layout = plan(seed, self._bridge)
        random = np.random.default_rng([seed, 3])
        flight = fly(random, self._layout, fps, frame_count, size)
        seconds = np.arange(frame_count) / fps
        largest = view_px_per_m * sum(ZOOM)
        self._target = _Traffic(draw_car(_RED, largest), drive_ring(self._layout, seconds, 0.0))
        self._flight: Flight = look_away(flight, self._target.drive, self._layout, events, fps)
        self._others = self._traffic(seconds, largest, events)
        shape = (size[1] + _GRAIN_PX, size[0] + _GRAIN_PX, 3)
        self._grain = np.clip(random.normal(_GRAIN_MIDDLE, 2.2, shape), 0, 255).astype(np.uint8)
        self._grain_place = random.integers(0, _GRAIN_PX, (frame_count, 2))

    def _traffic(self, seconds: NDArray[np.float64], largest: float, events: Events) -> list[_Traffic]:
        """The other vehicles on the ring road."""
        layout = self._layout
        cars = {colour: draw_car(colour, largest) for colour in (_RED, _RUST, _WHITE, _BLUE, _SILVER, _BLACK)}
        truck = draw_truck(_BLUE, largest)
        # A look-alike ahead, a near one behind and one that comes by; none beside the target while it is hidden.
        ring = [(_RUST, -17.0, False), (_RED, 25.0, False), (_SILVER, 52.0, True), (_WHITE, 64.0, True)]
        ring += [(_RUST, 128.0, True), (_BLACK, 141.0, True), (_WHITE, -36.0, False), (_BLUE, 215.0, True)]
        ring += [(_RED, ahead, False) for ahead in events.lookalikes_ahead_m()]
        others = [
            _Traffic(cars[bgr], drive_ring(layout, seconds, ahead, is_oncoming=back)) for bgr, ahead, back in ring
        ]
        others.append(_Traffic(truck, drive_ring(layout, seconds, 42.0)))
        return others

    @cached_property
    def _ground(self) -> Ground:
        # Late: who only asks for the truth does not wait for the painting.
        return paint(self._seed, self._ground_scale, self._bridge)

    @cached_property
    def truth(self) -> NDArray[np.float64]:
        """The box round the target's body in each frame, hidden or not, shape (frame_count, 4), pixels."""
        boxes = np.empty((self.frame_count, 4))
        for index in range(self.frame_count):
            edge = apply(self._to_frame(self._target, index), self._target.vehicle.outline)
            boxes[index, :2], boxes[index, 2:] = edge.min(0), np.ptp(edge, axis=0)
        return boxes

    @cached_property
    def visible(self) -> NDArray[np.float64]:
        """Part of the target's body that is in the frame and under nothing, shape (frame_count,), [0, 1]."""
        vehicle, scale = self._target.vehicle, self._ground.scale
        rings = [vehicle.outline * share for share in np.sqrt((np.arange(8) + 0.5) / 8)]
        body = np.concatenate(rings)
        shares = np.empty(self.frame_count)
        for index in range(self.frame_count):
            world = apply(pose(self._target.drive.middle[index], self._target.drive.direction[index]), body)
            column, row = np.floor(world * scale).astype(int).T
            uncovered = 1 - self._ground.cover[row, column] / 255
            seen = apply(self._flight.camera(index), world)
            inside = ((seen >= 0) & (seen < self.size)).all(1)
            shares[index] = (uncovered * inside).mean()
        return shares

    def render(self, index: int) -> Frame:
        """Draw frame ``index``, from 0: shape (H, W, 3), uint8 BGR."""
        scale = 1 / self._ground.scale
        ground = then(np.array([[scale, 0, 0], [0, scale, 0]]), self._flight.camera(index))
        seen = cv2.warpAffine(self._ground.picture, for_opencv(ground), self.size, borderMode=cv2.BORDER_REFLECT_101)
        frame = cast("Frame", seen)
        for traffic in (*self._others, self._target):
            self._draw(frame, traffic, index, ground)
        row, column = self._grain_place[index]
        grain = self._grain[row : row + self.size[1], column : column + self.size[0]]
        return cast("Frame", cv2.addWeighted(frame, 1.0, grain, 1.0, -_GRAIN_MIDDLE))

    def _draw(self, frame: Frame, traffic: _Traffic, index: int, ground: Affine) -> None:
        """Draw one vehicle, shaded and hidden by what stands above the road; ``ground`` maps that to the frame."""
        vehicle, to_frame = traffic.vehicle, self._to_frame(traffic, index)
        fall = self._flight.camera(index)[:, :2] @ SUN * (_SHADOW_LENGTH * vehicle.height_m)
        part = covered_part(vehicle, to_frame, fall, self.size)
        if part is None:
            return
        corner = (part[1].start, part[0].start)
        before = frame[part].copy()
        matrix, size = for_opencv(ground, *corner), before.shape[1::-1]
        sunlight = cv2.warpAffine(self._ground.sunlight, matrix, size, borderMode=cv2.BORDER_REFLECT_101)
        cover = cv2.warpAffine(self._ground.cover, matrix, size)[..., None].astype(np.float32) / 255
        after = draw(before, vehicle, to_frame, fall, corner, np.asarray(sunlight, np.uint8))
        frame[part] = before * cover + after * (1 - cover) + 0.5

    def _to_frame(self, traffic: _Traffic, index: int) -> Affine:
        placed = pose(traffic.drive.middle[index], traffic.drive.direction[index])
        return then(placed, self._flight.camera(index))
