"""JSON lines of a live session: those of ``track``, and when each frame was captured."""

from __future__ import annotations

from eatrack_edge.outputs.base import FrameRecord
from eatrack_edge.outputs.jsonl import JsonLinesOutput, frame_line


class LiveJsonLines(JsonLinesOutput):
    """A JSON lines file with a line for each frame and each event of a live session."""

    schema = "eatrack-edge/fly/1"

    def write_frame(self, record: FrameRecord, captured_ns: int, age_ms: float) -> None:
        """Append one frame, with ``captured_ns`` (monotonic clock) and its age when the result was ready."""
        self.write_line(live_frame_line(record, captured_ns, age_ms))


def live_frame_line(record: FrameRecord, captured_ns: int, age_ms: float) -> dict[str, object]:
    """The object of one frame of a live session."""
    return {**frame_line(record), "captured_ns": captured_ns, "age_ms": round(age_ms, 3)}
