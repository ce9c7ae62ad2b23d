"""Stations that somebody else wrote: MAVSDK, and MAVProxy as a router between it and the camera."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest

from ground.mavlink.live_camera import Autopilot, LiveCamera, Relay, free_port, wait_for

mavsdk = pytest.importorskip("mavsdk.mavsdk", reason="needs mavsdk: pip install mavsdk")
MAVPROXY = os.environ.get("EATRACK_MAVPROXY") or shutil.which("mavproxy.py")
STATUS = "CAMERA_TRACKING_IMAGE_STATUS"


class Station:
    """MAVSDK's camera plugin."""

    def __init__(self, core: Any, system: Any) -> None:
        from mavsdk.plugins.camera import Camera
        from mavsdk.plugins.mavlink_direct import MavlinkDirect

        self._core, self.camera, self._direct = core, Camera(system), MavlinkDirect(system)
        self.cameras: list[Any] = []
        self.status: list[dict[str, Any]] = []
        self.streams: list[Any] = []
        self.camera.subscribe_camera_list(lambda found, *_: self.cameras.append(found))
        self._direct.subscribe_message(STATUS, lambda message, *_: self.status.append(json.loads(message.fields_json)))

    @property
    def component(self) -> int:
        """The first camera's."""
        wait_for(lambda: self.cameras and self.cameras[-1].cameras)
        return int(self.cameras[-1].cameras[0].component_id)

    def direct(self, command: int, *parameters: float) -> None:
        """Send any command."""
        from mavsdk.plugins.mavlink_direct.mavlink_direct import MavlinkMessage

        values = {f"param{place + 1}": value for place, value in enumerate([*parameters, *(7 * [0.0])][:7])}
        fields = {"target_system": 1, "target_component": 100, "command": command, "confirmation": 0, **values}
        self._direct.send_message(MavlinkMessage("COMMAND_LONG", 245, 190, 1, 100, json.dumps(fields)))


@contextmanager
def station(port: int) -> Iterator[Station]:
    core = mavsdk.Mavsdk(mavsdk.Configuration.create_with_component_type(_ground_station()))
    try:
        core.add_any_connection(f"udpin://127.0.0.1:{port}")
        wait_for(lambda: any(system.has_camera(-1) for system in core.get_systems()), 15)
        yield Station(core, core.get_systems()[0])
    finally:
        core.destroy()


def _ground_station() -> Any:
    from mavsdk.component_type import ComponentType

    return ComponentType.GROUND_STATION


def check(with_station: Station, camera: LiveCamera) -> None:
    number = with_station.component
    assert number == 100
    with_station.camera.track_rectangle(number, 0.25, 0.25, 0.5, 0.5)
    assert len(camera.tracker.inits) == 1
    with pytest.raises(Exception, match="DENIED"):
        with_station.camera.track_rectangle(number, 0.5, 0.25, 0.25, 0.5)
    with_station.camera.track_point(number, 0.5, 0.5, 0.1)
    assert len(camera.tracker.inits) == 2
    with_station.direct(511, 275, 500_000)
    wait_for(lambda: len(with_station.status) > 2)
    before = len(with_station.status)
    time.sleep(3)
    assert 5 <= len(with_station.status) - before <= 8
    assert with_station.status[-1]["tracking_status"] == 1
    with_station.camera.track_stop(number)
    wait_for(lambda: with_station.status[-1]["tracking_status"] == 0)


def test_mavsdk_discovers_selects_is_refused_watches_and_stops() -> None:
    port = free_port()
    with LiveCamera(f"udpout:127.0.0.1:{port}") as camera, Autopilot(port), station(port) as mine:
        check(mine, camera)


def test_what_mavsdk_sends_again_is_carried_out_once() -> None:
    from mavsdk.plugins.camera import CameraError

    port = free_port()
    with (
        Relay(port, loss=0.3, doubles=0.1, seed=4) as relay,
        LiveCamera(f"udpout:127.0.0.1:{relay.port}") as camera,
        Autopilot(port),
        station(port) as mine,
    ):
        for turn in range(6):
            with suppress(CameraError):  # a timeout, where every answer was lost
                mine.camera.track_rectangle(mine.component, 0.25, 0.25, 0.5, 0.5 + turn / 50)
        # Each turn has a box of its own. One whose answers were lost may be carried out late, but never again.
        boxes = [box for _, box in camera.tracker.inits]
        assert len(boxes) == len(set(boxes)) >= 4


@pytest.mark.skipif(not MAVPROXY, reason="needs MAVProxy's mavproxy.py on the PATH, or in EATRACK_MAVPROXY")
def test_mavsdk_selects_through_mavproxy_as_a_router() -> None:
    inner, outer = free_port(), free_port()
    assert MAVPROXY is not None
    command = [MAVPROXY, f"--master=udpin:127.0.0.1:{inner}", f"--out=udpout:127.0.0.1:{outer}", "--mav20"]
    router = subprocess.Popen(
        [*command, "--non-interactive", "--daemon", "--nowait", "--default-modules=link"],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/tmp",
    )
    try:
        with LiveCamera(f"udpout:127.0.0.1:{inner}") as camera, Autopilot(inner), station(outer) as mine:
            check(mine, camera)
    finally:
        router.terminate()
        router.wait(10)
