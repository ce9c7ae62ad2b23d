"""The files of a recording, one a segment, of which a power cut takes a second at most."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from eatrack_edge.outputs.output_file import FileOutput
from eatrack_edge.session.recording_folder import RecordingFolder

_SYNC_S = 1.0  # what a power cut takes at most, beside half a second that the encoder and the file hold


class _Finished(Protocol):
    """What a segment is written with."""

    def finish(self, error: BaseException | None) -> None:
        """Finish the file."""
        ...


Output = TypeVar("Output", bound=_Finished)


class Segments(Generic[Output]):
    """One file after the other, each finished before the next is opened, and brought onto the disk every second.

    Args:
        folder: Is joined now and left at the end.
        start_ns: Where the first segment begins, ``time.monotonic_ns()``.
        segment_ns: Length of a segment.
        open_file: Opens the file of a segment by its number; gives what to write with, and what to sync.
    """

    def __init__(
        self,
        folder: RecordingFolder,
        start_ns: int,
        segment_ns: int,
        open_file: Callable[[int], tuple[Output, FileOutput]],
    ) -> None:
        self._folder, self._start_ns, self._segment_ns, self._open_file = folder, start_ns, segment_ns, open_file
        self._number = -1
        self._output: Output | None = None
        self._syncer = Syncer()
        folder.join()

    def at(self, at_ns: int) -> Output:
        """The output of the segment at a time; never an earlier one than that of the call before."""
        number = max(0, at_ns - self._start_ns) // self._segment_ns
        if self._output is None or number > self._number:
            self._close(None)
            self._output, self._syncer.file = self._open_file(number)
            self._number = number
        return self._output

    def _close(self, error: BaseException | None) -> None:
        self._syncer.file = None
        if self._output is not None:
            output, self._output = self._output, None
            output.finish(error)

    def finish(self, error: BaseException | None) -> None:
        """Finish the last file, and leave the folder."""
        try:
            self._close(error)
        finally:
            self._syncer.stop()
            self._folder.leave()


class Syncer:
    """Brings a file onto the disk every second, in a thread of its own: a memory card may take longer than a frame.

    Attributes:
        file: Which; ``None`` while there is none.
    """

    def __init__(self, every_s: float = _SYNC_S) -> None:
        self.file: FileOutput | None = None
        self._every_s = every_s
        self._stopped = threading.Event()
        threading.Thread(target=self._run, name="sync", daemon=True).start()

    def stop(self) -> None:
        """End the thread after the current round."""
        self._stopped.set()

    def _run(self) -> None:
        while not self._stopped.wait(self._every_s):
            if (file := self.file) is not None:
                file.sync()
