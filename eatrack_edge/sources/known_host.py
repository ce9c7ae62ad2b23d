"""Whether a host has an address: where it has none, FFmpeg says input/output error, and GStreamer nothing."""

from __future__ import annotations

import socket
from urllib.parse import urlsplit
from urllib.request import getproxies

from eatrack_edge.core.reasons import reason_of
from eatrack_edge.sources.link import Link, LinkError, LinkOpener

_WEB_PROXIES = {"http", "https", "all"}


def why_unknown(host: str) -> str:
    """Why a host is not known here, in words; empty where it has an address.

    >>> why_unknown("127.0.0.1")
    ''
    """
    try:
        socket.getaddrinfo(host, None)
    except OSError as error:
        return f"the host `{host}` is not known: {reason_of(error)}"
    except UnicodeError:
        return f"the host `{host}` is not known: no host has such a name"
    return ""


def with_known_host(uri: str, opener: LinkOpener) -> LinkOpener:
    """An opener that looks for the host of a URI first, each time: the network may come later."""
    host = urlsplit(uri).hostname
    # A web proxy knows hosts that this machine does not.
    if not host or (uri.lower().startswith("http") and _WEB_PROXIES & getproxies().keys()):
        return opener

    def open_link() -> Link:
        if reason := why_unknown(host):
            raise LinkError(reason)
        return opener()

    return open_link
