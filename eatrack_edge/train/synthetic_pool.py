"""Triplets from synthetic drone videos: no data to download, so that a recipe can be tried, and CI can train."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count, islice

import numpy as np

from eatrack_edge.core.errors import InputError
from eatrack_edge.sources.synthetic import SyntheticSource
from eatrack_edge.train.pool import Sighting, Triplet, three_moments

_LEAST_VISIBLE = 0.5  # a car under a bridge teaches nothing that the occluders do not


@dataclass(frozen=True, slots=True)
class _Clip:
    times: list[int]
    sightings: list[Sighting]


class SyntheticPool:
    """Clips of ``test://`` videos, drawn once and kept.

    Args:
        uri: The first video, see ``SyntheticSource``; the others have the seeds after its own.
        clips: How many.
        every: Frames from one kept picture to the next.
        largest_gap: Frames between the moments of a triplet at most.

    Raises:
        InputError: The URI is wrong, or no frame of it shows the target.
    """

    def __init__(self, uri: str, clips: int, every: int = 5, largest_gap: int = 200) -> None:
        first = SyntheticSource.from_uri(uri)
        settings = dict(pair.split("=") for pair in first.uri.partition("?")[2].split("&"))
        uris = (_uri({**settings, "seed": str(seed)}) for seed in islice(count(int(settings["seed"])), clips))
        self._clips = [_draw(SyntheticSource.from_uri(one), every) for one in uris]
        self._clips = [clip for clip in self._clips if clip.times]
        if not self._clips:
            raise InputError(f"{uri}: no frame shows the target", hint="ask for more frames: test://?frames=120")
        self._largest_gap = largest_gap

    def draw(self, rng: np.random.Generator) -> Triplet:
        """Three moments of a clip."""
        clip = self._clips[int(rng.integers(len(self._clips)))]
        places = three_moments(clip.times, self._largest_gap, rng)
        first, second, search = (clip.sightings[place] for place in places)
        return Triplet(first, second, search, is_still=False)

    def draw_other(self, than: Sighting, rng: np.random.Generator) -> Sighting | None:
        """One moment of another clip; ``None`` where there is no other."""
        others = [clip for clip in self._clips if clip.sightings[0].scene != than.scene]
        if not others:
            return None
        clip = others[int(rng.integers(len(others)))]
        return clip.sightings[int(rng.integers(len(clip.sightings)))]

    def draw_alike(self, sighting: Sighting, rng: np.random.Generator) -> Sighting | None:
        """One moment of another clip: these layouts name no sources."""
        return self.draw_other(sighting, rng)


def _uri(settings: Mapping[str, str]) -> str:
    return "test://?" + "&".join(f"{name}={value}" for name, value in settings.items())


def _draw(source: SyntheticSource, every: int) -> _Clip:
    kept = [
        (frame.index, Sighting(frame.frame, frame.truth, name=source.uri, scene=source.uri))
        for frame in islice(source, 0, None, every)
        if frame.truth is not None and (frame.visible or 0.0) >= _LEAST_VISIBLE
    ]
    return _Clip([time for time, _ in kept], [sighting for _, sighting in kept])
