"""What a camera says of itself, as MAVLink messages by number."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

from eatrack_edge.ground.mavlink.announced_stream import AnnouncedStream

_VENDOR, _MODEL = b"eatrack-edge", b"target tracker"
_NAN = math.nan


class CameraMessages:
    """Builds the messages that stations ask a camera for.

    Args:
        dialect: pymavlink's messages.
        streams: The videos that stations can show.

    Attributes:
        size: Width and height of the picture, px; zeros before the first frame.
    """

    def __init__(self, dialect: ModuleType, streams: Sequence[AnnouncedStream]) -> None:
        self._dialect, self._streams = dialect, tuple(streams)
        self.size: tuple[int, int] = (0, 0)
        self._by_id: dict[int, Callable[[int], Any]] = {
            dialect.MAVLINK_MSG_ID_CAMERA_INFORMATION: self.information,
            dialect.MAVLINK_MSG_ID_CAMERA_SETTINGS: self._settings,
            dialect.MAVLINK_MSG_ID_STORAGE_INFORMATION: self._storage,
            dialect.MAVLINK_MSG_ID_CAMERA_CAPTURE_STATUS: self._capture_status,
        }
        self._of_streams: dict[int, Callable[[int, AnnouncedStream, str], Any]] = {
            dialect.MAVLINK_MSG_ID_VIDEO_STREAM_INFORMATION: self._stream_information,
            dialect.MAVLINK_MSG_ID_VIDEO_STREAM_STATUS: self._stream_status,
        }

    @property
    def has_streams(self) -> bool:
        """Whether a video stream is announced."""
        return bool(self._streams)

    def build(self, message_id: int, which: int, host: str, boot_ms: int) -> list[Any] | None:
        """The messages of that number; ``None`` where this camera has none of the kind.

        Args:
            message_id: MAVLink's number.
            which: Number of a stream, from 1; 0 is every one.
            host: This machine's address as the station reaches it; empty where that is unknown.
            boot_ms: Milliseconds since the start of the machine.
        """
        if message_id in self._of_streams and self._streams:
            make_one = self._of_streams[message_id]
            numbered = enumerate(self._streams, start=1)
            return [make_one(number, stream, host) for number, stream in numbered if which in (0, number)]
        make = self._by_id.get(message_id)
        return None if make is None else [make(boot_ms)]

    def information(self, boot_ms: int) -> Any:
        """``CAMERA_INFORMATION``. Only what is served is in the flags: ArduPilot asks once a second for the rest."""
        flags = self._dialect.CAMERA_CAP_FLAGS_HAS_TRACKING_POINT
        flags |= self._dialect.CAMERA_CAP_FLAGS_HAS_TRACKING_RECTANGLE
        if self.has_streams:
            flags |= self._dialect.CAMERA_CAP_FLAGS_HAS_VIDEO_STREAM
        # Firmware 0: stations read its bytes in opposite orders. Focal length and sensor are the source's, and unknown.
        return self._dialect.MAVLink_camera_information_message(
            boot_ms, _text(_VENDOR), _text(_MODEL), 0, _NAN, _NAN, _NAN, *self.size, 0, flags, 0, b""
        )

    def _stream_information(self, number: int, stream: AnnouncedStream, host: str) -> Any:
        # The size is the source's: of it stations take the shape, which is the stream's too.
        flags = self._dialect
        kind, uri = stream.kind_and_uri(host)
        return flags.MAVLink_video_stream_information_message(
            *(number, len(self._streams), getattr(flags, f"VIDEO_STREAM_TYPE_{kind}")),
            *(flags.VIDEO_STREAM_STATUS_FLAGS_RUNNING, stream.rate, *self.size, 0, 0, 0),
            *(_text(_VENDOR), uri.encode()[:159] + b"\0"),
            flags.VIDEO_STREAM_ENCODING_H264 if stream.is_h264 else flags.VIDEO_STREAM_ENCODING_UNKNOWN,
        )

    def _stream_status(self, number: int, stream: AnnouncedStream, host: str) -> Any:
        del host
        running = self._dialect.VIDEO_STREAM_STATUS_FLAGS_RUNNING
        return self._dialect.MAVLink_video_stream_status_message(number, running, stream.rate, *self.size, 0, 0, 0)

    def _settings(self, boot_ms: int) -> Any:
        return self._dialect.MAVLink_camera_settings_message(boot_ms, self._dialect.CAMERA_MODE_VIDEO, _NAN, _NAN)

    def _storage(self, boot_ms: int) -> Any:
        """There is none. Said as a message, for stations that would ask five times."""
        status = self._dialect.STORAGE_STATUS_NOT_SUPPORTED
        return self._dialect.MAVLink_storage_information_message(boot_ms, 1, 0, status, *(3 * [0.0]), _NAN, _NAN)

    def _capture_status(self, boot_ms: int) -> Any:
        """Neither images nor videos are taken by command."""
        return self._dialect.MAVLink_camera_capture_status_message(boot_ms, 0, 0, 0.0, 0, 0.0)


def _text(text: bytes) -> bytes:
    return text.ljust(32, b"\0")
