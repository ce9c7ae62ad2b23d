"""An MCAP file of ROS 2 messages, which Foxglove, rosbag2 and rosbags open. Needs no ROS."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from eatrack_edge.core.boxes import Box
from eatrack_edge.core.imports import require
from eatrack_edge.outputs import cdr
from eatrack_edge.outputs.jsonl import encoded
from eatrack_edge.outputs.output_file import FileOutput, OutputFile

_CHUNK_BYTES = 32 * 1024  # a second and a half of frames: what a power cut takes
# Every topic is CDR: rosbag2 refuses a file of two encodings, so that JSON travels as a string.
_TOPICS = {"/eatrack/detections": cdr.DETECTIONS, "/eatrack/frame": cdr.STRING, "/eatrack/event": cdr.STRING}


class McapFile(FileOutput):
    """Detections as ``vision_msgs/Detection2DArray``, and frames and events as JSON in ``std_msgs/String``.

    A file that was not finished has no index: ``mcap recover`` writes one.

    Args:
        path: The file.
        overwrite: Replace a file that exists.

    Raises:
        UsageError: The file exists and ``overwrite`` is not set.
        OutputError: The file cannot be written.
        MissingExtra: ``mcap`` is not installed.
    """

    def __init__(self, path: Path, *, overwrite: bool = False) -> None:
        library = require("mcap.writer", to="write an MCAP file")
        super().__init__(path, overwrite=overwrite)
        self._writer = library.Writer(
            _Stream(self._file), chunk_size=_CHUNK_BYTES, compression=library.CompressionType.LZ4
        )
        self._writer.start(profile="ros2", library="eatrack-edge")
        self._channels = {}
        schemas: dict[str, int] = {}
        for topic, kind in _TOPICS.items():
            if kind not in schemas:
                schemas[kind] = self._writer.register_schema(kind, "ros2msg", cdr.DEFINITIONS[kind].encode())
            self._channels[topic] = self._writer.register_channel(topic, "cdr", schemas[kind])
        self._is_broken = False

    def write_detections(self, log_ns: int, stamp_ns: int, box: Box | None, confidence: float) -> None:
        """Append the target in a frame.

        Args:
            log_ns: When the result was there, nanoseconds since 1970.
            stamp_ns: When the frame was captured.
            box: In pixels; ``None`` where the target is not visible.
            confidence: In [0, 1], or ``nan``.

        Raises:
            OutputError: The disk is full, or gone.
        """
        self._add("/eatrack/detections", log_ns, cdr.detections(stamp_ns, box, confidence), stamp_ns)

    def write_json(self, topic: str, log_ns: int, values: Mapping[str, object]) -> None:
        """Append an object.

        Args:
            topic: ``/eatrack/frame`` or ``/eatrack/event``.
            log_ns: When it happened, nanoseconds since 1970.
            values: Whatever JSON can hold.

        Raises:
            OutputError: The disk is full, or gone.
        """
        self._add(topic, log_ns, cdr.string(encoded(values).decode()), log_ns)

    def _add(self, topic: str, log_ns: int, data: bytes, publish_ns: int) -> None:
        try:
            self._writer.add_message(self._channels[topic], log_ns, data, publish_ns)
        except BaseException:
            self._is_broken = True
            raise

    def close(self) -> None:
        """Write the index, and finish the file; a second time does nothing.

        Raises:
            OutputError: The last of it cannot be written.
        """
        if not self._is_broken:
            self._is_broken = True
            self._writer.finish()
        super().close()


class _Stream:
    """What the library asks of a file; every chunk goes to the system at once."""

    def __init__(self, file: OutputFile) -> None:
        self._file = file
        self._place = 0

    def write(self, data: bytes) -> int:
        self._file.write(data)
        self._place += len(data)
        return len(data)

    def tell(self) -> int:
        return self._place

    def flush(self) -> None:
        """Nothing is held back."""
