"""The MAVLink cameras of ``eatrack-edge fly --mavlink``."""

from __future__ import annotations

from eatrack_edge.cli.fly_config import FlyConfig
from eatrack_edge.ground.mavlink.announced_stream import AnnouncedStream
from eatrack_edge.ground.mavlink.camera_link import CameraLink
from eatrack_edge.session.live import LiveSession


def open_camera_links(session: LiveSession, options: FlyConfig) -> list[CameraLink]:
    """Open a link for each connection; they are listeners of the session, and command it.

    Raises:
        MissingExtra: pymavlink or pyserial is not installed.
    """
    streams = [AnnouncedStream.of(options.mavlink.stream_uri)] if options.mavlink.stream_uri else []
    return [
        CameraLink(connection, options.mavlink, session.commands.put, session.reports.put, streams=streams)
        for connection in options.mavlink.connections
    ]
