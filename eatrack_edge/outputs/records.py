"""What one tracked frame told us, and the text files it is written to, a line a frame."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

import msgspec
import numpy as np

from eatrack_edge.core.boxes import Box
from eatrack_edge.core.crops import Frame
from eatrack_edge.outputs.output_file import OutputFile

SCHEMA = "eatrack-edge/track/1"
_NO_BOX: Box = (math.nan, math.nan, math.nan, math.nan)


@dataclass(frozen=True, slots=True)
class FrameRecord:
    """One tracked frame.

    Attributes:
        frame: Number in the source, from 0.
        pts_s: When it is shown, seconds after the source's first frame.
        box: In pixels of the displayed frame; ``None`` where the target is not to be seen.
        score: Confidence, [0, 1]; ``nan`` where the tracker gives none.
        state: ``TRACKING``, ``UNCERTAIN``, ``LOST``...
        wall_ns: Clock of this machine when the result was ready, nanoseconds since 1970.
        template_updated: A template was replaced on this frame.
        template_note: Why it was, or why it was not.
        ms: Milliseconds by stage, e.g. ``{"decode": 2.1, "infer": 8.0, "total": 11.3}``.
        dropped: Frames left out since the record before.
    """

    frame: int
    pts_s: float
    box: Box | None
    score: float
    state: str = "TRACKING"
    wall_ns: int = 0
    template_updated: bool = False
    template_note: str = ""
    ms: Mapping[str, float] = field(default_factory=dict)
    dropped: int = 0


W = TypeVar("W", bound="_Lines")


class _Lines:
    """A text file of one line a frame; who inherits decides what stands in a line."""

    def __init__(self, path: Path, *, overwrite: bool = False) -> None:
        self._file = OutputFile(path, overwrite=overwrite)

    def close(self) -> None:
        """Finish the file.

        Raises:
            OutputError: The last of it cannot be written.
        """
        self._file.close()

    def __enter__(self: W) -> W:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.finish(error)


class JsonLinesWriter(_Lines):
    """A header line, a line a frame, and a summary line, each a JSON object with a ``type``.

    Every line is on its way to the disk before the next frame: a killed process leaves whole lines.

    Args:
        path: The file.
        header: What the run was: source, model, settings. Its values are whatever JSON can hold.
        overwrite: Replace a file that is there.

    Raises:
        UsageError: The file is there and ``overwrite`` is not set.
        OutputError: The file cannot be written.
    """

    def __init__(self, path: Path, header: Mapping[str, object], *, overwrite: bool = False) -> None:
        first = _encoded({"type": "header", "schema": SCHEMA, **header})
        super().__init__(path, overwrite=overwrite)
        self._file.write(first)

    def write(self, record: FrameRecord, frame: Frame | None = None) -> None:
        """Append one frame. The picture is not used.

        Raises:
            OutputError: The disk is full, or gone.
        """
        del frame
        line: dict[str, object] = {
            "type": "frame",
            "frame": record.frame,
            "pts_s": round(record.pts_s, 6),
            "wall_ns": record.wall_ns,
            # A thousandth of a pixel and of a millisecond: what is beyond is noise, and doubles the file.
            "box": None if record.box is None else [round(float(side), 3) for side in record.box],
            "score": round(float(record.score), 5),
            "state": record.state,
            "template_updated": record.template_updated,
        }
        if record.template_note:
            line["template_note"] = record.template_note
        line["ms"] = {stage: round(float(value), 3) for stage, value in record.ms.items()}
        line["dropped"] = record.dropped
        self._file.write(_encoded(line))

    def write_summary(self, summary: Mapping[str, object]) -> None:
        """Append the last line.

        Raises:
            OutputError: The disk is full, or gone.
        """
        self._file.write(_encoded({"type": "summary", **summary}))


def _encoded(values: Mapping[str, object]) -> bytes:
    return msgspec.json.encode(values, enc_hook=_plain) + b"\n"


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    if isinstance(value, Path):
        return str(value)
    raise NotImplementedError(f"JSON has no {type(value).__name__}")


class CsvWriter(_Lines):
    """A table with one row a frame, for a spreadsheet: empty cells where there is no box or no score.

    Args:
        path: The file.
        overwrite: Replace a file that is there.

    Raises:
        UsageError: The file is there and ``overwrite`` is not set.
        OutputError: The file cannot be written.
    """

    def __init__(self, path: Path, *, overwrite: bool = False) -> None:
        super().__init__(path, overwrite=overwrite)
        self._file.write(b"frame,pts_s,x,y,w,h,score,state,template_updated,total_ms\n")

    def write(self, record: FrameRecord, frame: Frame | None = None) -> None:
        """Append one row. The picture is not used.

        Raises:
            OutputError: The disk is full, or gone.
        """
        del frame
        cells = [str(record.frame), f"{record.pts_s:.6f}", *(_cell(side, 3) for side in record.box or _NO_BOX)]
        cells += [_cell(record.score, 5), record.state, str(int(record.template_updated))]
        cells.append(_cell(record.ms.get("total", math.nan), 3))
        self._file.write((",".join(cells) + "\n").encode())


def _cell(value: float, digits: int) -> str:
    return f"{value:.{digits}f}" if math.isfinite(value) else ""


class OtbWriter(_Lines):
    """The plain layout of the OTB toolkit: ``x,y,w,h`` a line, sub-pixel, ``nan`` where there is no box.

    Args:
        path: The file.
        overwrite: Replace a file that is there.

    Raises:
        UsageError: The file is there and ``overwrite`` is not set.
        OutputError: The file cannot be written.
    """

    def write(self, record: FrameRecord, frame: Frame | None = None) -> None:
        """Append one box. The picture is not used.

        Raises:
            OutputError: The disk is full, or gone.
        """
        del frame
        self._file.write((",".join(f"{side:.4f}" for side in record.box or _NO_BOX) + "\n").encode())
