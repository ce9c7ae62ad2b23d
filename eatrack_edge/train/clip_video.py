"""Videos made of training clips, to track in closed loop.

A training clip holds one crop a frame, cut about its target, and not where in the frame it was cut. So what a video
made of it shows is this: the target, its surroundings and its neighbours change as they did in the clip, and the motion
of the target over the frame and its zoom are synthetic. The surroundings move along with the target, as on a
drone whose camera pans. A crop ends about 3.2 sides from its target; beyond, its border pixels are repeated.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple, cast

import cv2
import numpy as np
from numpy.typing import NDArray

from eatrack_edge.core.boxes import Box
from eatrack_edge.core.crops import Frame
from eatrack_edge.datasets.shards import ShardCrop, ShardTarget
from eatrack_edge.train.hard_cases import soft_ellipse

FRAME_SIDE = 480  # px
_LARGEST_SIDE = 40.0  # px of the frame, of the target at zoom 1; smaller ones keep their size
# Of one frame, in sides of the target. On the development videos the target moves by 0.3 sides in three frames in the
# median; this walk does by about as much.
_KEPT_VELOCITY = 0.92  # share of the velocity left after a frame
_ACCELERATION = 0.035  # standard deviation
_SHAKE = 0.02  # standard deviation of the place about the path: a gimbal
_MARGIN = 1.6  # sides between the target's centre and the frame's border at least
_ZOOM = 0.35  # largest log of the zoom; a slow sine
_CROSSING = 24  # frames that a look-alike takes to pass
_CROSSING_FROM = 3.0  # sides from the target's centre at which it appears
_LEAST_CROPS = 4  # a clip of fewer shows next to no change


@dataclass(frozen=True)
class ClipVideo:
    """One video to be tracked.

    Attributes:
        clip: The target over time.
        stride: Frames of the clip and of the path from one frame to the next: 3 is a third of the frame rate.
        frames: How many. A clip that is shorter is played to and fro.
        seed: Of the path.
        look_alike: Crop of another target that passes close by again and again; ``None`` for none.
    """

    clip: ShardTarget
    stride: int
    frames: int
    seed: int
    look_alike: ShardCrop | None = None

    def play(self) -> Iterator[tuple[Frame, Box]]:
        """Frames, shape (480, 480, 3), BGR, and the true box in each."""
        path = _path(self.frames * self.stride, self.seed)
        _, _, w, h = self.clip.crops[0].box
        base = min(1.0, _LARGEST_SIDE / math.sqrt(w * h))
        side = base * math.sqrt(w * h)
        other = None if self.look_alike is None else _inside(self.look_alike.picture(), self.look_alike.box)
        for time in range(0, self.frames * self.stride, self.stride):
            crop = self.clip.crops[to_and_fro(time, len(self.clip.crops))]
            scale = base * math.exp(path.zoom[time])
            frame, box = show(crop, scale, path.place(time, side))
            if other is not None:
                frame = _pass_by(frame, box, other, time, self.seed)
            yield frame, box


def to_and_fro(time: int, length: int) -> int:
    """Place in a clip of ``length`` crops that is played forwards and backwards for ever."""
    if length == 1:
        return 0
    place = time % (2 * length - 2)
    return min(place, 2 * length - 2 - place)


def choose_clips(targets: list[ShardTarget], count: int) -> list[ShardTarget]:
    """Clips to track, from each source in turn so that none outweighs the others; fewer where there are no more.

    Args:
        targets: Held-out clips and stills.
        count: How many at most.
    """
    by_source: dict[str, list[ShardTarget]] = {}
    for target in targets:
        if target.clip and len(target.crops) >= _LEAST_CROPS:
            by_source.setdefault(target.source, []).append(target)
    chosen: list[ShardTarget] = []
    longest = max((len(clips) for clips in by_source.values()), default=0)
    for place in range(longest):
        chosen += [clips[place] for _, clips in sorted(by_source.items()) if place < len(clips)]
    return chosen[:count]


class _Path(NamedTuple):
    centre: NDArray[np.float64]  # (N, 2), sides from the frame's middle
    zoom: NDArray[np.float64]  # (N,), log

    def place(self, time: int, side: float) -> tuple[float, float]:
        x, y = FRAME_SIDE / 2 + self.centre[time] * side
        return float(x), float(y)


def _path(frames: int, seed: int) -> _Path:
    rng = np.random.default_rng((2026, seed))
    limit = FRAME_SIDE / 2 / _LARGEST_SIDE - _MARGIN
    velocity = rng.normal(0, _ACCELERATION / math.sqrt(1 - _KEPT_VELOCITY**2), 2)
    centre, centres = rng.uniform(-0.5, 0.5, 2) * limit, []
    for _ in range(frames):
        velocity = _KEPT_VELOCITY * velocity + rng.normal(0, _ACCELERATION, 2)
        velocity = np.where(np.abs(centre + velocity) > limit, -velocity, velocity)
        centre = centre + velocity
        centres.append(np.clip(centre + rng.normal(0, _SHAKE, 2), -limit, limit))
    period, phase = rng.uniform(40, 120), rng.uniform(0, 2 * math.pi)
    zoom = _ZOOM * np.sin(2 * math.pi * np.arange(frames) / period + phase)
    return _Path(np.array(centres), zoom)


def show(crop: ShardCrop, scale: float, place: tuple[float, float]) -> tuple[Frame, Box]:
    """The frame that shows a crop's target, ``scale`` times as large, at ``place``, and its box."""
    picture = crop.picture()
    x, y, w, h = crop.box
    if scale < 0.6:  # bilinear sampling would skip pixels
        small = max(1, round(picture.shape[1] * scale)), max(1, round(picture.shape[0] * scale))
        across, down = picture.shape[1] / small[0], picture.shape[0] / small[1]
        picture = cast("Frame", cv2.resize(picture, small, interpolation=cv2.INTER_AREA))
    else:
        across = down = 1.0
    left, top = place[0] - scale * (x + w / 2), place[1] - scale * (y + h / 2)
    # OpenCV's coordinates name pixel centres: half a pixel in, half a pixel out.
    wide, high = scale * across, scale * down
    matrix = np.array([[wide, 0, left + wide / 2 - 0.5], [0, high, top + high / 2 - 0.5]])
    size = (FRAME_SIDE, FRAME_SIDE)
    frame = cv2.warpAffine(picture, matrix, size, flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return cast("Frame", frame), (left + scale * x, top + scale * y, scale * w, scale * h)


def _inside(picture: Frame, box: Box) -> Frame:
    x, y, w, h = box
    x1, y1 = max(0, math.floor(x)), max(0, math.floor(y))
    part = picture[y1 : math.ceil(y + h), x1 : math.ceil(x + w)]
    return part if part.size else picture


def _pass_by(frame: Frame, box: Box, other: Frame, time: int, seed: int) -> Frame:
    """Let another target pass behind the true one; it comes every other ``_CROSSING`` frames, from a new direction."""
    turn, step = divmod(time, _CROSSING)
    if turn % 2 == 0:  # the first frames are left alone: the tracker takes its template there
        return frame
    x, y, w, h = box
    side = math.sqrt(w * h)
    rng = np.random.default_rng((2026, seed, turn))
    angle, apart = rng.uniform(0, 2 * math.pi), rng.uniform(-0.9, 0.9) * side
    along = _CROSSING_FROM * side * (1 - 2 * step / (_CROSSING - 1))
    cx = x + w / 2 + along * math.cos(angle) - apart * math.sin(angle)
    cy = y + h / 2 + along * math.sin(angle) + apart * math.cos(angle)
    scale = side / math.sqrt(other.shape[0] * other.shape[1])
    passer = (cx, cy, other.shape[1] * scale, other.shape[0] * scale)
    target = _inside(frame, box)
    return _paste(_paste(frame, other, passer), target, (x + w / 2, y + h / 2, w, h))


def _paste(frame: Frame, picture: Frame, area: tuple[float, float, float, float]) -> Frame:
    """Lay a picture over (cx, cy, w, h) of the frame, through a soft ellipse; what lies outside is cut off."""
    cx, cy, w, h = area
    wide, high = max(2, round(w)), max(2, round(h))
    left, top = round(cx - wide / 2), round(cy - high / 2)
    x1, y1, x2, y2 = max(0, left), max(0, top), min(FRAME_SIDE, left + wide), min(FRAME_SIDE, top + high)
    if x2 <= x1 or y2 <= y1:
        return frame
    mask = soft_ellipse(wide, high)
    patch = cv2.resize(picture, (wide, high), interpolation=cv2.INTER_AREA)
    part = slice(y1 - top, y2 - top), slice(x1 - left, x2 - left)
    share = mask[part]
    frame = frame.copy()
    spot = frame[y1:y2, x1:x2]
    frame[y1:y2, x1:x2] = (spot * (1 - share) + patch[part] * share).astype(np.uint8)
    return frame
