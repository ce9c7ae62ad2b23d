"""Video from the network: ``rtsp://``, ``rtp://``, ``udp://`` and ``http(s)://``, and what is piped into stdin.

PyAV reads them, with options that keep the delay short. Where GStreamer finds a hardware decoder, as on a Jetson,
``rtsp://`` and ``rtp://`` are read by it instead.
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from eatrack_edge.core.errors import InputError
from eatrack_edge.core.reasons import reason_of
from eatrack_edge.sources import gst_pipelines
from eatrack_edge.sources.base import SourceOptions
from eatrack_edge.sources.gst_runtime import has_element
from eatrack_edge.sources.gstreamer import is_chosen, pipeline_opener
from eatrack_edge.sources.known_host import with_known_host
from eatrack_edge.sources.latest import LiveSource
from eatrack_edge.sources.link import Link, LinkError, LinkOpener
from eatrack_edge.sources.live_options import LiveOptions
from eatrack_edge.sources.live_uri import name_of, without_password
from eatrack_edge.sources.stream_link import LOW_DELAY, StreamLink

_ENCODINGS = {"h264": "H264", "h265": "H265"}
_TWICE = 0.5  # FFmpeg notices on RTP and RTSP that nothing comes after twice the time that it is given
# MPEG-TS and HTTP name their streams only after some data; still a tenth of what FFmpeg would wait for.
_SHORT_PROBE = {"analyzeduration": "500000", "probesize": "200000"}


def open_network(uri: str, options: SourceOptions) -> LiveSource:
    """Open ``rtsp://``, ``rtp://``, ``udp://``, ``http://``, ``https://`` or ``-``.

    Raises:
        InputError: The URI lacks a port, or has an impossible one, or the SDP file cannot be read.
        MissingExtra: GStreamer was asked for and is not there.
    """
    live = options.live
    _check_address(uri)
    opener = with_known_host(uri, _hardware_opener(uri, live) or _opener(uri, live))
    return LiveSource(opener, name=name_of(uri), uri=without_password(uri), options=live)


def _check_address(uri: str) -> None:
    """Refuse what could be tried for ever."""
    if uri.lower().startswith("udp:"):
        host_and_port(uri)
    elif uri != "-":
        _port_of(uri)


def _hardware_opener(uri: str, options: LiveOptions) -> LinkOpener | None:
    scheme = uri.partition("://")[0].lower()
    if scheme not in ("rtsp", "rtp") or uri.lower().endswith(".sdp") or not is_chosen(options, "nvv4l2decoder"):
        return None
    if scheme == "rtsp":
        return pipeline_opener(gst_pipelines.rtsp(uri, options, has_element), options)
    return pipeline_opener(gst_pipelines.rtp(host_and_port(uri)[1], options, has_element), options)


def _opener(uri: str, options: LiveOptions) -> LinkOpener:
    scheme = uri.partition("://")[0].lower()
    if scheme == "rtsp":
        return lambda: _rtsp(uri, options)
    if scheme == "rtp":
        description = sdp_for(uri, options.codec)
        settings = {**LOW_DELAY, "protocol_whitelist": "file,udp,rtp", "max_delay": _microseconds(options)}
        return lambda: StreamLink(description, form="sdp", settings=settings, options=options, timeout_share=_TWICE)
    if scheme == "udp":
        return lambda: _udp(uri, options)
    if scheme == "-":
        return lambda: _stdin(options)
    return lambda: StreamLink(uri, settings=_SHORT_PROBE, options=options)


def _stdin(options: LiveOptions) -> Link:
    try:
        return StreamLink("pipe:0", settings=_SHORT_PROBE, options=options, can_return=False)
    except LinkError as error:  # it was read, and cannot be read again
        raise InputError(
            f"-: stdin holds no video: {error}", hint="pipe one in: cat video.ts | eatrack-edge fly -"
        ) from error


def _rtsp(uri: str, options: LiveOptions) -> Link:
    settings = {**LOW_DELAY, "rtsp_transport": options.transport, "max_delay": _microseconds(options)}
    return StreamLink(uri, settings=settings, options=options, timeout_share=_TWICE)


def _udp(uri: str, options: LiveOptions) -> Link:
    separator = "&" if "?" in uri else "?"
    # A full buffer must not end the stream, and a missing sender must not block for ever.
    timeout = round(1e6 * _TWICE * options.open_timeout_s)
    address = f"{uri}{separator}fifo_size=50000&overrun_nonfatal=1&timeout={timeout}"
    settings = {**_SHORT_PROBE, "fflags": "nobuffer", "flags": "low_delay"}
    return StreamLink(address, form="mpegts", settings=settings, options=options)


def _microseconds(options: LiveOptions) -> str:
    return str(1000 * options.latency_ms)


def sdp_for(uri: str, codec: str) -> bytes:
    """The session description that FFmpeg needs to receive RTP.

    Args:
        uri: ``rtp://HOST:PORT``, where packets are received, or ``rtp:///folder/camera.sdp``, a description.
        codec: ``h264`` or ``h265``; empty is ``h264``.

    Raises:
        InputError: No port, another codec, or a description that cannot be read.

    >>> print(sdp_for("rtp://0.0.0.0:5600", "").decode().splitlines()[5])
    a=rtpmap:96 H264/90000
    """
    if uri.lower().endswith(".sdp"):
        try:
            return Path(uri.partition("://")[2]).read_bytes()
        except OSError as error:
            raise InputError(f"{uri}: the description cannot be read: {reason_of(error)}") from error
    encoding = _ENCODINGS.get(codec or "h264")
    if encoding is None:
        raise InputError(f"{uri}: RTP carries h264 or h265 here, got `{codec}`", hint="describe others in an .sdp file")
    host, port = host_and_port(uri)
    lines = ["v=0", f"o=- 0 0 IN IP4 {host}", "s=live", f"c=IN IP4 {host}", f"m=video {port} RTP/AVP 96"]
    lines += [f"a=rtpmap:96 {encoding}/90000", *(["a=fmtp:96 packetization-mode=1"] if encoding == "H264" else [])]
    return "\r\n".join([*lines, ""]).encode()


def host_and_port(uri: str) -> tuple[str, int]:
    """Where packets are received; no host, or jetson-utils' ``@``, is every address of this machine.

    Raises:
        InputError: No port, or an impossible one.

    >>> host_and_port("rtp://@:1234")
    ('0.0.0.0', 1234)
    """
    port = _port_of(uri)
    if not port:
        scheme = uri.partition(":")[0].lower()
        raise InputError(f"{without_password(uri)}: the port is missing", hint=f"for example: {scheme}://0.0.0.0:5600")
    return urlsplit(uri).hostname or "0.0.0.0", port


def _port_of(uri: str) -> int | None:
    try:
        return urlsplit(uri).port
    except ValueError as error:
        raise InputError(f"{without_password(uri)}: the port is not a number up to 65535") from error
