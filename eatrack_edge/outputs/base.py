"""Where results go: one way to write a frame's result and to close, for video and for text."""

from __future__ import annotations

from types import TracebackType
from typing import Protocol

from eatrack_edge.core.crops import Frame
from eatrack_edge.outputs.records import CsvWriter, FrameRecord, JsonLinesWriter, OtbWriter
from eatrack_edge.outputs.video import VideoWriter

__all__ = ["CsvWriter", "FrameRecord", "JsonLinesWriter", "OtbWriter", "Sink", "VideoWriter"]


class Sink(Protocol):
    """A file that takes one record a frame."""

    def write(self, record: FrameRecord, frame: Frame | None = None) -> None:
        """Append one frame's result.

        Args:
            record: The result.
            frame: The picture to show with it, shape (H, W, 3), BGR; only a video needs it.

        Raises:
            OutputError: The file cannot be written on.
        """
        ...

    def close(self) -> None:
        """Finish the file.

        Raises:
            OutputError: The last of it cannot be written.
        """
        ...

    def __enter__(self) -> Sink: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
