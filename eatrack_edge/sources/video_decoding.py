"""Decoded frames of a video file in the order they are shown, read on beyond damage, each at its place."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from eatrack_edge.core.imports import require
from eatrack_edge.sources.file_kinds import is_whole
from eatrack_edge.sources.frame_times import Place, Timeline
from eatrack_edge.sources.raw_hevc import RawHevc

_TRIES = 3  # to read on after the demuxer failed, before the rest is given up
_UNEXPLAINED_BYTES = 256  # between two packets of a Matroska file: a part of it was skipped
_Y4M_FRAME = b"FRAME"  # how each begins
_JPEG_DATA, _JPEG_END = b"\xff\xda", b"\xff\xd9"  # within the data the second cannot occur
_INDEX_BYTES, _INDEX_SHARE = 4096, 0.02  # of a Matroska file, at its end
_TAIL_S = 1.0  # more than this lost at the end is an early end


class DamageError(Exception):
    """No further frame can be read; the message is the reason."""


class DecodedFrame(NamedTuple):
    """A decoded frame and its place."""

    picture: Any  # PyAV's VideoFrame
    place: Place


@dataclass(slots=True)
class Decoding:
    """One pass over a video stream.

    Attributes:
        path: The file.
        container: PyAV's, at its beginning or after a seek.
        stream: The video stream.
        timeline: Places the frames.
        packets: Packets of the stream so far.
        lost_at_end: Frames lost after the last one, known at the end.
    """

    path: Path
    container: Any
    stream: Any
    timeline: Timeline
    packets: int = 0
    lost_at_end: int = 0
    _is_partial: bool = False
    _is_part_shown: bool = False
    _end_s: float = 0.0
    _end_byte: int = 0
    _has_jpeg_end: bool = False
    _has_sound_frame: bool = False
    _hevc: RawHevc = field(default_factory=RawHevc)

    def __iter__(self) -> Iterator[DecodedFrame]:
        """Every frame that can be decoded.

        Raises:
            DamageError: The file ends before it should; all frames before were delivered.
        """
        av = require("av", to="read a video")
        failure, between = av.error.FFmpegError, av.video.frame.PictureType.B
        for packet in self._sent():
            try:
                pictures = packet.decode()
            except failure:
                self.timeline.damaged()
                continue
            for picture in pictures:
                # Before the first sound frame the decoder has nothing to fill damage from.
                self._has_sound_frame |= not picture.is_corrupt
                if self._has_sound_frame and not self.timeline.is_late(picture.pts):
                    place = self.timeline.place(picture.pts, is_anchor=picture.pict_type != between)
                    yield DecodedFrame(picture, place)
        if self.is_threaded and not self.timeline.is_complete:
            raise TailLostError  # a failure at the end takes along the frames that other threads held
        self.lost_at_end = self.timeline.lost_at_end()
        if reason := self._early_end():
            raise DamageError(reason)

    @property
    def is_threaded(self) -> bool:
        """Whether several frames are decoded at a time."""
        return not str(self.stream.thread_type).endswith("NONE")

    def _sent(self) -> Iterator[Any]:
        """Packets of the stream to decode; the last is empty and fetches what the decoder holds."""
        is_transport_stream = "mpegts" in self.container.format.name
        for packet in demuxed(self.container, self.timeline):
            if packet.stream.index != self.stream.index:
                self._see_end(packet)
                continue
            if packet.size:
                self.packets += 1
                self._see_end(packet)
                self._is_partial = self._is_cut_jpeg(packet) or (packet.is_corrupt and not is_transport_stream)
                if self._is_partial:
                    continue
                if self._is_cut_hevc(packet):
                    # Where frames are stored out of order, those that come after it need it for their numbers.
                    self._is_partial, self._is_part_shown = True, bool(self.stream.codec_context.has_b_frames)
                    if not self._is_part_shown:
                        continue
                if _is_avi(self.container):
                    packet.pts = packet.dts  # a picture then carries the time of its own packet
                if not packet.is_discard:
                    self.timeline.sent(packet.dts if packet.pts is None else packet.pts)
                if packet.is_corrupt:
                    self.timeline.damaged()
            yield packet

    def _see_end(self, packet: Any) -> None:
        self._end_byte = max(self._end_byte, (packet.pos or 0) + packet.size)
        if packet.pts is not None and packet.time_base:
            self._end_s = max(self._end_s, float((packet.pts + (packet.duration or 0)) * packet.time_base))

    def _leaves_bytes(self) -> bool:
        """Whether the file goes on for longer than its index takes after the last packet."""
        size = self.path.stat().st_size
        return size - self._end_byte > max(_INDEX_BYTES, _INDEX_SHARE * size)

    def _leaves_part(self) -> bool:
        """Whether a part of a frame follows the last whole one of a raw Y4M: FFmpeg drops it without a word."""
        if "yuv4mpegpipe" not in self.container.format.name or self.path.stat().st_size <= self._end_byte:
            return False
        with self.path.open("rb") as file:
            file.seek(self._end_byte)
            return _Y4M_FRAME.startswith(file.read(len(_Y4M_FRAME)))

    def _is_read_to_end(self) -> bool:
        """Whether the newest packet is the last of the file."""
        return self._end_byte >= self.path.stat().st_size

    def _is_cut_jpeg(self, packet: Any) -> bool:
        """Whether a raw MJPEG ends within this frame: FFmpeg fills up what is missing without a word.

        Some cameras leave out the mark at the end of every frame, so its absence counts only where an earlier one has
        it.
        """
        if self.container.format.name != "mjpeg":
            return False
        content = bytes(packet)
        has_end = content.find(_JPEG_END, content.rfind(_JPEG_DATA)) >= 0
        self._has_jpeg_end |= has_end
        return self._has_jpeg_end and not has_end and self._is_read_to_end()

    def _is_cut_hevc(self, packet: Any) -> bool:
        """Whether a raw HEVC ends within this frame."""
        if self.container.format.name != "hevc":
            return False
        content = bytes(packet)
        self._hevc.see(content)
        return self._is_read_to_end() and self._hevc.is_cut(content)

    def _early_end(self) -> str:
        """Why the end that was reached is not the end that the file promises; empty where it is."""
        if self._is_part_shown:
            return "the file ends in the middle of one of the last frames"
        if self._is_partial or self._leaves_part():
            return "the file ends in the middle of it"
        interval_s = self.timeline.interval_s
        if self.lost_at_end * interval_s > _TAIL_S:
            return f"no frame from here on can be decoded, {self.lost_at_end} are lost"
        whole = is_whole(self.path)
        if whole and "matroska" in self.container.format.name and self._leaves_bytes():
            whole = None  # the demuxer gave up in the middle
        if whole is None and "mp4" in self.container.format.name:
            whole = self.packets >= self.stream.frames
        if whole is None and self.container.duration and _states_duration(self.container):
            # FLV states the time of its end, others how long they are.
            begin = 0 if "flv" in self.container.format.name else self.container.start_time or 0
            promised_s = (begin + self.container.duration) / 1e6
            whole = self._end_s + 2.5 * interval_s >= promised_s
        return "" if whole in (True, None) else "the file ends before it"


class TailLostError(Exception):
    """The last frames are to be read again without threads."""


def demuxed(container: Any, timeline: Timeline) -> Iterator[Any]:
    """Packets of all streams, read on after failures.

    Raises:
        DamageError: It fails again and again.
    """
    failure = require("av", to="read a video").error.FFmpegError
    is_matroska = "matroska" in container.format.name
    failures, expected = 0, None
    while True:
        try:
            for packet in container.demux():
                failures = 0
                if is_matroska and packet.size and packet.pos is not None:
                    if expected is not None and packet.pos - expected > _UNEXPLAINED_BYTES:
                        timeline.damaged()
                    expected = packet.pos + packet.size
                yield packet
        except failure as error:
            failures += 1
            timeline.damaged()
            if failures == _TRIES:
                raise DamageError(reason(error)) from error
            continue
        return


def _is_avi(container: Any) -> bool:
    return "avi" in container.format.name.split(",")


def _states_duration(container: Any) -> bool:
    """Whether the duration is the file's own word, and not what FFmpeg reckons from its last bytes."""
    return not any(name in container.format.name for name in ("mpeg", "ogg", "avi"))


def reason(error: Exception) -> str:
    """What went wrong, without PyAV's error numbers and file names."""
    return str(getattr(error, "strerror", None) or error).partition(": ")[0]
