"""What a camera says of itself, as MAVLink messages by number."""

from __future__ import annotations

import math
from types import ModuleType
from typing import Any

from eatrack_edge.ground.mavlink.announced_stream import AnnouncedStream

_VENDOR, _MODEL = b"eatrack-edge", b"target tracker"
_NAN = math.nan


class CameraMessages:
    """Builds the messages that stations ask a camera for.

    Args:
        dialect: pymavlink's messages.
        stream: The video that stations can show; ``None`` announces none.

    Attributes:
        size: Width and height of the picture, px; zeros before the first frame.
    """

    def __init__(self, dialect: ModuleType, stream: AnnouncedStream | None) -> None:
        self._dialect, self._stream = dialect, stream
        self.size = (0, 0)
        self._by_id = {
            dialect.MAVLINK_MSG_ID_CAMERA_INFORMATION: self.information,
            dialect.MAVLINK_MSG_ID_CAMERA_SETTINGS: self._settings,
            dialect.MAVLINK_MSG_ID_STORAGE_INFORMATION: self._storage,
            dialect.MAVLINK_MSG_ID_CAMERA_CAPTURE_STATUS: self._capture_status,
        }
        if stream is not None:
            self._by_id[dialect.MAVLINK_MSG_ID_VIDEO_STREAM_INFORMATION] = self.stream_information
            self._by_id[dialect.MAVLINK_MSG_ID_VIDEO_STREAM_STATUS] = self._stream_status

    @property
    def has_stream(self) -> bool:
        """Whether a video stream is announced."""
        return self._stream is not None

    def build(self, message_id: int, host: str, boot_ms: int) -> Any | None:
        """The message of that number; ``None`` where this camera has none.

        Args:
            message_id: MAVLink's number.
            host: This machine's address as the station reaches it; empty where that is unknown.
            boot_ms: Milliseconds since the start.
        """
        make = self._by_id.get(message_id)
        return None if make is None else make(host, boot_ms)

    def information(self, host: str, boot_ms: int) -> Any:
        """``CAMERA_INFORMATION``. Only what is served is in the flags: ArduPilot asks once a second for the rest."""
        del host
        flags = self._dialect.CAMERA_CAP_FLAGS_HAS_TRACKING_POINT
        flags |= self._dialect.CAMERA_CAP_FLAGS_HAS_TRACKING_RECTANGLE
        if self.has_stream:
            flags |= self._dialect.CAMERA_CAP_FLAGS_HAS_VIDEO_STREAM
        # Firmware 0: stations read its bytes in opposite orders. Focal length and sensor are the source's, and unknown.
        return self._dialect.MAVLink_camera_information_message(
            boot_ms, _text(_VENDOR, 32), _text(_MODEL, 32), 0, _NAN, _NAN, _NAN, *self.size, 0, flags, 0, b""
        )

    def stream_information(self, host: str, boot_ms: int) -> Any:
        """``VIDEO_STREAM_INFORMATION`` of the only stream, which is number 1."""
        del boot_ms
        stream, flags = self._stream, self._dialect
        assert stream is not None
        kind, uri = stream.kind_and_uri(host)
        return flags.MAVLink_video_stream_information_message(
            *(1, 1, getattr(flags, f"VIDEO_STREAM_TYPE_{kind}"), flags.VIDEO_STREAM_STATUS_FLAGS_RUNNING),
            *(stream.rate, *self.size, 0, 0, 0, _text(_VENDOR, 32), uri.encode()[:159] + b"\0"),
            flags.VIDEO_STREAM_ENCODING_H264 if stream.is_h264 else flags.VIDEO_STREAM_ENCODING_UNKNOWN,
        )

    def _stream_status(self, host: str, boot_ms: int) -> Any:
        del host, boot_ms
        assert self._stream is not None
        running = self._dialect.VIDEO_STREAM_STATUS_FLAGS_RUNNING
        return self._dialect.MAVLink_video_stream_status_message(1, running, self._stream.rate, *self.size, 0, 0, 0)

    def _settings(self, host: str, boot_ms: int) -> Any:
        del host
        return self._dialect.MAVLink_camera_settings_message(boot_ms, self._dialect.CAMERA_MODE_VIDEO, _NAN, _NAN)

    def _storage(self, host: str, boot_ms: int) -> Any:
        """There is none. Said as a message, for stations that would ask five times."""
        del host
        status = self._dialect.STORAGE_STATUS_NOT_SUPPORTED
        return self._dialect.MAVLink_storage_information_message(boot_ms, 1, 0, status, *(3 * [0.0]), _NAN, _NAN)

    def _capture_status(self, host: str, boot_ms: int) -> Any:
        """Neither images nor videos are taken by command."""
        del host
        return self._dialect.MAVLink_camera_capture_status_message(boot_ms, 0, 0, 0.0, 0, 0.0)


def _text(text: bytes, size: int) -> bytes:
    return text.ljust(size, b"\0")
