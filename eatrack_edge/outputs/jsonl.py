"""JSON lines: a header, a line a frame or event, and a summary, each a JSON object with a ``type``."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from eatrack_edge.core.boxes import Box
from eatrack_edge.core.crops import Frame
from eatrack_edge.outputs.base import FrameRecord, RunEvent, RunInfo
from eatrack_edge.outputs.output_file import FileOutput


class JsonLinesOutput(FileOutput):
    """A JSON lines file. Every line is handed to the system before the next frame: a killed process leaves whole lines.

    Args:
        path: The file.
        header: What the run was: source, model, settings. Its values are whatever JSON can hold.
        overwrite: Replace a file that exists.

    Raises:
        UsageError: The file exists and ``overwrite`` is not set.
        OutputError: The file cannot be written.
    """

    suffixes = (".jsonl",)
    schema = "eatrack-edge/track/2"

    def __init__(self, path: Path, header: Mapping[str, object], *, overwrite: bool = False) -> None:
        first = encoded({"type": "header", "schema": self.schema, **header})
        super().__init__(path, overwrite=overwrite)
        self._file.write(first + b"\n")

    @classmethod
    def open(cls, path: Path, run: RunInfo) -> JsonLinesOutput:
        """Open it for a run."""
        return cls(path, run.header, overwrite=run.overwrite)

    def write(self, record: FrameRecord, picture: Frame | None = None) -> None:
        """Append one frame."""
        del picture
        self.write_line(frame_line(record))

    def write_line(self, values: Mapping[str, object]) -> None:
        """Append an object of any type."""
        self._file.write(encoded(values) + b"\n")

    def write_event(self, event: RunEvent) -> None:
        """Append an event; its ``type`` is its kind."""
        self.write_line(event.to_line())

    def write_summary(self, summary: Mapping[str, object]) -> None:
        """Append the last line."""
        self.write_line({"type": "summary", **summary})


def frame_line(record: FrameRecord) -> dict[str, object]:
    """The object of one frame."""
    line: dict[str, object] = {
        "type": "frame",
        "frame": record.frame,
        "pts_s": round(record.pts_s, 6),
        "wall_ns": record.wall_ns,
        # A thousandth of a pixel and of a millisecond: the rest is noise, and doubles the file.
        "box": _rounded(record.box),
        "confidence": round(float(record.confidence), 5),
        "state": str(record.state),
        "template_updated": record.template_updated,
    }
    if record.template_note:
        line["template_note"] = record.template_note
    if record.last_reliable_box is not None:
        line["last_reliable_box"] = _rounded(record.last_reliable_box)
    if record.candidates:
        line["candidates"] = [
            {"box": _rounded(box), "probability": round(float(probability), 4)}
            for box, probability in record.candidates
        ]
    if record.state_change:
        line["state_change"] = record.state_change
    line["ms"] = {stage: round(float(value), 3) for stage, value in record.ms.items()}
    line["dropped"] = record.dropped
    return line


def _rounded(box: Box | None) -> list[float] | None:
    return None if box is None else [round(float(side), 3) for side in box]


def encoded(values: Mapping[str, object]) -> bytes:
    """An object as JSON, whatever numpy and paths are in it."""
    try:
        return msgspec.json.encode(values, enc_hook=_plain)
    except UnicodeEncodeError:
        return msgspec.json.encode(_readable(values), enc_hook=_plain)


def _readable(value: object) -> object:
    """The value with replacements for what is not UTF-8, which names of files may hold."""
    if isinstance(value, Mapping):
        return {str(_readable(key)): _readable(one) for key, one in value.items()}
    if isinstance(value, str | Path):
        return os.fsencode(str(value)).decode(errors="replace")
    return value


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    if isinstance(value, Path):
        return str(value)
    raise NotImplementedError(f"JSON has no {type(value).__name__}")
