"""A stream or a camera read by PyAV, with the options that keep its delay short."""

from __future__ import annotations

import errno
import io
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, cast

from eatrack_edge.core.crops import Frame
from eatrack_edge.core.imports import require
from eatrack_edge.core.reasons import reason_of
from eatrack_edge.sources.link import LinkError, Picture
from eatrack_edge.sources.live_options import LiveOptions, flipped

# Probing reads a second of video and keeps it: without these a live source is a second late from the start.
LOW_DELAY = {"fflags": "nobuffer", "flags": "low_delay", "analyzeduration": "0", "probesize": "32"}
_HIGHEST_FPS = 1000.0  # RTP states the ticks of its clock instead, 90000
_KEY_FRAME_S = 30.0  # most that the first picture is waited for where packets come, but no key frame yet
_BAD_PACKETS = 120  # a receiver that joins late sees up to a second or two of packets before the first key frame


class StreamLink:
    """One connection by PyAV.

    Args:
        address: A URL or a device; bytes are the text of an SDP.
        form: FFmpeg's name of the format; empty lets it find out.
        settings: FFmpeg's options.
        options: Timeouts and flip.
        timeout_share: Part of our timeouts that FFmpeg is given, because it waits for a multiple of it on some
            transports.
        can_return: Whether it may be there again after its end. What is piped in cannot.

    Raises:
        LinkError: It cannot be opened now.
        MissingExtra: PyAV is not installed.
    """

    def __init__(
        self,
        address: str | bytes,
        *,
        form: str = "",
        settings: Mapping[str, str],
        options: LiveOptions,
        timeout_share: float = 1.0,
        can_return: bool = True,
    ) -> None:
        self._av = require("av", to="read a stream")
        self._options, self._can_return = options, can_return
        self._is_udp = isinstance(address, str) and address.lower().startswith("udp:")
        # Opening it again would not bring a key frame sooner.
        self._is_sent_unasked = self._is_udp or isinstance(address, bytes)
        self.description = f"PyAV {self._av.__version__}, {form or 'format by probing'}"
        timeouts = (timeout_share * options.open_timeout_s, timeout_share * options.read_timeout_s)
        place = io.BytesIO(address) if isinstance(address, bytes) else address
        self._interrupted = threading.Event()
        self._begin_s = time.monotonic()
        self._last_s: float | None = None  # when the newest picture came
        self._failures = (self._av.error.FFmpegError, OSError)
        try:
            self._container: Any = self._av.open(place, format=form or None, options=dict(settings), timeout=timeouts)
        except self._failures as error:
            raise LinkError(self._reason(error, options.open_timeout_s)) from error
        try:
            self._open_stream()
        except LinkError:
            self._container.close()
            raise
        self._ready: deque[Picture] = deque()
        self._bad_packets = 0

    def _open_stream(self) -> None:
        if not self._container.streams.video:
            raise LinkError("it has no video")
        stream = self._container.streams.video[0]
        stream.thread_type = "NONE"  # threads decode ahead, which delays each frame by several
        rate = float(stream.average_rate or stream.guessed_rate or 0)
        self.fps = rate if 0 < rate <= _HIGHEST_FPS else None
        # A file on a web server has a length. It is played at its own speed, and its end is an end.
        self._is_finite = bool(self._container.duration)
        self.description += f", {stream.codec_context.name}"
        # A camera's raw pictures lie in the driver's memory, which is unmapped when the link is closed.
        self._is_borrowed = stream.codec_context.name == "rawvideo"
        self._packets = self._container.demux(stream)
        # One for all frames: it keeps what it needs to convert them.
        self._converter = self._av.video.reformatter.VideoReformatter()

    def read(self) -> Picture | None:
        """The next picture; ``None`` at the end of a file on a web server, and of what is piped in.

        Raises:
            LinkError: The stream ended, broke, or sent no picture for too long.
        """
        while not self._ready:
            try:
                packet = next(self._packets)
            except StopIteration:
                if self._is_finite or not self._can_return:
                    return None
                raise LinkError("the stream ended") from None
            except self._failures as error:
                raise LinkError(self._reason(error, self._options.read_timeout_s)) from error
            self._decode(packet)
            self._check_time()
        return self._ready.popleft()

    def _decode(self, packet: Any) -> None:
        try:
            for decoded in packet.decode():
                self._wait_for(decoded.time)
                self._last_s = time.monotonic()
                self._bad_packets = 0
                self._ready.append(Picture(time.monotonic_ns(), self._to_frame(decoded)))
        except self._failures as error:
            self._bad_packets += 1  # before the first key frame, or the last packet of a server that was killed
            is_awaited = self._last_s is None and self._is_sent_unasked  # a key frame, see `_check_time`
            if self._bad_packets > _BAD_PACKETS and not is_awaited:
                reason = self._reason(error, self._options.read_timeout_s)
                raise LinkError(f"{self._bad_packets} packets in a row cannot be decoded: {reason}") from error

    def _to_frame(self, decoded: Any) -> Callable[[], Frame]:
        """What makes the frame of a picture, when it is taken; at once where its memory ends with the link."""
        if not self._is_borrowed:
            return partial(self._frame, decoded)
        frame = self._frame(decoded)
        return lambda: frame

    def _wait_for(self, pts_s: float | None) -> None:
        if self._is_finite and pts_s is not None:
            if self._last_s is None:
                self._begin_s = time.monotonic() - pts_s
            self._interrupted.wait(max(0.0, self._begin_s + pts_s - time.monotonic()))

    def _check_time(self) -> None:
        is_first = self._last_s is None
        longest = self._options.open_timeout_s if is_first else self._options.read_timeout_s
        if is_first and self._is_sent_unasked:
            longest = max(longest, _KEY_FRAME_S)
        if not self._ready and time.monotonic() - (self._last_s or self._begin_s) > longest:
            what = "packets come, but no key frame" if is_first else "no frame came"
            raise LinkError(f"{what} for {longest:g} s")

    def _frame(self, decoded: Any) -> Frame:
        frame = cast("Frame", self._converter.reformat(decoded, format="bgr24").to_ndarray())
        return frame if self._options.flip == "none" else flipped(frame, self._options.flip)

    def _reason(self, error: Exception, timeout_s: float) -> str:
        if isinstance(error, self._av.error.ExitError):  # FFmpeg's word for a wait that we ended
            return f"nothing came for {timeout_s:g} s"
        if self._is_udp and getattr(error, "errno", None) == errno.EIO:  # FFmpeg's word for a silent port
            return f"nothing came for {time.monotonic() - (self._last_s or self._begin_s):.0f} s"
        return reason_of(error).partition(": ")[0]

    def interrupt(self) -> None:
        """End a wait for a frame's time. One for the network ends by its own timeout."""
        self._interrupted.set()

    def close(self) -> None:
        """Close sockets and the decoder."""
        self._container.close()
