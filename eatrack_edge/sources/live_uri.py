"""URIs of cameras and streams: short forms, names for results, and passwords that no log may show."""

from __future__ import annotations

import re

_SECRET_NAMES = "pass(?:word|wd|code|phrase)?|pas|pwd|psw|pw|token|secret|key|auth|sig|signature|credentials?"
# Of one URI: everything up to its end belongs to it, whatever a password holds.
_WHOLE = re.compile(r"(?!gst:)[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_USER = re.compile(r"(?<=://)([^/?#]*)@")
# A password with a `/`, `?` or `#` that nobody encoded. `:8554/` is a port.
_BROKEN_USER = re.compile(r"(?<=://)([^/?#@:[]*):(?!\d*[/?])(?=[^/?#@]*[/?#]).*@", re.DOTALL)
_FIELD = re.compile(rf"(?<![\w.-])([\w.-]*(?:{_SECRET_NAMES})\d*=)([^&]*)", re.IGNORECASE)
# Of a text with URIs in it, such as a pipeline.
_URI_IN_TEXT = re.compile(
    r"""(?<=")[a-z][a-z0-9+.-]*://[^"]+|(?<=')[a-z][a-z0-9+.-]*://[^']+|(?!gst:)[a-z][a-z0-9+.-]*://[^\s"']+""",
    re.IGNORECASE,
)
_FIELD_IN_TEXT = re.compile(
    rf"(?<![\w.-])([\w.-]*(?:{_SECRET_NAMES})\d*\s*=\s*)(\"[^\"]*\"|'[^']*'|[^&\s\"']+)", re.IGNORECASE
)
_NEXT_FIELD = re.compile(r"_[a-z]+=", re.IGNORECASE)


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
    """The URI, or the pipeline with URIs in it, as a log may show it.

    Passwords stand before the host, or in fields of path and query, as many IP cameras have them. In doubt about where
    one ends, more is hidden.

    >>> without_password("rtsp://pilot:s@cret@10.0.0.2/live")
    'rtsp://pilot:***@10.0.0.2/live'
    >>> without_password("rtsp://10.0.0.2/user=admin&password=secret&channel=1")
    'rtsp://10.0.0.2/user=admin&password=***&channel=1'
    """
    if _WHOLE.match(uri):
        return _FIELD.sub(_hidden, _BROKEN_USER.sub(r"\1:***@", _USER.sub(_hidden_user, uri)))
    return _FIELD_IN_TEXT.sub(_hidden, _URI_IN_TEXT.sub(lambda found: without_password(found[0]), uri))


def _hidden_user(found: re.Match[str]) -> str:
    user, separator, _ = found[1].partition(":")
    return f"{user}:***@" if separator else found[0]


def _hidden(field: re.Match[str]) -> str:
    """A field without its value; `/user=admin_password=secret_channel=1.sdp` separates fields by `_`."""
    follows_a_field = field.string[field.start() - 1 : field.start()] == "="
    further = _NEXT_FIELD.search(field[2]) if follows_a_field else None
    return f"{field[1]}***{field[2][further.start() :] if further else ''}"


def name_of(uri: str) -> str:
    """A short name for results, fit for a file's name.

    >>> name_of("rtsp://pilot:secret@10.0.0.2:8554/live?x=1"), name_of("/dev/video0")
    ('rtsp-10.0.0.2-8554-live', 'dev-video0')
    """
    plain = _USER.sub("", without_password(uri)).partition("?")[0]
    return re.sub(r"[^0-9A-Za-z.]+", "-", plain).strip("-.")[:60] or "source"
