"""QGroundControl's side of the camera dialogue, replayed as its sources have it, with times shortened.

Sources: ``src/Camera/QGCCameraManager.cc``, ``CameraDiscoveryStateMachine.cc``, ``VehicleCameraControl.cc`` and
``src/Vehicle/MavCommandQueue`` of mavlink/qgroundcontrol. Packets are read with pymavlink's own parser.
"""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from typing import Any

from ground.mavlink.simulated_station import D, of

TRIES = 10  # QGroundControl tries 3 to 10 times, by command


class QGroundControl:
    """Listens on UDP as QGroundControl does, and answers whoever wrote.

    Args:
        port: To listen on; 0 chooses one.
        try_s: Wait for an answer before the next try; QGroundControl waits 1 to 3 s.
        first: Address that is written to before anybody wrote, as of a link that the pilot added by hand.
        system: Its number.
    """

    def __init__(
        self, port: int = 0, *, try_s: float = 0.3, first: tuple[str, int] | None = None, system: int = 255
    ) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", port))
        self._socket.settimeout(0.01)
        self.port: int = self._socket.getsockname()[1]
        self._peers = {first} if first else set()
        self._packer, self._parser = D.MAVLink(None, system, 190), D.MAVLink(None)
        self._parser.robust_parsing = True
        self._try_s, self._heartbeat_s = try_s, 0.0
        self.seen: list[Any] = []
        self.camera = 0  # component

    def close(self) -> None:
        self._socket.close()

    def send(self, message: Any) -> None:
        data = message.pack(self._packer)
        self._packer.seq = (self._packer.seq + 1) % 256
        for peer in self._peers:
            self._socket.sendto(data, peer)

    def listen(self, seconds: float, until: Callable[[Any], bool] = lambda _: False) -> list[Any]:
        """The camera's messages of the next seconds, or until one that fits."""
        found, end = [], time.monotonic() + seconds
        while (now := time.monotonic()) < end:
            if now >= self._heartbeat_s:
                self._heartbeat_s = now + 1
                self.send(
                    D.MAVLink_heartbeat_message(D.MAV_TYPE_GCS, D.MAV_AUTOPILOT_INVALID, 0, 0, D.MAV_STATE_ACTIVE, 3)
                )
            try:
                data, peer = self._socket.recvfrom(4096)
            except OSError:
                continue
            self._peers.add(peer)
            came = self._parser.parse_buffer(data) or []
            found += [one for one in came if one.get_srcSystem() == 1 and one.get_srcComponent() in range(100, 106)]
            if any(map(until, found)):
                break
        self.seen += found
        return found

    def command(self, number: int, *parameters: float, tries: int = TRIES) -> tuple[int, list[Any]]:
        """Send a command until it is acknowledged; the result, and all that came meanwhile."""
        came: list[Any] = []
        for confirmation in range(tries):
            values = [*parameters, *(7 * [0.0])][:7]
            self.send(D.MAVLink_command_long_message(1, self.camera, number, confirmation, *values))
            came += self.listen(self._try_s, lambda one: one.get_type() == "COMMAND_ACK" and one.command == number)
            acks = [one for one in of("COMMAND_ACK", came) if one.command == number]
            if acks and acks[-1].result != D.MAV_RESULT_IN_PROGRESS:
                return int(acks[-1].result), came
        raise AssertionError(f"command {number} was never acknowledged")

    def ask(self, message_id: int, kind: str, *old: float) -> Any:
        """Ask for a message until it comes: on even tries by REQUEST_MESSAGE, on odd ones by the old command."""
        for attempt in range(TRIES):
            command = (D.MAV_CMD_REQUEST_MESSAGE, message_id) if attempt % 2 == 0 or not old else old
            result, came = self.command(int(command[0]), *command[1:])
            assert result == D.MAV_RESULT_ACCEPTED
            came += self.listen(0 if of(kind, came) else self._try_s, lambda one: one.get_type() == kind)
            if of(kind, came):
                return of(kind, came)[-1]
        raise AssertionError(f"{kind} never came")

    def discover(self) -> Any:
        """Rows 0 to 6 of the table in docs/mavlink.md: the camera's information."""
        beats = of("HEARTBEAT", self.listen(5, lambda one: one.get_type() == "HEARTBEAT"))
        assert beats, "no heartbeat of a camera within 5 s"
        assert (beats[0].type, beats[0].autopilot) == (D.MAV_TYPE_CAMERA, D.MAV_AUTOPILOT_INVALID)
        self.camera = beats[0].get_srcComponent()
        information = self.ask(259, "CAMERA_INFORMATION", 521, 1)
        assert information.flags & (D.CAMERA_CAP_FLAGS_HAS_TRACKING_RECTANGLE | D.CAMERA_CAP_FLAGS_HAS_TRACKING_POINT)
        assert not information.cam_definition_uri  # a basic camera: no parameters are asked for
        self.ask(260, "CAMERA_SETTINGS", 522, 1)
        if information.flags & D.CAMERA_CAP_FLAGS_HAS_VIDEO_STREAM:
            stream = self.ask(269, "VIDEO_STREAM_INFORMATION", 2504, 0)
            assert (stream.stream_id, stream.count, stream.uri) == (1, 1, "rtsp://127.0.0.1:8554/eatrack")
        self.ask(262, "CAMERA_CAPTURE_STATUS", 527, 1)
        self.ask(261, "STORAGE_INFORMATION", 525, 0, 1)
        return information

    def draw(self, left: float, top: float, right: float, bottom: float) -> int:
        """Rows 8 and 9: drag a rectangle, and ask for the status twice a second."""
        result, _ = self.command(D.MAV_CMD_CAMERA_TRACK_RECTANGLE, left, top, right, bottom)
        assert self.command(D.MAV_CMD_SET_MESSAGE_INTERVAL, 275, 500_000)[0] == D.MAV_RESULT_ACCEPTED
        return result

    def click(self, x: float, y: float) -> int:
        """Row 8 with a click: the radius is 20 px of a picture 1280 px wide."""
        result, _ = self.command(D.MAV_CMD_CAMERA_TRACK_POINT, x, y, 20 / 1280)
        assert self.command(D.MAV_CMD_SET_MESSAGE_INTERVAL, 275, 500_000)[0] == D.MAV_RESULT_ACCEPTED
        return result

    def stop(self) -> None:
        """Row 11."""
        assert self.command(D.MAV_CMD_CAMERA_STOP_TRACKING)[0] == D.MAV_RESULT_ACCEPTED
        assert self.command(D.MAV_CMD_SET_MESSAGE_INTERVAL, 275, -1)[0] == D.MAV_RESULT_ACCEPTED

    @property
    def status(self) -> Any:
        """The newest tracking status."""
        return of("CAMERA_TRACKING_IMAGE_STATUS", self.seen)[-1]
