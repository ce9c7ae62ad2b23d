"""Joules of a tracker's updates, where the machine measures its power."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from eatrack_edge.core.boxes import Box
from eatrack_edge.core.crops import Frame
from eatrack_edge.evaluation.track_store import Track
from eatrack_edge.evaluation.tracker_protocol import FrameResult, SingleObjectTracker
from eatrack_edge.machine.energy import EnergyMeter


def run_metered(
    tracker: SingleObjectTracker, idle_w: float, run: Callable[[SingleObjectTracker], Track], root: Path = Path("/")
) -> Track:
    """Run a tracker and put the joules of its updates, above idle, into its track.

    Args:
        tracker: The tracker.
        idle_w: From ``idle_watts``, with the tracker loaded.
        run: Runs the tracker that it is given.
        root: Stands for ``/``.

    Raises:
        EATrackError: Whatever ``run`` raises.
    """
    with EnergyMeter(idle_w, root) as meter:
        track = run(_Metered(tracker, meter))
    return replace(track, joules=meter.energy.joules) if meter.energy else track


class _Metered:
    """A tracker whose updates a meter counts as work."""

    def __init__(self, tracker: SingleObjectTracker, meter: EnergyMeter) -> None:
        self._tracker, self._meter = tracker, meter

    def init(self, frame: Frame, box: Box, /) -> Any:
        return self._tracker.init(frame, box)

    def update(self, frame: Frame, /) -> FrameResult:
        with self._meter.work():
            return self._tracker.update(frame)
