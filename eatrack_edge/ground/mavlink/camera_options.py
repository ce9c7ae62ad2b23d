"""How the camera appears on MAVLink: the ``[mavlink]`` table of ``eatrack-edge fly``."""

from __future__ import annotations

from dataclasses import dataclass

from eatrack_edge.core.errors import ConfigError
from eatrack_edge.ground.mavlink.announced_stream import AnnouncedStream
from eatrack_edge.ground.mavlink.connections import parse_address

CAMERA_COMPONENTS = range(100, 106)
"""Component numbers of cameras. QGroundControl looks for cameras nowhere else."""


@dataclass(frozen=True, slots=True)
class MavlinkOptions:
    """How the camera appears to ground stations.

    >>> MavlinkOptions(component=1)
    Traceback (most recent call last):
    eatrack_edge.core.errors.ConfigError: component of a MAVLink camera must be 100 to 105, got 1

    Raises:
        ConfigError: A number that no camera has.
        UsageError: A connection or a stream that stations do not know.
    """

    connections: tuple[str, ...] = ()  # links to stations or a router, such as `udpout:192.168.144.11:14550`
    system: int = 1  # the vehicle's own number, 1 to 255: ArduPilot's SYSID_THISMAV, PX4's MAV_SYS_ID
    component: int = 100  # 100 to 105; each camera of a vehicle needs one of its own
    coasting: bool = False  # report a low confidence as ACTIVE and COASTING; older stations know ACTIVE alone
    gimbal: bool = False  # point the vehicle's gimbal at the target, over the first connection
    gimbal_view_deg: float = 60.0  # horizontal field of view of the camera on it, 1 to 170 degrees
    stream_uri: str = ""  # announced in place of the address of `stream`; for video that another program sends

    def __post_init__(self) -> None:
        if self.component not in CAMERA_COMPONENTS:
            raise ConfigError(f"component of a MAVLink camera must be 100 to 105, got {self.component}")
        if not 1 <= self.system <= 255:
            raise ConfigError(f"system of a MAVLink camera must be 1 to 255, got {self.system}")
        if not 1 <= self.gimbal_view_deg <= 170:
            raise ConfigError(f"gimbal_view_deg must be 1 to 170, got {self.gimbal_view_deg:g}")
        for connection in self.connections:
            parse_address(connection)
        if self.stream_uri:
            AnnouncedStream.of(self.stream_uri)
