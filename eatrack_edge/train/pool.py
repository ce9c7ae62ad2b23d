"""What the sampler draws from: a pool gives moments of a target, whatever the layout of the data."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import NamedTuple, Protocol

import numpy as np

from eatrack_edge.core.boxes import Box
from eatrack_edge.core.crops import Frame
from eatrack_edge.core.errors import ConfigError

_TRIES = 20  # draws of another target before they are listed


@dataclass(frozen=True, slots=True)
class Sighting:
    """A target in a picture.

    Attributes:
        picture: Shape (H, W, 3), BGR: a whole frame, or a crop with the target's surroundings.
        box: In pixels of the picture.
        reach: How far from the target's centre, in sqrt(w*h) of the box, the picture was cut. A side at least so far
            away is such a cut; a nearer one is the border of the original image. Infinite for whole frames.
        source: Where the target comes from; targets of one source look alike. Empty where nothing is known.
        name: Of the target in its source.
        scene: Targets of one scene may be seen in each other's pictures: those of one video, or of one photograph.
    """

    picture: Frame
    box: Box
    reach: float = float("inf")
    source: str = ""
    name: str = ""
    scene: str = ""


class Triplet(NamedTuple):
    """Three moments of one target, in order of time or against it."""

    first: Sighting  # for the first template slot
    second: Sighting  # for the second
    search: Sighting
    is_still: bool  # the three are one picture, and need motion made for them


class Pool(Protocol):
    """Targets to draw from. What is drawn depends on ``rng`` alone."""

    def draw(self, rng: np.random.Generator) -> Triplet:
        """Three moments of one target."""
        ...

    def draw_other(self, than: Sighting, rng: np.random.Generator) -> Sighting | None:
        """One moment of a target of another scene; ``None`` where there is no other scene.

        For a search without the target, a background, a look-alike or an occluder: none of them may show the target.
        """
        ...

    def draw_alike(self, sighting: Sighting, rng: np.random.Generator) -> Sighting | None:
        """One moment of another target of the same source; that of ``draw_other`` where there is none."""
        ...


class Chooser:
    """Draws a place in proportion to its weight.

    Args:
        weights: Not negative, not all 0.

    Raises:
        ConfigError: Nothing has a weight.
    """

    def __init__(self, weights: Sequence[float]) -> None:
        self._sums = list(accumulate(weights))
        if not self._sums or not self._sums[-1] > 0:
            raise ConfigError("no training target is left: every source has weight 0 or no pictures")

    def choose(self, rng: np.random.Generator) -> int:
        """A place, from 0."""
        return min(bisect(self._sums, rng.random() * self._sums[-1]), len(self._sums) - 1)

    def choose_other(self, rng: np.random.Generator, is_other: Callable[[int], bool]) -> int | None:
        """A place that is another one; ``None`` where no place with a weight is."""
        for _ in range(_TRIES):
            place = self.choose(rng)
            if is_other(place):
                return place
        # Most are not, by their weight: among the few others all are drawn equally often.
        weights = np.diff(self._sums, prepend=0.0)
        others = [place for place, weight in enumerate(weights) if weight > 0 and is_other(place)]
        return others[int(rng.integers(len(others)))] if others else None


class MixedPool:
    """Several pools, each drawn in proportion to its weight whatever its size.

    Args:
        pools: At least one.
        weights: Of each.
    """

    def __init__(self, pools: Sequence[Pool], weights: Sequence[float]) -> None:
        self._pools = pools
        self._chooser = Chooser(weights)

    def draw(self, rng: np.random.Generator) -> Triplet:
        """Three moments of one target."""
        return self._pools[self._chooser.choose(rng)].draw(rng)

    def draw_other(self, than: Sighting, rng: np.random.Generator) -> Sighting | None:
        """One moment of a target of another scene; ``None`` where there is no other scene."""
        first = self._chooser.choose(rng)
        for pool in (self._pools[first], *self._pools[:first], *self._pools[first + 1 :]):
            if (found := pool.draw_other(than, rng)) is not None:
                return found
        return None

    def draw_alike(self, sighting: Sighting, rng: np.random.Generator) -> Sighting | None:
        """One moment of another target of the same source; that of ``draw_other`` where there is none."""
        for pool in self._pools:
            found = pool.draw_alike(sighting, rng)
            if found is not None and sighting.source and found.source == sighting.source:
                return found
        return self.draw_other(sighting, rng)


def three_moments(
    times: Sequence[int], largest_gap: int, rng: np.random.Generator, *, is_far_apart: bool = False
) -> list[int]:
    """Three places in a clip, all within ``largest_gap`` frames of one of its moments.

    In order of time, or in half of the draws against it: a clip played backwards is as good, and there are few.

    Args:
        times: Of the clip's pictures, rising, in frames.
        largest_gap: Frames.
        rng: Source of chance.
        is_far_apart: The first and the last from the outer quarters of what the gap allows: a target that has turned.
    """
    now = times[int(rng.integers(len(times)))]
    low, high = bisect(times, now - largest_gap - 1), bisect(times, now + largest_gap)
    if is_far_apart:
        outer = max(1, (high - low) // 4)
        ends = low + int(rng.integers(outer)), high - 1 - int(rng.integers(outer))
        picked = [min(ends), int(rng.integers(low, high)), max(ends)]
        return sorted(picked) if rng.random() < 0.5 else sorted(picked, reverse=True)
    picked = sorted(int(place) for place in rng.choice(high - low, 3, replace=high - low < 3) + low)
    return picked if rng.random() < 0.5 else picked[::-1]
