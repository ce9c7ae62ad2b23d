"""Where things stand in the synthetic world. Metres, x to the right and y down, as in the picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]

WORLD_M = (290.0, 230.0)  # width and height of the painted ground
ROAD_WIDTH_M = 7.4
LANE_M = 1.8  # from the middle of the road to the middle of a lane
DECK_WIDTH_M = 2.6  # a footbridge: it hides more than half of a car of 4.6 m, but never all of it
SUN = np.array([0.80, 0.60])  # where shadows fall, per metre of height
_LOOP_M = (176.0, 116.0)  # extent of the ring road
_STEP_M = 0.25  # spacing of the ring road's points


@dataclass(frozen=True, slots=True)
class Road:
    """A closed road by its middle line, to be asked by distance driven.

    Attributes:
        points: Middle line in equal steps, shape (N, 2), metres; the last point joins the first.
    """

    points: Points

    @property
    def length_m(self) -> float:
        """Once round, metres."""
        return len(self.points) * _STEP_M

    def at(self, distance_m: Points, offset_m: float | Points = 0.0) -> Points:
        """Points ``offset_m`` to the right of the middle line, shape (..., 2)."""
        place = np.asarray(distance_m) / _STEP_M
        low = np.floor(place).astype(int)
        share = (place - low)[..., None]
        count = len(self.points)
        middle = self.points[low % count] * (1 - share) + self.points[(low + 1) % count] * share
        along = self.direction(distance_m)
        return np.asarray(middle + np.stack([-along[..., 1], along[..., 0]], -1) * np.asarray(offset_m)[..., None])

    def direction(self, distance_m: Points) -> Points:
        """Unit vectors of travel, shape (..., 2), smoothed over a car's length."""
        low = np.floor(np.asarray(distance_m) / _STEP_M).astype(int)
        share = (np.asarray(distance_m) / _STEP_M - low)[..., None]
        count, half = len(self.points), 8
        chord_low = self.points[(low + half) % count] - self.points[(low - half) % count]
        chord_high = self.points[(low + 1 + half) % count] - self.points[(low + 1 - half) % count]
        along = chord_low * (1 - share) + chord_high * share
        return np.asarray(along / np.linalg.norm(along, axis=-1, keepdims=True))


@dataclass(frozen=True, slots=True)
class House:
    """A house: its middle, half sizes, direction of the ridge (radians), height, and which roof it has."""

    middle: Points
    half_length_m: float
    half_width_m: float
    angle: float
    height_m: float
    roof: int

    def corners(self, grow_m: float = 0.0) -> Points:
        """The four corners, shape (4, 2): two along one eave, two back along the other."""
        along = np.array([np.cos(self.angle), np.sin(self.angle)]) * (self.half_length_m + grow_m)
        across = np.array([-np.sin(self.angle), np.cos(self.angle)]) * (self.half_width_m + grow_m)
        return np.array([-along - across, along - across, along + across, -along + across]) + self.middle


@dataclass(frozen=True, slots=True)
class Deck:
    """A bridge over the road: how far the target drives until it is in its middle, and how wide it is, metres."""

    # Crowns hide half of the target within the first eight seconds; the footbridge comes just after them.
    distance_m: float = 99.0
    width_m: float = DECK_WIDTH_M


@dataclass(frozen=True, slots=True)
class Layout:
    """Everything that stands still.

    Attributes:
        road: The ring road that the target drives on.
        start_m: Where on it the target is at time 0, metres.
        deck: The two ends of the bridge and its path that cross over it, shape (2, 2).
        deck_width_m: Width of the bridge.
        houses: Houses inside the ring.
        trees: Crowns, shape (N, 3): x, y, radius. Those that hang over the lane come last.
        tracks: Dirt tracks, each a line of points, shape (N, 2).
    """

    road: Road
    start_m: float
    deck: Points
    houses: tuple[House, ...]
    trees: NDArray[np.float64]
    tracks: tuple[Points, ...]
    deck_width_m: float = DECK_WIDTH_M


def plan(seed: int, bridge: Deck = Deck()) -> Layout:
    """Lay out a world, the same one for the same seed and bridge."""
    random = np.random.default_rng([seed, 1])
    road = _ring(random)
    start = float(random.uniform(0, road.length_m))
    deck = _deck(random, road, start + bridge.distance_m)
    houses = _houses(random, road, deck)
    trees = _trees(random, road, deck, houses, bridge.width_m)
    overhanging = _overhanging(random, road, start)
    tracks = tuple(_track(random, road, start + distance) for distance in (22.0, 150.0, 290.0))
    return Layout(road, start, deck, houses, np.concatenate([trees, overhanging]), tracks, bridge.width_m)


def _ring(random: np.random.Generator) -> Road:
    turn = np.linspace(0, 2 * np.pi, 4096, endpoint=False)
    radius = np.ones_like(turn)
    for wave, size in ((2, 0.12), (3, 0.11), (5, 0.035)):
        radius += size * np.cos(wave * turn + random.uniform(0, 2 * np.pi))
    line = np.stack([radius * np.cos(turn), radius * np.sin(turn)], 1)
    line = (line - line.min(0)) / np.ptp(line, axis=0) * _LOOP_M + (np.array(WORLD_M) - _LOOP_M) / 2
    closed = np.vstack([line, line[:1]])
    driven = np.concatenate([[0], np.linalg.norm(np.diff(closed, axis=0), axis=1).cumsum()])
    steps = np.arange(int(driven[-1] / _STEP_M)) * (driven[-1] / int(driven[-1] / _STEP_M))
    return Road(np.stack([np.interp(steps, driven, closed[:, axis]) for axis in (0, 1)], 1))


def _deck(random: np.random.Generator, road: Road, distance_m: float) -> Points:
    crossing, along = road.at(np.array(distance_m)), road.direction(np.array(distance_m))
    lean = random.uniform(-0.2, 0.2)
    across = np.array([-along[1], along[0]]) * np.cos(lean) + along * np.sin(lean)
    return np.array([crossing - across * 400, crossing + across * 400])


def distance_to_line(points: Points, line: Points) -> Points:
    """Metres from each point, shape (N, 2), to the endless line through two points."""
    along = (line[1] - line[0]) / np.linalg.norm(line[1] - line[0])
    offset = points - line[0]
    return np.asarray(np.abs(offset[..., 0] * along[1] - offset[..., 1] * along[0]))


def _distance_to_road(points: Points, road: Road) -> Points:
    line = road.points[::8]
    return np.asarray(np.linalg.norm(points[:, None] - line[None], axis=2).min(1))


def _houses(random: np.random.Generator, road: Road, deck: Points) -> tuple[House, ...]:
    houses: list[House] = []
    for row, spacing in ((17.0, 21.0), (-18.0, 34.0)):
        for distance in np.arange(0, road.length_m - spacing, spacing):
            place = np.array(distance + random.uniform(-3, 3))
            middle = road.at(place, row + np.sign(row) * random.uniform(0, 5))
            along = road.direction(place)
            house = House(
                middle,
                random.uniform(5.0, 7.5),
                random.uniform(3.6, 4.8),
                float(np.arctan2(along[1], along[0]) + random.choice([0, np.pi / 2]) + random.normal(0, 0.05)),
                random.uniform(4.5, 7.0),
                int(random.integers(0, 5)),
            )
            apart = min((float(np.linalg.norm(middle - other.middle)) for other in houses), default=99.0)
            clear = distance_to_line(middle[None], deck)[0] > 15 and _distance_to_road(middle[None], road)[0] > 14
            if apart > 17 and clear and random.random() < 0.85:
                houses.append(house)
    return tuple(houses)


def _trees(
    random: np.random.Generator, road: Road, deck: Points, houses: tuple[House, ...], deck_width_m: float
) -> NDArray[np.float64]:
    """Single trees, avenue trees, and woods; none on a house, a bridge or the road."""
    single = random.uniform((0, 0), WORLD_M, (170, 2))
    distance = np.arange(0, road.length_m, 7.5)
    side = random.choice([-1.0, 1.0], len(distance)) * random.uniform(8.5, 10.5, len(distance))
    avenue = road.at(distance + random.uniform(-2, 2, len(distance)), side)[random.random(len(distance)) < 0.62]
    woods = [random.normal(random.uniform((0, 0), WORLD_M), (10, 7), (46, 2)) for _ in range(9)]
    places = np.concatenate([single, avenue, *woods])
    radius = np.concatenate(
        [
            random.uniform(0.9, 3.4, len(single)),
            random.uniform(2.2, 3.4, len(avenue)),
            random.uniform(1.8, 4.2, 46 * len(woods)),
        ]
    )
    near_house = np.min([np.linalg.norm(places - house.middle, axis=1) for house in houses], axis=0)
    keep = (_distance_to_road(places, road) > radius + 4.6) & (near_house > radius + 6.2)
    keep &= distance_to_line(places, deck) > radius + deck_width_m / 2 + 0.5
    return np.asarray(np.column_stack([places, radius])[keep])


def _overhanging(random: np.random.Generator, road: Road, start_m: float) -> NDArray[np.float64]:
    """Crowns over the target's lane: a light one early, then two that hide about half of the car."""
    crowns = []
    for distance, offset, radius in ((19.0, 5.8, 3.6), (43.0, 4.9, 3.8), (47.5, 5.2, 3.5)):
        place = np.array(start_m + distance)
        x, y = road.at(place, offset + random.uniform(-0.2, 0.2))
        crowns.append((x, y, radius))
    return np.array(crowns)


def _track(random: np.random.Generator, road: Road, distance_m: float) -> Points:
    """A dirt track that leaves the ring road outwards."""
    begin, along = road.at(np.array(distance_m)), road.direction(np.array(distance_m))
    middle = np.array(WORLD_M) / 2
    out = np.array([-along[1], along[0]])
    out *= np.sign(out @ (begin - middle)) or 1.0
    reach = np.linspace(0, 120, 40)[:, None]
    bend = random.uniform(-0.004, 0.004)
    return np.asarray(begin + out * reach + along * bend * reach**2)
