"""Triplets from the shards of ``eatrack_edge.datasets.shards``."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from eatrack_edge.core.errors import ConfigError, did_you_mean
from eatrack_edge.datasets.shards import ShardTarget
from eatrack_edge.train.pool import Chooser, Sighting, Triplet, three_moments

# A shard's picture was cut 3.2 * sqrt(w*h) from the target's centre, rounded, unless its image ended sooner.
REACH = 3.0
_LONGEST_CLIP = 100  # pictures; a longer clip counts as no more targets than this
_RUN = 10  # stills held out together


class ShardPool:
    """Clips and stills.

    Args:
        targets: Clips and stills.
        weights: How often each is drawn, relative, same length.
        largest_gap: Frames between the moments of a triplet at most.
        far_apart: Share of triplets whose first and last moment lie as far apart as they may.

    Raises:
        ConfigError: Nothing has a weight.
    """

    def __init__(
        self, targets: Sequence[ShardTarget], weights: Sequence[float], largest_gap: int = 200, far_apart: float = 0.0
    ) -> None:
        self._targets = targets
        self._chooser = Chooser(weights)
        self._largest_gap = largest_gap
        self._far_apart = far_apart
        self._by_source: dict[str, list[ShardTarget]] = {}
        for target, weight in zip(targets, weights, strict=True):
            if weight > 0:
                self._by_source.setdefault(target.source, []).append(target)

    def draw(self, rng: np.random.Generator) -> Triplet:
        """Three moments of a clip, or one still three times."""
        target = self._targets[self._chooser.choose(rng)]
        if len(target.crops) == 1:
            sighting = _sighting(target, 0)
            return Triplet(sighting, sighting, sighting, is_still=True)
        is_far = bool(self._far_apart and rng.random() < self._far_apart)
        times = [crop.time for crop in target.crops]
        places = three_moments(times, self._largest_gap, rng, is_far_apart=is_far)
        first, second, search = (_sighting(target, place) for place in places)
        return Triplet(first, second, search, is_still=False)

    def draw_other(self, than: Sighting, rng: np.random.Generator) -> Sighting | None:
        """One moment of a target of another scene; ``None`` where there is no other scene."""
        place = self._chooser.choose_other(rng, lambda place: _scene(self._targets[place]) != than.scene)
        if place is None:
            return None
        target = self._targets[place]
        return _sighting(target, int(rng.integers(len(target.crops))))

    def draw_alike(self, sighting: Sighting, rng: np.random.Generator) -> Sighting | None:
        """One moment of another target of the same source; that of ``draw_other`` where there is none."""
        targets = [each for each in self._by_source.get(sighting.source, []) if _name(each) != sighting.name]
        if not targets:
            return self.draw_other(sighting, rng)
        target = targets[int(rng.integers(len(targets)))]
        return _sighting(target, int(rng.integers(len(target.crops))))


def _name(target: ShardTarget) -> str:
    return target.clip or target.crops[0].name


def _scene(target: ShardTarget) -> str:
    """A clip, or all stills of a source: many are cut from one photograph, and nothing says which."""
    return f"{target.source}/{target.clip}"


def _sighting(target: ShardTarget, place: int) -> Sighting:
    crop = target.crops[place]
    return Sighting(crop.picture(), crop.box, REACH, target.source, _name(target), _scene(target))


def weigh(targets: Sequence[ShardTarget], source_weights: Mapping[str, float], default: float) -> list[float]:
    """Weight of each target: its source's, times its pictures.

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
            hint = did_you_mean(name, sorted(known), "sources in the data: {}")
            raise ConfigError(f"unknown source `{name}`", hint=hint)
    return [source_weights.get(target.source, default) * min(len(target.crops), _LONGEST_CLIP) for target in targets]


def balance(targets: Sequence[ShardTarget]) -> list[float]:
    """Weights that draw clips and stills equally often, each clip and each still as often as any other."""
    counts = Counter(bool(target.clip) for target in targets)
    return [1 / counts[bool(target.clip)] for target in targets]


def split_held_out(
    targets: Sequence[ShardTarget], clip_sources: Sequence[str], every_clip: int, every_still: int
) -> tuple[list[ShardTarget], list[ShardTarget]]:
    """Part targets into training and held-out ones, by place alone.

    Args:
        targets: In the order of ``read_shards``.
        clip_sources: Sources of whose clips some are held out; the others' clips are of no use for judging.
        every_clip: Hold out one clip in this many; 0 holds out none.
        every_still: Hold out one run of ten stills in this many; 0 holds out none. Runs, because neighbours in a
            source often come from one image.

    Returns:
        Training targets, held-out targets.
    """
    train: list[ShardTarget] = []
    held: list[ShardTarget] = []
    seen: Counter[tuple[str, bool]] = Counter()
    for target in targets:
        is_clip = bool(target.clip)
        place = seen[target.source, is_clip]
        seen[target.source, is_clip] += 1
        if is_clip:
            is_out = every_clip > 0 and target.source in clip_sources and place % every_clip == every_clip - 1
        else:
            is_out = every_still > 0 and (place // _RUN) % every_still == every_still - 1
        (held if is_out else train).append(target)
    return train, held
