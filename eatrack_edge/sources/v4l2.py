"""Cameras of Linux: ``v4l2:///dev/video0``, ``/dev/video0`` or ``0``, by PyAV, or by GStreamer on a Jetson."""

from __future__ import annotations

from eatrack_edge.core.errors import InputError
from eatrack_edge.sources import gst_pipelines
from eatrack_edge.sources.base import SourceOptions
from eatrack_edge.sources.camera_modes import listed_modes, with_codec
from eatrack_edge.sources.gst_runtime import has_element, require_gst
from eatrack_edge.sources.gstreamer import is_chosen, pipeline_opener
from eatrack_edge.sources.latest import LiveSource
from eatrack_edge.sources.link import Link
from eatrack_edge.sources.live_options import LiveOptions
from eatrack_edge.sources.live_uri import name_of
from eatrack_edge.sources.stream_link import StreamLink

_INPUT_FORMATS = {"h264": "h264", "h265": "hevc", "mjpeg": "mjpeg", "raw": "yuyv422"}  # codec to FFmpeg's name


def open_v4l2(uri: str, options: SourceOptions) -> LiveSource:
    """Open a camera of Linux.

    Raises:
        InputError: Not the name of a device.
        MissingExtra: GStreamer was asked for and is not there.
    """
    live, device = options.live, device_of(uri)
    is_gstreamer = is_chosen(live, "nvvidconv")

    def link() -> Link:
        # Asked at each opening: the camera may be plugged in later.
        chosen = with_codec(device, live, listed_modes(device))
        if is_gstreamer:
            return pipeline_opener(gst_pipelines.usb(device, chosen, has_element), chosen)()
        return StreamLink(device, form="v4l2", settings=settings_of(chosen), options=chosen)

    if is_gstreamer:
        require_gst()
    return LiveSource(link, name=name_of(device), uri=uri, options=live)


def device_of(uri: str) -> str:
    """The device that a URI names.

    Raises:
        InputError: It names none.

    >>> [device_of(uri) for uri in ("0", "/dev/video2", "v4l2:///dev/video1", "v4l2://3")]
    ['/dev/video0', '/dev/video2', '/dev/video1', '/dev/video3']
    """
    name = uri.removeprefix("v4l2://")
    if name.isdecimal():
        return f"/dev/video{name}"
    if not name.startswith("/dev/"):
        raise InputError(f"{uri}: not a camera", hint="for example: v4l2:///dev/video0; v4l2-ctl --list-devices")
    return name


def settings_of(options: LiveOptions) -> dict[str, str]:
    """What FFmpeg asks of the camera; what is left out is the camera's own choice.

    >>> settings_of(LiveOptions(width=1280, height=720, rate=30, codec="mjpeg"))
    {'video_size': '1280x720', 'framerate': '30', 'input_format': 'mjpeg'}
    """
    settings: dict[str, str] = {}
    if options.width and options.height:
        settings["video_size"] = f"{options.width}x{options.height}"
    if options.rate:
        settings["framerate"] = f"{options.rate:g}"
    if options.codec:
        settings["input_format"] = _INPUT_FORMATS[options.codec]
    return settings
