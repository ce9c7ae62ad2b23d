"""The results of a live session as an MCAP file; an output of ``OutputThread``."""

from __future__ import annotations

import time
from collections.abc import Mapping

from eatrack_edge.outputs.mcap import McapFile
from eatrack_edge.session.event_log import EventLines
from eatrack_edge.session.events import Event, FrameEvent
from eatrack_edge.session.segments import Syncer


class McapLog:
    """Writes each frame as detections and as JSON, and each event as JSON.

    Times are of the wall clock, as ROS has them; the monotonic ones are in the JSON.

    Args:
        file: Finished with the log.
        header: What the run is; the first event.

    Raises:
        OutputError: The file cannot be written.
    """

    def __init__(self, file: McapFile, header: Mapping[str, object]) -> None:
        self._file = file
        self._lines = EventLines()
        self._syncer = Syncer()
        self._syncer.file = file
        file.write_json("/eatrack/event", time.time_ns(), {"type": "header", **header})

    def take(self, event: Event) -> None:
        """Append an event.

        Raises:
            OutputError: The disk is full, or gone.
        """
        *changes, line = self._lines.of(event)
        for change in changes:
            self._file.write_json("/eatrack/event", time.time_ns(), change)
        if not isinstance(event, FrameEvent):
            self._file.write_json("/eatrack/event", time.time_ns(), line)
            return
        record = event.record
        captured_ns = record.wall_ns - round(event.age_ms * 1e6)
        self._file.write_detections(record.wall_ns, captured_ns, record.box, record.confidence)
        self._file.write_json("/eatrack/frame", record.wall_ns, line)

    def finish(self, error: BaseException | None) -> None:
        """Close the file."""
        self._syncer.stop()
        self._file.finish(error)
