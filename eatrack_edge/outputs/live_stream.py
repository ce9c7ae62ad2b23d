"""Live video for a ground station: where it goes, how large it is, and who sends it, by URI scheme."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol
from urllib.parse import urlsplit

from eatrack_edge.core.crops import Frame
from eatrack_edge.core.errors import ConfigError, UsageError
from eatrack_edge.core.registry import Registry
from eatrack_edge.sources.live_uri import without_password

ENCODERS = ("auto", "pyav", "gstreamer")
_EXAMPLE = "for example: rtp://192.168.144.11:5600, udp://192.168.144.11:5000 or rtsp://:8554/eatrack"
_BITS_PER_PX = 0.12  # 1280x720 at 30 pictures a second in 3.3 Mbit/s


@dataclass(frozen=True, slots=True)
class StreamOptions:
    """How large a live stream is.

    >>> StreamOptions(encoder="ffmpeg")
    Traceback (most recent call last):
    eatrack_edge.core.errors.ConfigError: encoder must be one of auto, pyav, gstreamer, got `ffmpeg`
    """

    width: int = 0  # px, never more than the source's; 0 is 1280 with a hardware encoder and 960 in software
    rate: float = 0.0  # pictures per second at most; 0 is 30 with a hardware encoder and 15 in software
    bitrate_kbps: int = 0  # 0 goes by size and rate
    encoder: str = "auto"  # one of ENCODERS; `auto` takes GStreamer where it is there, for its hardware encoders

    def __post_init__(self) -> None:
        if self.encoder not in ENCODERS:
            raise ConfigError(f"encoder must be one of {', '.join(ENCODERS)}, got `{self.encoder}`")
        if min(self.width, self.rate, self.bitrate_kbps) < 0:
            raise ConfigError(
                f"width, rate and bitrate_kbps of a stream must be at least 0, "
                f"got {self.width}, {self.rate} and {self.bitrate_kbps}"
            )


class StreamAddress(NamedTuple):
    """Where a stream goes to, or is fetched from."""

    uri: str
    scheme: str
    host: str  # empty is every address of this machine
    port: int
    path: str  # of rtsp://, such as `/eatrack`


class StreamPlan(NamedTuple):
    """What is encoded."""

    size: tuple[int, int]  # width and height, px
    rate: float  # pictures per second at most
    bitrate_kbps: int

    @property
    def key_interval(self) -> int:
        """Pictures from one key frame to the next: a second, which is how long a new viewer waits."""
        return max(1, round(self.rate))


class Sender(Protocol):
    """Encodes and sends pictures of one size."""

    def send(self, picture: Frame) -> None:
        """Send a picture now.

        Raises:
            OutputError: The encoder or the network failed; this sender is of no more use.
        """
        ...

    def close(self) -> None:
        """Stop sending."""
        ...


class StreamWay(NamedTuple):
    """One way to encode and send, of those that this machine has."""

    description: str  # for people
    is_hardware: bool
    connect: Callable[[StreamPlan], Sender]


StreamChooser = Callable[[StreamAddress, StreamOptions], Sequence[StreamWay]]
"""The ways that this machine has, the best first. Raises MachineError where there is none."""

STREAMS: Registry[StreamChooser] = Registry(
    "stream",
    {
        "rtp": "eatrack_edge.outputs.packet_stream:choose",
        "udp": "eatrack_edge.outputs.packet_stream:choose",
        "rtsp": "eatrack_edge.outputs.rtsp_server:choose",
    },
)


def parse_address(uri: str) -> StreamAddress:
    """Where a stream goes.

    Raises:
        UsageError: Not a kind of stream that can be sent, or its host or port is missing.

    >>> parse_address("rtp://192.168.144.11:5600")[1:]
    ('rtp', '192.168.144.11', 5600, '')
    >>> parse_address("rtsp://:8554/eatrack")[1:]
    ('rtsp', '', 8554, '/eatrack')
    """
    parts = urlsplit(uri)
    if parts.scheme not in STREAMS:
        raise UsageError(f"{without_password(uri)}: not a stream that can be sent", hint=_EXAMPLE)
    try:
        port = parts.port
    except ValueError:
        port = None
    if not port:
        raise UsageError(f"{without_password(uri)}: the port is missing", hint=_EXAMPLE)
    if not parts.hostname and parts.scheme != "rtsp":
        raise UsageError(f"{without_password(uri)}: the receiver's address is missing", hint=_EXAMPLE)
    if parts.username or parts.password:
        raise UsageError(
            f"{without_password(uri)}: streams have no passwords here",
            hint="serve rtsp:// on an address of a closed network",
        )
    path = parts.path if parts.path not in ("", "/") or parts.scheme != "rtsp" else "/eatrack"
    return StreamAddress(uri, parts.scheme, parts.hostname or "", port, path)


def plan_for(frame_size: tuple[int, int], options: StreamOptions, *, is_hardware: bool) -> StreamPlan:
    """What to encode of frames of a size, px: never enlarged, and with sides that encoders take.

    >>> plan_for((1920, 1080), StreamOptions(), is_hardware=False)
    StreamPlan(size=(960, 540), rate=15.0, bitrate_kbps=933)
    >>> plan_for((641, 479), StreamOptions(rate=5, bitrate_kbps=300), is_hardware=True)
    StreamPlan(size=(640, 478), rate=5, bitrate_kbps=300)
    """
    widest = options.width or (1280 if is_hardware else 960)
    rate = options.rate or (30.0 if is_hardware else 15.0)
    width = max(16, min(widest, frame_size[0]) // 8 * 8)  # rows without padding in every colour format
    height = max(16, round(frame_size[1] * width / frame_size[0]) // 2 * 2)
    bitrate = options.bitrate_kbps or max(100, round(_BITS_PER_PX * width * height * rate / 1000))
    return StreamPlan((width, height), rate, bitrate)
