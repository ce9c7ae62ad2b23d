"""Sends video by UDP: as RTP packets (``rtp://HOST:PORT``), or as MPEG-TS (``udp://HOST:PORT``)."""

from __future__ import annotations

import time
from collections.abc import Sequence
from fractions import Fraction
from functools import partial
from typing import Any

from eatrack_edge.core.crops import Frame
from eatrack_edge.core.errors import MachineError, OutputError
from eatrack_edge.core.imports import require
from eatrack_edge.core.reasons import reason_of
from eatrack_edge.outputs.h264_encoders import Encoder, encoders, source
from eatrack_edge.outputs.live_stream import Sender, StreamAddress, StreamOptions, StreamPlan, StreamWay
from eatrack_edge.outputs.pipeline_sender import PipelineSender
from eatrack_edge.sources.gst_runtime import has_element
from eatrack_edge.sources.known_host import why_unknown

# Packets that fit into any link's frames; MPEG-TS has seven of 188 bytes.
_RTP_BYTES, _TS_BYTES = 1200, 1316
_SOURCE = "pictures"
_PARTS = {"rtp": ("rtph264pay", "udpsink"), "udp": ("h264parse", "mpegtsmux", "udpsink")}
_TICKS_PER_S = 90_000  # the clock of RTP and MPEG-TS


def choose(address: StreamAddress, options: StreamOptions) -> Sequence[StreamWay]:
    """The ways to send packets from this machine: GStreamer's encoders, then PyAV's.

    Raises:
        MachineError: GStreamer was asked for, and lacks an element.
    """
    found: list[Encoder] = []
    if options.encoder != "pyav" and all(map(has_element, ("appsrc", "videoconvert", *_PARTS[address.scheme]))):
        found = encoders(has_element)
    ways = [
        StreamWay(f"GStreamer {encoder.element}", encoder.is_hardware, partial(_by_pipeline, address, encoder))
        for encoder in found
    ]
    if options.encoder == "gstreamer":
        if not ways:
            raise MachineError(
                f"{address.uri}: GStreamer has no H.264 encoder here, or cannot send by UDP",
                hint="sudo apt install gstreamer1.0-plugins-good gstreamer1.0-plugins-bad gstreamer1.0-plugins-ugly; "
                'or leave it to PyAV: encoder = "pyav" in the table [video]',
            )
        return ways
    if any(not way.is_hardware for way in ways):
        return ways
    return [*ways, StreamWay("PyAV libx264", False, partial(PacketSender, address))]


def pipeline(address: StreamAddress, encoder: Encoder, plan: StreamPlan) -> str:
    """The whole pipeline that sends packets."""
    if address.scheme == "rtp":
        packed = f"rtph264pay pt=96 config-interval=-1 mtu={_RTP_BYTES}"
    else:
        packed = "h264parse config-interval=-1 ! mpegtsmux alignment=7"
    sink = f"udpsink host={address.host} port={address.port} sync=false async=false"
    return f"{source(plan, _SOURCE)} ! {encoder.filled(plan)} ! {packed} ! {sink}"


def _by_pipeline(address: StreamAddress, encoder: Encoder, plan: StreamPlan) -> Sender:
    _check_host(address)
    return PipelineSender(pipeline(address, encoder, plan), _SOURCE, address.uri)


class PacketSender:
    """Encodes with libx264 and sends packets, by PyAV alone.

    Args:
        address: The receiver, which need not be there.
        plan: What is encoded.

    Raises:
        OutputError: No network, no such host, or a PyAV without x264.
        MissingExtra: PyAV is not installed.
    """

    def __init__(self, address: StreamAddress, plan: StreamPlan) -> None:
        self._av = require("av", to="stream video")
        self._address = address
        self._failures: tuple[type[Exception], ...] = (self._av.error.FFmpegError, OSError, ValueError)
        form, size = ("rtp", _RTP_BYTES) if address.scheme == "rtp" else ("mpegts", _TS_BYTES)
        separator = "&" if "?" in address.uri else "?"
        url = f"{address.uri}{separator}pkt_size={size}"
        _check_host(address)
        self._begin_s = time.monotonic()
        self._last_tick, self._key_tick = -1, 0
        try:
            self._container: Any = self._av.open(url, "w", format=form)
            self._stream = self._container.add_stream("libx264", rate=max(1, round(plan.rate)))
        except self._failures as error:
            raise _not_sent(self._address, reason_of(error)) from error
        self._stream.width, self._stream.height = plan.size
        self._stream.pix_fmt = "yuv420p"
        context = self._stream.codec_context
        context.time_base = Fraction(1, _TICKS_PER_S)
        context.gop_size, context.bit_rate, context.thread_count = plan.key_interval, 1000 * plan.bitrate_kbps, 1
        # Parameter sets go with each key frame: who tunes in late needs them.
        self._stream.options = {
            "preset": "ultrafast",
            "tune": "zerolatency",
            "forced-idr": "1",
            "x264-params": "repeat-headers=1",
        }

    def send(self, picture: Frame) -> None:
        """Encode a picture and send it.

        Args:
            picture: Shape (H, W, 3), BGR, of the planned size.

        Raises:
            OutputError: No network.
        """
        encoded = self._av.VideoFrame.from_ndarray(picture, format="bgr24")
        self._last_tick = max(self._last_tick + 1, round((time.monotonic() - self._begin_s) * _TICKS_PER_S))
        encoded.pts, encoded.time_base = self._last_tick, Fraction(1, _TICKS_PER_S)
        if self._last_tick >= self._key_tick:  # by time: the source may be slower than planned
            self._key_tick = self._last_tick + _TICKS_PER_S
            encoded.pict_type = self._av.video.frame.PictureType.I
        try:
            self._container.mux(self._stream.encode(encoded))
        except self._failures as error:
            raise _not_sent(self._address, reason_of(error)) from error

    def close(self) -> None:
        """Stop sending."""
        try:
            self._container.close()
        except self._failures:
            return  # there is nobody to tell


def _check_host(address: StreamAddress) -> None:
    if reason := why_unknown(address.host):
        raise _not_sent(address, reason)


def _not_sent(address: StreamAddress, reason: str) -> OutputError:
    return OutputError(f"{address.uri}: cannot be sent: {reason}")
