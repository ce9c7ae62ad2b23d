"""JSON lines of a live session: a header, a line for each frame and each event, and a summary."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from eatrack_edge.outputs.base import FrameRecord
from eatrack_edge.outputs.output_file import FileOutput

SCHEMA = "eatrack-edge/fly/1"


class LiveJsonLines(FileOutput):
    """A JSON lines file whose lines are handed to the system one by one: a power cut leaves whole lines.

    A frame's line is that of ``track``, and ``captured_ns`` and ``age_ms`` besides.

    Args:
        path: The file.
        header: What the run is: source, model, settings, and both clocks at its start.
        overwrite: Replace a file that exists.
    """

    def __init__(self, path: Path, header: Mapping[str, object], *, overwrite: bool = False) -> None:
        super().__init__(path, overwrite=overwrite)
        self.write_line({"type": "header", "schema": SCHEMA, **header})

    def write_frame(self, record: FrameRecord, captured_ns: int, age_ms: float) -> None:
        """Append one frame."""
        line: dict[str, object] = {
            "type": "frame",
            "frame": record.frame,
            "pts_s": round(record.pts_s, 6),
            "wall_ns": record.wall_ns,
            "captured_ns": captured_ns,
            "age_ms": round(age_ms, 3),
            "dropped": record.dropped,
            "box": None if record.box is None else [round(float(side), 3) for side in record.box],
            "confidence": round(float(record.confidence), 5),
            "state": str(record.state),
            "template_updated": record.template_updated,
        }
        if record.template_note:
            line["template_note"] = record.template_note
        line["ms"] = {stage: round(float(value), 3) for stage, value in record.ms.items()}
        self.write_line(line)

    def write_line(self, values: Mapping[str, object]) -> None:
        """Append an object of any type."""
        self._file.write(msgspec.json.encode(values, enc_hook=_plain) + b"\n")


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    if isinstance(value, Path):
        return str(value)
    raise NotImplementedError(f"JSON has no {type(value).__name__}")
