"""URIs of cameras and streams: short forms, names for results, and passwords that no log may show."""

from __future__ import annotations

import re

_PASSWORD = re.compile(r"(://[^:/@\s]*):[^@/\s]*@")


def scheme_of(uri: str) -> str:
    """The scheme of a source; a camera's device or number is ``v4l2``, ``-`` is ``stdin``, any other path a ``file``.

    >>> [scheme_of(uri) for uri in ("rtsp://drone/live", "/dev/video0", "0", "-", "boat.mp4")]
    ['rtsp', 'v4l2', 'v4l2', 'stdin', 'file']
    """
    scheme, separator, _ = uri.partition("://")
    if separator:
        return scheme.lower()
    if uri.isdecimal() or uri.startswith("/dev/video"):
        return "v4l2"
    return "stdin" if uri == "-" else "file"


def without_password(uri: str) -> str:
    """The URI as a log may show it.

    >>> without_password("rtsp://pilot:secret@10.0.0.2/live")
    'rtsp://pilot:***@10.0.0.2/live'
    """
    return _PASSWORD.sub(r"\1:***@", uri)


def name_of(uri: str) -> str:
    """A short name for results, fit for a file's name.

    >>> name_of("rtsp://pilot:secret@10.0.0.2:8554/live?x=1"), name_of("/dev/video0")
    ('rtsp-10.0.0.2-8554-live', 'dev-video0')
    """
    plain = re.sub(r"://[^@/\s]*@", "://", uri).partition("?")[0]
    return re.sub(r"[^0-9A-Za-z.]+", "-", plain).strip("-.")[:60] or "source"
