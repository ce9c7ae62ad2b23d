"""Stores tracks on disk, so that an interrupted evaluation resumes where it stopped.

``OUTPUT/tracks/TRACKER/SEQUENCE.csv`` has one row for each frame, ``x,y,w,h,confidence``, the first pixel at 0; it
depends only on the tracker and the frames. Update times, which differ from run to run, are in ``SEQUENCE.times.txt``,
and joules in ``SEQUENCE.joules.txt`` where the machine measures its power.
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
    """The boxes of one tracker on one sequence, with confidence and timing.

    Attributes:
        boxes: Shape (N, 4), pixels, the first pixel at 0; row 0 is the initial box.
        confidence: Shape (N,), on the tracker's own scale; ``nan`` on frame 0 and where it has none.
        seconds: Shape (N,): ``init`` on frame 0, then each ``update``, without decoding. 0 where a live camera's frame
            was missed.
        joules: Of all updates together, above idle; ``nan`` where not measured.
    """

    boxes: Floats
    confidence: Floats
    seconds: Floats
    joules: float = math.nan

    @property
    def latency_ms(self) -> Floats:
        """Latency of every update, milliseconds."""
        return self.seconds[1:][self.seconds[1:] > 0] * 1000

    @property
    def missed_share(self) -> float:
        """Share of the frames after the first that were missed, in [0, 1]."""
        return float((self.seconds[1:] == 0).mean()) if len(self.seconds) > 1 else 0.0

    @property
    def frames_per_second(self) -> float:
        """Mean of 1 / time over the updates, as pytracking and got10k report it; ``nan`` without updates."""
        updates = self.seconds[1:][self.seconds[1:] > 0]
        return float((1 / updates).mean()) if len(updates) else float("nan")


class TrackStore:
    """Folder with the tracks of one tracker; every file is written completely or not at all."""

    def __init__(self, output: Path, tracker: str) -> None:
        self.folder = output / "tracks" / tracker
        self._tracker = tracker

    def check_identity(self, identity: Mapping[str, str]) -> None:
        """Refuse a folder with results of something else, so that a resumed run never mixes two models.

        Args:
            identity: What the results depend on, such as the model's file and checksum.

        Raises:
            UsageError: The folder has results of another model, dataset or camera.
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
        """Path of the track of a sequence."""
        return self.folder / f"{sequence}.csv"

    def _joules_path(self, sequence: str) -> Path:
        return self.folder / f"{sequence}.joules.txt"

    def has(self, sequence: str, frames: int) -> bool:
        """Whether the sequence is finished: its track exists and has a row for each frame."""
        if not self.path(sequence).is_file():
            return False
        return len(self.path(sequence).read_text(encoding="utf-8").splitlines()) == frames + 1

    def write(self, sequence: str, track: Track) -> None:
        """Write a track.

        Raises:
            OutputError: The folder cannot be written.
        """
        rows = np.column_stack([track.boxes, track.confidence])
        lines = [",".join(f"{value:.7g}" for value in row) for row in rows.tolist()]
        times = "".join(f"{value:.6f}\n" for value in track.seconds.tolist())
        # These first: once the track's own file exists, the sequence counts as finished.
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
            InputError: The file does not exist, or is not a track.
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
