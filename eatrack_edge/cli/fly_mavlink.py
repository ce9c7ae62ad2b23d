"""The MAVLink cameras of ``eatrack-edge fly --mavlink``."""

from __future__ import annotations

from contextlib import ExitStack, closing
from dataclasses import replace

from eatrack_edge.cli.fly_config import FlyConfig
from eatrack_edge.ground.mavlink.announced_stream import AnnouncedStream
from eatrack_edge.ground.mavlink.camera_link import CameraLink
from eatrack_edge.session.live import LiveSession


def open_camera_links(session: LiveSession, options: FlyConfig) -> list[CameraLink]:
    """Open a link for each connection; they are listeners of the session, and command it. All of them, or none.

    Raises:
        UsageError: A connection is not named as one.
        MissingExtra: pymavlink or pyserial is not installed.
    """
    mavlink, rate = options.mavlink, options.video.rate
    streams = [AnnouncedStream.of(uri, rate=rate, is_h264=True) for uri in options.stream]
    if mavlink.stream_uri:
        streams = [AnnouncedStream.of(mavlink.stream_uri)]
    is_box_drawn = bool(streams) and not mavlink.stream_uri
    command, report = session.commands.put, session.reports.put
    with ExitStack() as opened:
        links = []
        for place, connection in enumerate(mavlink.connections):
            own = replace(mavlink, gimbal=mavlink.gimbal and place == 0)  # one hand on it
            link = CameraLink(connection, own, command, report, streams=streams, is_box_drawn=is_box_drawn)
            links.append(opened.enter_context(closing(link)))
        opened.pop_all()
    return links
