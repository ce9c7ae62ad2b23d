"""Where training triplets come from: targets, drawn by source weight, and moments of each.

A pool hides the layout of the data. It gives three sightings of one target, oldest first, and pictures of other
targets to serve as backgrounds and look-alikes.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Protocol

import numpy as np

from eatrack_edge.boxes import Box
from eatrack_edge.crops import Frame
from eatrack_edge.data.shards import ShardTarget
from eatrack_edge.errors import ConfigError

# A shard's picture reaches 3.2 * sqrt(w*h) from the target's centre unless the image ended there.
_SHARD_REACH = 3.0


@dataclass(frozen=True, slots=True)
class Sighting:
    """A target in a picture.

    Attributes:
        picture: Shape (H, W, 3), BGR: a whole frame, or a crop with the target's surroundings.
        box: In pixels of the picture.
        reach: How far, in sqrt(w*h) of the box, a side of the picture lies from the target's centre when it was
            cut there; nearer sides are borders of the original image. Infinite for whole frames.
    """

    picture: Frame
    box: Box
    reach: float = float("inf")


class Pool(Protocol):
    """What the sampler draws from. Drawing must depend on ``rng`` alone."""

    def draw(self, rng: np.random.Generator) -> tuple[Sighting, Sighting, Sighting, bool]:
        """First template, second template and search of one target, and whether they are one still."""

    def draw_other(self, rng: np.random.Generator) -> Sighting:
        """Any target, for a background, a look-alike or an occluder."""


@dataclass(frozen=True)
class ShardPool:
    """Triplets from shards.

    Attributes:
        targets: Clips and stills.
        weights: How often each is drawn, relative, same length.
        largest_gap: Frames between the oldest and the newest of a triplet at most.
    """

    targets: Sequence[ShardTarget]
    weights: Sequence[float]
    largest_gap: int = 200
    _cumulative: list[float] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        if not self.targets or len(self.targets) != len(self.weights) or not sum(self.weights) > 0:
            raise ConfigError("no training target is left: every source has weight 0 or no crops")
        object.__setattr__(self, "_cumulative", list(accumulate(self.weights)))

    def draw(self, rng: np.random.Generator) -> tuple[Sighting, Sighting, Sighting, bool]:
        """Three moments of a clip, or one still three times."""
        target = self._target(rng)
        if len(target.crops) == 1:
            sighting = _sighting(target, 0)
            return sighting, sighting, sighting, True
        middle = int(rng.integers(len(target.crops)))
        now = target.crops[middle].time
        near = [i for i, crop in enumerate(target.crops) if abs(crop.time - now) <= self.largest_gap]
        picked = sorted(int(i) for i in rng.choice(near, 3, replace=len(near) < 3))
        if rng.random() < 0.5:
            picked.reverse()  # a clip played backwards is as good, and there are few
        first, second, search = (_sighting(target, i) for i in picked)
        return first, second, search, False

    def draw_other(self, rng: np.random.Generator) -> Sighting:
        """One moment of any target."""
        target = self._target(rng)
        return _sighting(target, int(rng.integers(len(target.crops))))

    def _target(self, rng: np.random.Generator) -> ShardTarget:
        place = bisect(self._cumulative, rng.random() * self._cumulative[-1])
        return self.targets[min(place, len(self.targets) - 1)]


def _sighting(target: ShardTarget, index: int) -> Sighting:
    crop = target.crops[index]
    return Sighting(crop.picture(), crop.box, _SHARD_REACH)


def weigh(targets: Sequence[ShardTarget], source_weights: dict[str, float], default: float) -> list[float]:
    """Weight of each target, so that a source is drawn in proportion to its weight times its pictures.

    Within a source a clip counts by its pictures, up to a hundred: a long clip is no hundred targets.

    Args:
        targets: Clips and stills.
        source_weights: By name of source; 0 leaves it out.
        default: For sources not named.

    Raises:
        ConfigError: A source is named that the data does not have.
    """
    known = {target.source for target in targets}
    for name in source_weights:
        if name not in known:
            raise ConfigError(f"unknown source `{name}`", hint=f"sources in the data: {', '.join(sorted(known))}")
    return [source_weights.get(target.source, default) * min(len(target.crops), 100) for target in targets]


def split_held_out(
    targets: Sequence[ShardTarget], clip_sources: Sequence[str], every_clip: int, every_still: int
) -> tuple[list[ShardTarget], list[ShardTarget]]:
    """Part targets into training and held-out ones, by place alone.

    Every ``every_clip``-th clip of the named sources, and of each source's stills one run in ``every_still``: whole
    runs, because neighbours in a source often come from one image.

    Args:
        targets: In the order of ``read_shards``.
        clip_sources: Sources whose clips are of use for judging.
        every_clip: Hold out one clip in this many; 0 holds out none.
        every_still: Hold out one run of 10 stills in this many runs; 0 holds out none.

    Returns:
        Training targets, held-out targets.
    """
    train: list[ShardTarget] = []
    held: list[ShardTarget] = []
    seen: dict[tuple[str, bool], int] = {}
    for target in targets:
        is_clip = bool(target.clip)
        place = seen.get((target.source, is_clip), 0)
        seen[target.source, is_clip] = place + 1
        if is_clip:
            out = every_clip > 0 and target.source in clip_sources and place % every_clip == every_clip - 1
        else:
            out = every_still > 0 and (place // 10) % every_still == every_still - 1
        (held if out else train).append(target)
    return train, held
