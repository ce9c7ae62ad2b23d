"""Records a live session in short segments: what was written before a power cut can be played."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from eatrack_edge.core.errors import ConfigError
from eatrack_edge.outputs.live_jsonl import LiveJsonLines
from eatrack_edge.outputs.output_file import FileOutput
from eatrack_edge.outputs.overlay import annotate
from eatrack_edge.outputs.video import LIVE_RECORDING, VideoOutput
from eatrack_edge.session.event_log import EventLines, EventLog
from eatrack_edge.session.events import EndEvent, Event, FrameEvent, OutputFailedEvent
from eatrack_edge.session.output_thread import OutputThread
from eatrack_edge.session.recording_folder import RecordingFolder, parse_bytes
from eatrack_edge.session.segments import Segments

PICTURES = ("raw", "annotated")
_SEGMENT_NS = 60_000_000_000
_LOOK_NS = 5_000_000_000  # between two looks at the room on the disk
_FRAMES, _LINES = 4, 300  # that may wait while a disk stalls
_NICENESS = 5  # of the encoder: the tracker comes first


def open_recording(
    folder: Path,
    *,
    what: str,
    budget: str,
    rate: float,
    header: Mapping[str, object],
    on_failure: Callable[[OutputFailedEvent], None],
) -> list[OutputThread]:
    """Begin a run in a folder: a thread for the video, and one for the log beside it.

    Args:
        folder: Gets ``run-0001`` and so on, with ``00000.mkv`` and ``00000.jsonl`` for the first minute.
        what: One of PICTURES.
        budget: Most that all runs in the folder may take, such as ``8GB``; empty is what the disk has.
        rate: Nominal frames per second.
        header: Begins each log.
        on_failure: See ``OutputThread``.

    Raises:
        ConfigError: ``what`` or ``budget`` is wrong.
        UsageError: Another process records there.
        OutputError: The folder cannot be written to, or the disk is full.
    """
    if what not in PICTURES:
        raise ConfigError(f"a recording must be one of {', '.join(PICTURES)}, got `{what}`")
    place = RecordingFolder(folder, parse_bytes(budget) if budget else 0)
    start_ns = time.monotonic_ns()
    video = RecordedVideo(place, start_ns, rate, is_annotated=what == "annotated")
    log = RecordedLog(place, start_ns, {**header, "pictures": what})
    return [
        OutputThread(video, f"{folder} video", on_failure, capacity=_FRAMES),
        OutputThread(log, f"{folder} log", on_failure, capacity=_LINES),
    ]


class RecordedVideo:
    """The video of a run, a Matroska file a minute with a key frame a second; an output of ``OutputThread``.

    A picture's time in its file is its ``captured_ns`` less the segment's ``segment_start_ns``, which the log has.

    Args:
        folder: Where to.
        start_ns: Where the first segment begins, ``time.monotonic_ns()``.
        rate: Nominal frames per second.
        is_annotated: Record the frames with the box drawn, in place of those that the tracker saw.
        segment_ns: Length of a segment.
    """

    def __init__(
        self,
        folder: RecordingFolder,
        start_ns: int,
        rate: float,
        *,
        is_annotated: bool = False,
        segment_ns: int = _SEGMENT_NS,
    ) -> None:
        self._folder, self._start_ns, self._segment_ns, self._rate = folder, start_ns, segment_ns, rate
        self._is_annotated = is_annotated
        self._look_ns = 0
        self._is_nice = False
        self._segments = Segments(folder, start_ns, segment_ns, self._open)

    def take(self, event: Event) -> None:
        """Append a frame.

        Raises:
            OutputError: The disk is full, or gone.
        """
        if not isinstance(event, FrameEvent):
            return
        if not self._is_nice:
            self._is_nice = True
            with suppress(OSError):  # 0 is this thread, and those that it starts inherit it
                os.setpriority(os.PRIO_PROCESS, 0, _NICENESS)
        since_ns = max(0, event.shown.captured_ns - self._start_ns)
        if event.shown.captured_ns >= self._look_ns:
            self._look_ns = event.shown.captured_ns + _LOOK_NS
            self._folder.make_room()
        video = self._segments.at(event.shown.captured_ns)
        frame = annotate(event.shown.frame, event.record) if self._is_annotated else event.shown.frame
        video.write(replace(event.record, pts_s=since_ns / 1e9), frame)

    def _open(self, number: int) -> tuple[VideoOutput, FileOutput]:
        begin_s = number * self._segment_ns / 1e9
        path = self._folder.path(number, ".mkv")
        video = VideoOutput(path, self._rate, encoding=LIVE_RECORDING, begin_s=begin_s)
        return video, video

    def finish(self, error: BaseException | None) -> None:
        """Finish the last segment."""
        self._segments.finish(error)


class RecordedLog:
    """The log beside the video: JSON lines of every frame and event, a file a minute; an output of ``OutputThread``.

    Args:
        folder: Where to.
        start_ns: Where the first segment begins, ``time.monotonic_ns()``.
        header: Begins each file.
        segment_ns: Length of a segment.
    """

    def __init__(
        self, folder: RecordingFolder, start_ns: int, header: Mapping[str, object], *, segment_ns: int = _SEGMENT_NS
    ) -> None:
        self._folder, self._start_ns, self._segment_ns, self._header = folder, start_ns, segment_ns, header
        self._lines = EventLines()
        self._segments = Segments(folder, start_ns, segment_ns, self._open)

    def take(self, event: Event) -> None:
        """Append an event.

        Raises:
            OutputError: The disk is full, or gone.
        """
        if isinstance(event, FrameEvent):
            at_ns = event.shown.captured_ns
        else:
            at_ns = time.monotonic_ns() if isinstance(event, EndEvent) else event.at_ns
        self._segments.at(at_ns).take(event)

    def _open(self, number: int) -> tuple[EventLog, FileOutput]:
        about = {"run": self._folder.run, "segment": number, "video": self._folder.path(number, ".mkv").name}
        about["segment_start_ns"] = self._start_ns + number * self._segment_ns
        about |= {"size": self._lines.size} if self._lines.size else {}  # of the frames before, until it changes
        file = LiveJsonLines(self._folder.path(number, ".jsonl"), {**self._header, **about})
        return EventLog(file, self._lines), file

    def finish(self, error: BaseException | None) -> None:
        """Finish the last file."""
        self._segments.finish(error)
