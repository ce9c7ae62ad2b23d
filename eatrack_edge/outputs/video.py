"""Writes pictures to a video file, each at its own time."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple, cast

import cv2
import numpy as np

from eatrack_edge.core.crops import Frame
from eatrack_edge.core.errors import UsageError
from eatrack_edge.core.imports import require
from eatrack_edge.outputs.base import FrameRecord, RunInfo
from eatrack_edge.outputs.output_file import FileOutput, ForwardStream, PatientStream, is_special

FORMATS = {".mp4": "mp4", ".m4v": "mp4", ".mov": "mov", ".mkv": "matroska", ".ts": "mpegts"}
_PIECE_MS = "500"
_HYBRID_SINCE = (61, 7)  # FFmpeg 7.1
_KEY_S = 1.0  # between two key frames of a recording
_TICKS_PER_S = 60_000  # a multiple of all common frame rates; MPEG-4 allows no more than 65535


def _lasting_options(av: Any, kind: str, is_seekable: bool) -> dict[str, str]:
    """Options with which a file can be played up to where its process was killed, or the power went."""
    if kind == "matroska":
        return {"cluster_time_limit": _PIECE_MS}
    if kind == "mpegts":
        return {}
    flags = "frag_keyframe+empty_moov+default_base_moof"
    if is_seekable and av.library_versions["libavformat"] >= _HYBRID_SINCE:
        flags += "+hybrid_fragmented"  # at a sound end it becomes a file without pieces
    return {"movflags": flags, "frag_duration": f"{_PIECE_MS}000"}


class VideoEncoding(NamedTuple):
    """How a video is encoded with x264."""

    options: Mapping[str, str]
    key_s: float = 0.0  # seconds from one key frame to the next; 0 leaves it to the encoder


# Frames shown out of order (bf) would make a variable-rate MP4 claim a shorter length than it has.
SMALL_FILE = VideoEncoding({"preset": "veryfast", "crf": "20", "bf": "0", "rc-lookahead": "10"})
# On the drone: the least work, nothing held back, and never more than the disk of a small computer takes.
LIVE_RECORDING = VideoEncoding(
    {
        "preset": "ultrafast",
        "tune": "zerolatency",
        "crf": "23",
        "threads": "1",
        "forced-idr": "1",
        "maxrate": "16M",
        "bufsize": "16M",
    },
    _KEY_S,
)


class VideoOutput(FileOutput):
    """An H.264 video (MPEG-4 where PyAV was built without x264), with the times of the records.

    It is written in pieces of half a second: what a killed process has written can be played.

    The video begins with the first picture written. A varying frame rate stays varying, and the whole lasts as
    long as the source did. A picture of another size than the first is fitted into it.

    Args:
        path: The file; its suffix chooses the format: .mp4, .m4v, .mov, .mkv or .ts.
        fps: Nominal frames per second: how long the last picture stays, and what the encoder plans with.
        overwrite: Replace a file that is there.
        encoding: How much work and space it takes.
        begin_s: Where the video's time begins, seconds in the source; ``None`` is the first picture's.

    Raises:
        UsageError: The file is there and ``overwrite`` is not set, or the suffix is none of these.
        OutputError: The file cannot be written.
        MissingExtra: PyAV is not installed.
    """

    needs_picture = True
    suffixes = tuple(FORMATS)

    def __init__(
        self,
        path: Path,
        fps: float,
        *,
        overwrite: bool = False,
        encoding: VideoEncoding = SMALL_FILE,
        begin_s: float | None = None,
    ) -> None:
        av = require("av", to="write a video")
        if path.suffix.lower() not in FORMATS and not is_special(path):
            raise UsageError(f"{path}: not a kind of video that can be written", hint=f"use {', '.join(FORMATS)}")
        self._fps = fps
        self._failure: type[Exception] = av.error.FFmpegError
        self._size: tuple[int, int] | None = None
        self._encoding, self._begin_s = encoding, begin_s
        self._last_tick = -1
        self._key_tick = 0
        self._is_closed = False
        super().__init__(path, overwrite=overwrite)
        # PyAV says nothing of a disk that is full at the end, and some versions crash on one that is full before.
        self._patient = PatientStream(self._file.stream)
        kind = FORMATS.get(path.suffix.lower(), "mp4")
        is_seekable = self._file.stream.seekable()
        target = self._patient if is_seekable else ForwardStream(self._patient)
        self._container = av.open(target, "w", format=kind, options=_lasting_options(av, kind, is_seekable))
        self._stream: Any = None

    @classmethod
    def open(cls, path: Path, run: RunInfo) -> VideoOutput:
        """Open it for a run."""
        return cls(path, run.fps, overwrite=run.overwrite)

    def write(self, record: FrameRecord, picture: Frame | None = None) -> None:
        """Append a picture at its record's time.

        Args:
            record: Gives the time.
            picture: Shape (H, W, 3), BGR; required.

        Raises:
            OutputError: The disk is full, or gone.
            ValueError: No picture.
        """
        if picture is None:
            raise ValueError("a video needs the picture of each frame")
        with self._file.reporting(self._failure):
            if self._size is None:
                self._begin_s = record.pts_s if self._begin_s is None else self._begin_s
                self._begin(picture)
            encoded = require("av", to="write a video").VideoFrame.from_ndarray(self._fitted(picture), format="bgr24")
            # Encoders refuse a time that does not grow, which cameras with a poor clock do write.
            since_s = record.pts_s - (self._begin_s or 0.0)
            self._last_tick = max(self._last_tick + 1, round(since_s * _TICKS_PER_S))
            encoded.pts = self._last_tick
            if self._encoding.key_s and self._last_tick >= self._key_tick:
                # By time: a count would be of a rate that a live source does not keep.
                self._key_tick = self._last_tick + round(self._encoding.key_s * _TICKS_PER_S)
                encoded.pict_type = require("av", to="write a video").video.frame.PictureType.I
            encoded.time_base = Fraction(1, _TICKS_PER_S)
            self._container.mux(self._stream.encode(encoded))
            self._raise_failure()

    def _raise_failure(self) -> None:
        if self._patient.failure is not None:
            raise self._patient.failure

    def _begin(self, frame: Frame) -> None:
        # 4:2:0 colour comes in blocks of two by two: an odd side gets one more line of its last pixels.
        height, width = (side + side % 2 for side in frame.shape[:2])
        rate = Fraction(self._fps).limit_denominator(1001)
        try:
            self._stream = self._container.add_stream("libx264", rate=rate)
            self._stream.options = dict(self._encoding.options)
        except (self._failure, ValueError):  # this PyAV was built without x264
            self._stream = self._container.add_stream("mpeg4", rate=rate)
            self._stream.bit_rate = int(0.2 * width * height * self._fps)
        self._stream.width, self._stream.height, self._stream.pix_fmt = width, height, "yuv420p"
        self._stream.codec_context.time_base = Fraction(1, _TICKS_PER_S)
        self._size = width, height

    def _fitted(self, frame: Frame) -> Frame:
        width, height = self._size or (0, 0)
        if (
            frame.shape[0] > height
            or frame.shape[1] > width
            or min(height - frame.shape[0], width - frame.shape[1]) > 1
        ):
            scale = min(width / frame.shape[1], height / frame.shape[0])
            small = max(1, int(frame.shape[1] * scale)), max(1, int(frame.shape[0] * scale))
            frame = cast("Frame", cv2.resize(frame, small, interpolation=cv2.INTER_AREA))
        below, right = height - frame.shape[0], width - frame.shape[1]
        if below or right:
            border = cv2.BORDER_REPLICATE if max(below, right) == 1 else cv2.BORDER_CONSTANT
            frame = cast("Frame", cv2.copyMakeBorder(frame, 0, below, 0, right, border))
        return np.ascontiguousarray(frame)

    def close(self) -> None:
        """Write what the encoder still holds, and finish the file; a second time does nothing.

        Raises:
            OutputError: The last of it cannot be written.
        """
        if self._is_closed:
            return
        self._is_closed = True
        try:
            with self._file.reporting(self._failure):
                if self._stream is not None:
                    self._container.mux(self._stream.encode(None))
                self._container.close()
                self._raise_failure()
        finally:
            self._file.close()
