"""What a tracker did on a sequence, kept on disk so that an interrupted run goes on where it was.

``OUTPUT/tracks/TRACKER/SEQUENCE.csv`` holds a row a frame, ``x,y,w,h,confidence``, the first pixel at 0; it depends on
nothing but the tracker and the frames. Times, which never repeat, are beside it in ``SEQUENCE.times.txt``, and where
the machine measures its power, joules in ``SEQUENCE.joules.txt``.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from eatrack_edge.core.errors import InputError, UsageError
from eatrack_edge.core.io import write_whole

Floats = NDArray[np.float64]

_HEADER = "x,y,w,h,confidence"
_IDENTITY = "tracker.json"


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """A tracker's answer on every frame.

    Attributes:
        boxes: Shape (N, 4), pixels, the first pixel at 0; row 0 is the box it was given.
        confidence: Shape (N,), the tracker's own scale; ``nan`` on frame 0 and where it has none.
        seconds: Shape (N,): ``init`` on frame 0, then each ``update``; decoding is not in it. 0 where a live camera's
            frame was missed.
        joules: Of all updates together, above what the machine draws at rest; ``nan`` where nobody measured.
    """

    boxes: Floats
    confidence: Floats
    seconds: Floats
    joules: float = math.nan

    @property
    def latency_ms(self) -> Floats:
        """Milliseconds of every update."""
        return self.seconds[1:][self.seconds[1:] > 0] * 1000

    @property
    def missed_share(self) -> float:
        """Share of the frames after the first that no update looked at, in [0, 1]."""
        return float((self.seconds[1:] == 0).mean()) if len(self.seconds) > 1 else 0.0

    @property
    def frames_per_second(self) -> float:
        """Mean of 1 / time over the updates, as pytracking and got10k report it; ``nan`` without updates."""
        updates = self.seconds[1:][self.seconds[1:] > 0]
        return float((1 / updates).mean()) if len(updates) else float("nan")


class TrackStore:
    """Tracks of one tracker in a folder; every file appears whole or not at all."""

    def __init__(self, output: Path, tracker: str) -> None:
        self.folder = output / "tracks" / tracker
        self._tracker = tracker

    def claim(self, identity: Mapping[str, str]) -> None:
        """Make the folder this tracker's own, so that a resumed run never mixes two models.

        Args:
            identity: What the results depend on, such as the model's file and checksum.

        Raises:
            UsageError: The folder holds results of something else.
            OutputError: The folder cannot be written.
        """
        path = self.folder / _IDENTITY
        if path.is_file():
            found = json.loads(path.read_text(encoding="utf-8"))
            if found != dict(identity):
                changed = next(key for key in {**found, **identity} if found.get(key) != identity.get(key))
                raise UsageError(
                    f"{self.folder} holds results of another `{changed}`: "
                    f"{found.get(changed)}, this run has {identity.get(changed)}",
                    hint="give another --output",
                )
            return
        write_whole(path, json.dumps(dict(identity), indent=1) + "\n")

    def path(self, sequence: str) -> Path:
        """Where the track of a sequence is kept."""
        return self.folder / f"{sequence}.csv"

    def _joules_path(self, sequence: str) -> Path:
        return self.folder / f"{sequence}.joules.txt"

    def has(self, sequence: str, frames: int) -> bool:
        """Whether the sequence is finished: its track is there, with a row for each of its frames."""
        if not self.path(sequence).is_file():
            return False
        return len(self.path(sequence).read_text(encoding="utf-8").splitlines()) == frames + 1

    def write(self, sequence: str, track: Track) -> None:
        """Keep a track.

        Raises:
            OutputError: The folder cannot be written.
        """
        rows = np.column_stack([track.boxes, track.confidence])
        lines = [",".join(f"{value:.7g}" for value in row) for row in rows.tolist()]
        times = "".join(f"{value:.6f}\n" for value in track.seconds.tolist())
        # These first: the track's own file is the sign that the sequence is finished.
        write_whole(self.folder / f"{sequence}.times.txt", times)
        energy = self._joules_path(sequence)
        if math.isnan(track.joules):
            energy.unlink(missing_ok=True)  # an earlier run's
        else:
            write_whole(energy, f"{track.joules:.6g}\n")
        write_whole(self.path(sequence), "\n".join([_HEADER, *lines]) + "\n")

    def read(self, sequence: str) -> Track:
        """Read a track back.

        Raises:
            InputError: It is not there, or not a track.
        """
        try:
            lines = self.path(sequence).read_text(encoding="utf-8").splitlines()
            rows = np.array([line.split(",") for line in lines[1:]], np.float64).reshape(-1, 5)
            seconds = np.array((self.folder / f"{sequence}.times.txt").read_text(encoding="utf-8").split(), np.float64)
            energy = self._joules_path(sequence)
            joules = float(energy.read_text(encoding="utf-8")) if energy.is_file() else math.nan
        except (OSError, ValueError) as error:
            raise InputError(f"{self.path(sequence)}: not a finished track: {error}", hint="delete it") from error
        return Track(rows[:, :4], rows[:, 4], seconds, joules)
