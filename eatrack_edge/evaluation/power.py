"""Joules of a tracker's updates, where the machine measures its power.

Power is the whole machine's, so it is measured only while one tracker runs and nothing beside it. Rails are read some
times a second: what an update draws is told from what reading the next frame draws only as far as both last longer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from time import perf_counter, sleep
from typing import Any

from eatrack_edge.core.boxes import Box
from eatrack_edge.core.crops import Frame
from eatrack_edge.evaluation.track_store import Track
from eatrack_edge.evaluation.tracker_protocol import FrameResult, SingleObjectTracker
from eatrack_edge.machine.energy import joules, mean_watts
from eatrack_edge.machine.sampler import Sampler

METHOD = (
    "INA3221 rails (VDD_IN; on AGX Orin the sum of those that are measured), trapezoids over the updates, mean power "
    "at rest with the tracker loaded subtracted"
)
_REST_S = 3.0


def rest_watts(root: Path = Path("/")) -> float | None:
    """What the machine draws while nothing is tracked, watched for a few seconds; ``None`` where it does not say."""
    with Sampler(root) as sampler:
        sleep(_REST_S)
    return mean_watts(sampler.samples)


def run_metered(
    tracker: SingleObjectTracker, rest_w: float, run: Callable[[SingleObjectTracker], Track], root: Path = Path("/")
) -> Track:
    """Run a tracker and put the joules of its updates, above rest, into its track.

    Args:
        tracker: The tracker.
        rest_w: From ``rest_watts``, with the tracker loaded.
        run: Runs the tracker that it is given.
        root: Stands for ``/``.

    Raises:
        EATrackError: Whatever ``run`` raises.
    """
    metered = _Metered(tracker)
    with Sampler(root) as sampler:
        track = run(metered)
    drawn = joules(sampler.samples, metered.stretches)
    if drawn is None:
        return track
    return replace(track, joules=drawn - rest_w * sum(end - begin for begin, end in metered.stretches))


class _Metered:
    """A tracker of which is known when it worked."""

    def __init__(self, tracker: SingleObjectTracker) -> None:
        self._follower = tracker
        self.stretches: list[tuple[float, float]] = []

    def init(self, frame: Frame, box: Box, /) -> Any:
        return self._follower.init(frame, box)

    def update(self, frame: Frame, /) -> FrameResult:
        begin = perf_counter()
        seen = self._follower.update(frame)
        self.stretches.append((begin, perf_counter()))
        return seen
