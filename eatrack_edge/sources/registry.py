"""The kinds of source by URI scheme."""

from __future__ import annotations

from collections.abc import Callable

from eatrack_edge.core.errors import InputError
from eatrack_edge.core.registry import Registry
from eatrack_edge.sources.base import Source, SourceOptions
from eatrack_edge.sources.files import exists_as_file
from eatrack_edge.sources.live_options import LiveOptions
from eatrack_edge.sources.live_uri import scheme_of, without_password

SourceOpener = Callable[[str, SourceOptions], Source]

SOURCES: Registry[SourceOpener] = Registry(
    "source",
    {
        "file": "eatrack_edge.sources.files:open_files",
        "test": "eatrack_edge.sources.synthetic:open_synthetic",
        "rtsp": "eatrack_edge.sources.network:open_network",
        "rtp": "eatrack_edge.sources.network:open_network",
        "udp": "eatrack_edge.sources.network:open_network",
        "http": "eatrack_edge.sources.network:open_network",
        "https": "eatrack_edge.sources.network:open_network",
        "stdin": "eatrack_edge.sources.network:open_network",
        "v4l2": "eatrack_edge.sources.v4l2:open_v4l2",
        "csi": "eatrack_edge.sources.gstreamer:open_csi",
        "gst": "eatrack_edge.sources.gstreamer:open_pipeline",
    },
)


def open_source(
    uri: str,
    *,
    start: int = 0,
    image_fps: float = 30.0,
    value_range: tuple[float, float] | None = None,
    live: LiveOptions | None = None,
) -> Source:
    """Open a source of frames.

    Args:
        uri: A video file, a folder of images, a glob (``*``, ``?``, ``[...]``) of images, ``file://`` before
            any of these, or ``test://`` with ``?seed=&frames=&width=&height=&fps=`` for the synthetic scene. A camera
            is ``/dev/video0``, ``0`` or ``csi://0``; a stream ``rtsp://``, ``rtp://``, ``udp://``, ``http://`` or
            ``-`` for stdin; anything else that GStreamer can open is ``gst://`` and its pipeline.
        start: First frame to deliver, from 0; frames keep their own numbers and times.
        image_fps: Frames per second to count time by where the source is images.
        value_range: Lowest and highest value of pictures of more than 8 bits, which are stretched to 8 by one range for
            the whole source; ``None`` takes that of the first picture.
        live: How to open a camera or a stream; the defaults do not reopen one that dies.

    Raises:
        InputError: Nothing of the kind exists, it has no frames, or it ends before ``start``.
        UsageError: A range is given, and the pictures have 8 bits.
        MissingExtra: PyAV or GStreamer is needed and not installed.

    >>> with open_source("test://?frames=3&width=96&height=96") as source:
    ...     [item.index for item in source]
    [0, 1, 2]
    """
    if start < 0:
        raise InputError(f"{uri}: cannot start at frame {start}: frames count from 0")
    scheme = scheme_of(uri)
    if scheme not in SOURCES and exists_as_file(uri):
        scheme = "file"
    if scheme not in SOURCES:
        known = ", ".join(f"{name}://" for name in SOURCES.names())
        raise InputError(
            f"{without_password(uri)}: sources of the kind `{scheme}://` are not supported",
            hint=f"give a path, or one of {known}",
        )
    return SOURCES.get(scheme)(uri, SourceOptions(start, image_fps, value_range, live or LiveOptions()))
