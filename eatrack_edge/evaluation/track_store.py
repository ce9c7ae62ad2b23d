"""Stores tracks on disk, so that an interrupted evaluation resumes where it stopped.

``OUTPUT/tracks/TRACKER/SEQUENCE.csv`` has one row for each frame, ``x,y,w,h,confidence,state``, the first pixel at 0;
the state is empty on frame 0, and throughout where the tracker has none. What a track depends on is in
``SEQUENCE.identity.json``; a track is reused only where all of that is the same. Update times, which differ from run
to run, are in ``SEQUENCE.times.txt``, and joules in ``SEQUENCE.joules.txt`` where power is measured.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from eatrack_edge.core.errors import InputError
from eatrack_edge.core.io import write_whole

Floats = NDArray[np.float64]
States = NDArray[np.str_]

_HEADER = "x,y,w,h,confidence,state"
# The first line of the times; without it, as in files of earlier versions, nothing is known.
_ALONE = "# seconds; nothing else of the evaluation ran\n"
_BESIDE = "# seconds; other runs shared the machine: not a measurement\n"


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """The boxes of one tracker on one sequence, with confidence and timing.

    Attributes:
        boxes: Shape (N, 4), pixels, the first pixel at 0; row 0 is the initial box.
        confidence: Shape (N,), on the tracker's own scale; ``nan`` on frame 0 and where it has none.
        seconds: Shape (N,): ``init`` on frame 0, then each ``update``, without decoding. 0 where a live camera's frame
            was missed.
        joules: Of all updates together, above idle; ``nan`` where not measured.
        is_alone: Nothing else of the evaluation ran meanwhile, so ``seconds`` are a measurement.
        states: What the tracker claims in each frame, as it names it, shape (N,); empty on frame 0. ``None``: it has
            no states.
    """

    boxes: Floats
    confidence: Floats
    seconds: Floats
    joules: float = math.nan
    is_alone: bool = False
    states: States | None = None

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

    def path(self, sequence: str) -> Path:
        """Path of the track of a sequence."""
        return self.folder / f"{sequence}.csv"

    def _joules_path(self, sequence: str) -> Path:
        return self.folder / f"{sequence}.joules.txt"

    def _identity_path(self, sequence: str) -> Path:
        return self.folder / f"{sequence}.identity.json"

    def changed(self, sequence: str, identity: Mapping[str, str]) -> list[str]:
        """In which parts the identity of a stored track differs from ``identity``; none where there is no track."""
        if not self.path(sequence).is_file():
            return []
        try:
            found = json.loads(self._identity_path(sequence).read_text(encoding="utf-8"))
        except (OSError, ValueError):  # an earlier version recorded none
            found = {}
        kept = found if isinstance(found, dict) else {}
        return [part for part in {**identity, **kept} if kept.get(part) != identity.get(part)]

    def has(self, sequence: str, frames: int, identity: Mapping[str, str]) -> bool:
        """Whether the sequence is finished: its track is complete, and of this identity."""
        if not self.path(sequence).is_file() or self.changed(sequence, identity):
            return False
        try:
            return len(self.read(sequence).boxes) == frames
        except InputError:  # cut off or edited: run again
            return False

    def write(self, sequence: str, track: Track, identity: Mapping[str, str]) -> None:
        """Write a track.

        Args:
            sequence: Its name.
            track: The track.
            identity: What the track depends on, see ``identity``.

        Raises:
            OutputError: The folder cannot be written.
        """
        rows = np.column_stack([track.boxes, track.confidence])
        states = [""] * len(rows) if track.states is None else track.states.tolist()
        lines = [
            ",".join([f"{value:.7g}" for value in row] + [state])
            for row, state in zip(rows.tolist(), states, strict=True)
        ]
        times = "".join(f"{value:.6f}\n" for value in track.seconds.tolist())
        # Once the track's own file exists, the sequence counts as finished: it comes last, and an older one goes first.
        write_whole(self.folder / f"{sequence}.times.txt", (_ALONE if track.is_alone else _BESIDE) + times)
        self.path(sequence).unlink(missing_ok=True)
        write_whole(self._identity_path(sequence), json.dumps(dict(identity), indent=1) + "\n")
        energy = self._joules_path(sequence)
        if math.isnan(track.joules):
            energy.unlink(missing_ok=True)  # an earlier run's
        else:
            write_whole(energy, f"{track.joules:.6g}\n")
        write_whole(self.path(sequence), "\n".join([_HEADER, *lines]) + "\n")

    def read(self, sequence: str) -> Track:
        """Read a track back.

        Raises:
            InputError: The file does not exist, or is not a track of this version.
        """
        try:
            lines = self.path(sequence).read_text(encoding="utf-8").splitlines()
            if lines[:1] != [_HEADER]:
                raise ValueError(f"it does not begin with `{_HEADER}`")
            cells = [line.rsplit(",", 1) for line in lines[1:]]
            rows = np.array([numbers.split(",") for numbers, _ in cells], np.float64).reshape(-1, 5)
            states = np.array([state for _, state in cells], np.str_)
            times = (self.folder / f"{sequence}.times.txt").read_text(encoding="utf-8")
            seconds = np.array([line for line in times.splitlines() if not line.startswith("#")], np.float64)
            energy = self._joules_path(sequence)
            joules = float(energy.read_text(encoding="utf-8")) if energy.is_file() else math.nan
            if len(seconds) != len(rows):
                raise ValueError(f"{len(rows)} boxes but {len(seconds)} times")
        except (OSError, ValueError) as error:
            raise InputError(f"{self.path(sequence)}: not a finished track: {error}", hint="delete it") from error
        is_alone = times.startswith(_ALONE)
        return Track(rows[:, :4], rows[:, 4], seconds, joules, is_alone, states if (states != "").any() else None)
