"""The video stream that a camera announces, so that a station shows it without being told where it is."""

from __future__ import annotations

from typing import NamedTuple
from urllib.parse import urlsplit

from eatrack_edge.core.errors import UsageError
from eatrack_edge.sources.live_uri import without_password

# MAVLink's types by scheme. Of what is sent to the station, it wants the port alone.
_KINDS = {"rtsp": "RTSP", "rtp": "RTPUDP", "udp": "MPEG_TS"}
_EVERY_ADDRESS = ("", "0.0.0.0", "::")


class AnnouncedStream(NamedTuple):
    """A video stream.

    Attributes:
        uri: ``rtsp://HOST:PORT/PATH``, or where ``rtp://`` and ``udp://`` (MPEG-TS) are sent to.
        rate: Frames per second; 0 where unknown.
        is_h264: Whether it is known to be H.264.
    """

    uri: str
    rate: float = 0.0
    is_h264: bool = False

    @classmethod
    def of(cls, uri: str, *, rate: float = 0.0, is_h264: bool = False) -> AnnouncedStream:
        """A stream with a URI that stations understand.

        Raises:
            UsageError: Another scheme, or no port.

        >>> AnnouncedStream.of("rtp://192.168.144.11:5600").kind_and_uri("")
        ('RTPUDP', '5600')
        >>> AnnouncedStream.of("rtsp://:8554/eatrack").kind_and_uri("192.168.144.20")
        ('RTSP', 'rtsp://192.168.144.20:8554/eatrack')
        """
        parts = urlsplit(uri)
        try:
            is_known = parts.scheme in _KINDS and (parts.port is not None or parts.scheme == "rtsp")
        except ValueError:  # not a port
            is_known = False
        if not is_known:
            hint = "for example: rtsp://192.168.144.20:8554/eatrack"
            raise UsageError(
                f"stations need a stream of rtsp, rtp or udp with a port, got `{without_password(uri)}`", hint=hint
            )
        return cls(uri, rate, is_h264)

    def kind_and_uri(self, host: str) -> tuple[str, str]:
        """MAVLink's type, and the URI as the station needs it.

        Args:
            host: This machine's address as the station reaches it, for a stream that is served on every address.
        """
        parts = urlsplit(self.uri)
        kind = _KINDS[parts.scheme]
        if kind != "RTSP":
            return kind, str(parts.port)
        if (parts.hostname or "") not in _EVERY_ADDRESS or not host:
            return kind, self.uri
        place = f"[{host}]" if ":" in host else host
        return kind, parts._replace(netloc=f"{place}:{parts.port or 554}").geturl()
