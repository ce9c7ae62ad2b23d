"""Pointing a gimbal: when it moves, and above all when it does not. A simulated manager, and one over real UDP."""

from __future__ import annotations

import math
import socket
import time
from typing import Any

import pytest

from eatrack_edge.core.boxes import Box
from eatrack_edge.core.errors import ConfigError
from eatrack_edge.ground.mavlink.camera_options import MavlinkOptions
from eatrack_edge.ground.mavlink.gimbal import Gimbal
from eatrack_edge.session.commands import Select, Stop
from eatrack_edge.session.events import EndEvent, Event, SelectionEvent, SourceLostEvent, StateEvent, StationEvent
from ground.mavlink.live_camera import LiveCamera, wait_for
from ground.mavlink.simulated_station import PEER, D, frame_event, of

ATTITUDE, LONG = "GIMBAL_MANAGER_SET_ATTITUDE", "COMMAND_LONG"
CONFIGURE = D.MAV_CMD_DO_GIMBAL_MANAGER_CONFIGURE
OURS, PILOT = (1, 100), (255, 190)
RIGHT: Box = (440.0, 216.0, 80.0, 48.0)  # its centre is a quarter of the width to the right, of 640x480


class Manager:
    """A gimbal's manager at the other end, whose messages are packed and decoded as on the wire."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.gimbal = Gimbal(D, MavlinkOptions(gimbal=True), self.events.append)
        self.now_s = 1000.0
        self.controller = (0, 0)
        self.is_silent = False
        self.box: Box | None = RIGHT
        self.state = ""  # of the frames that come; none come where it is empty

    def send(self, message: Any, sender: tuple[int, int] = (1, 1)) -> None:
        packer = D.MAVLink(None, *sender)
        self.gimbal.receive(packer.decode(bytearray(message.pack(packer))), PEER, self.now_s)

    def see(self, event: Event) -> list[Any]:
        return _read([one.message for one in self.gimbal.observe(event, self.now_s)])

    def wait(self, seconds: float) -> list[Any]:
        """Frames come 20 times a second, the manager's status 5 times; what is sent meanwhile."""
        sent: list[Any] = []
        for turn in range(round(seconds / 0.05)):
            self.now_s += 0.05
            if not self.is_silent and turn % 4 == 0:
                self.send(D.MAVLink_gimbal_manager_status_message(0, 0, 1, *self.controller, 0, 0))
            if self.state:
                sent += self.see(frame_event(self.state, self.box))
            sent += _read([one.message for one in self.gimbal.due(self.now_s)])
        return sent

    def point(self) -> list[Any]:
        """A target is selected and control given; what is sent in two seconds of it."""
        self.wait(0.2)
        self.see(SelectionEvent(7, "", False, 0, RIGHT))
        self.state = "TRACKING"
        (ask,) = self.wait(0.2)
        assert (ask.command, ask.param1, ask.param2) == (CONFIGURE, *OURS)
        self.controller = OURS
        return self.wait(2.0)

    @property
    def said(self) -> str:
        return " | ".join(event.text for event in self.events if isinstance(event, StationEvent))


def _read(messages: list[Any]) -> list[Any]:
    """As the manager reads them. Nothing else than these two is ever sent."""
    packer = D.MAVLink(None, *OURS)
    read = [packer.decode(bytearray(message.pack(packer))) for message in messages]
    assert {one.get_type() for one in read} <= {ATTITUDE, LONG}
    assert all(one.command == CONFIGURE for one in of(LONG, read))
    return read


def rates(messages: list[Any]) -> list[tuple[float, float]]:
    """Up and to the right, degrees per second."""
    return [
        (round(math.degrees(one.angular_velocity_y), 3), round(math.degrees(one.angular_velocity_z), 3))
        for one in of(ATTITUDE, messages)
    ]


@pytest.fixture
def manager() -> Manager:
    return Manager()


def test_it_turns_towards_the_target_at_a_rate_that_rises_slowly(manager: Manager) -> None:
    sent = manager.point()
    assert 10 <= len(of(ATTITUDE, sent)) <= 40
    first = of(ATTITUDE, sent)[0]
    assert all(math.isnan(value) for value in first.q)
    assert (first.angular_velocity_x, first.target_system, first.target_component) == (0.0, 1, 1)
    assert rates(sent)[:5] == [(0.0, 4.0), (0.0, 8.0), (0.0, 12.0), (0.0, 15.0), (0.0, 15.0)]  # 15 degrees off


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        pytest.param((280.0, 216.0, 80.0, 48.0), (0.0, 0.0), id="in the middle"),
        pytest.param((292.0, 216.0, 80.0, 48.0), (0.0, 0.0), id="inside the dead band"),
        pytest.param((0.0, 216.0, 8.0, 48.0), (0.0, -20.0), id="far left: the limit"),
        pytest.param((280.0, 432.0, 80.0, 48.0), (-20.0, 0.0), id="below: pitch down"),
        pytest.param((280.0, 136.0, 80.0, 48.0), (7.5, 0.0), id="above: pitch up"),
    ],
)
def test_the_rate_has_a_dead_band_and_a_limit(manager: Manager, box: Box, expected: tuple[float, float]) -> None:
    manager.box = box
    assert rates(manager.point())[-1] == expected


@pytest.mark.parametrize("state", ["UNCERTAIN", "LOST", "REACQUIRED", "SOMETHING_NEW"])
def test_the_rate_is_zero_at_once_when_it_is_not_tracking(manager: Manager, state: str) -> None:
    manager.point()
    assert rates(manager.see(StateEvent(state, "TRACKING", 8, 0))) == [(0.0, 0.0)]
    manager.state = state
    assert set(rates(manager.wait(3.0))) == {(0.0, 0.0)}
    manager.state = "TRACKING"
    assert rates(manager.wait(0.3))[-1] != (0.0, 0.0)


def test_a_frame_without_a_box_stops_it_at_once(manager: Manager) -> None:
    manager.point()
    assert rates(manager.see(frame_event("TRACKING", None))) == [(0.0, 0.0)]


def test_a_second_without_frames_and_a_lost_source_stop_it(manager: Manager) -> None:
    manager.point()
    manager.state = ""
    silent = rates(manager.wait(2.0))
    assert silent[0] != (0.0, 0.0)
    assert set(silent[12:]) == {(0.0, 0.0)}
    manager.state = "TRACKING"
    manager.wait(0.5)
    assert rates(manager.see(SourceLostEvent("unplugged", 0))) == [(0.0, 0.0)]
    manager.state = ""
    assert set(rates(manager.wait(1.0))) == {(0.0, 0.0)}


@pytest.mark.parametrize("event", [StateEvent("WAITING", "TRACKING", 9, 0), EndEvent({})], ids=["stop", "end"])
def test_stop_and_the_end_send_zero_and_give_control_back(manager: Manager, event: Event) -> None:
    manager.point()
    zero, back = manager.see(event)
    assert rates([zero]) == [(0.0, 0.0)]
    assert (back.command, back.param1, back.param2) == (CONFIGURE, -3, -3)
    assert manager.wait(2.0) == []  # a late frame moves nothing


def test_it_yields_at_once_when_another_takes_control_until_the_next_selection(manager: Manager) -> None:
    manager.point()
    manager.controller = PILOT
    assert rates(manager.wait(3.0)) == []
    assert "255/190 has taken control of the gimbal" in manager.said
    manager.see(SelectionEvent(9, "", True, 0))  # refused: no selection
    assert manager.wait(1.0) == []
    manager.see(SelectionEvent(9, "", False, 0, RIGHT))
    assert [one.command for one in manager.wait(0.3)] == [CONFIGURE]


def test_without_a_selection_or_with_control_refused_or_unconfirmed_nothing_moves(manager: Manager) -> None:
    manager.controller, manager.state = OURS, "TRACKING"
    assert manager.wait(2.0) == []  # control that nobody asked for
    manager.controller = (0, 0)
    manager.see(SelectionEvent(9, "", False, 0, RIGHT))
    assert len(of(LONG, manager.wait(0.5))) == 1
    manager.send(D.MAVLink_command_ack_message(CONFIGURE, D.MAV_RESULT_DENIED, 0, 0, *OURS))
    assert manager.wait(10.0) == []
    assert "refuses control, result 2" in manager.said
    manager.see(SelectionEvent(9, "", False, 0, RIGHT))
    sent = manager.wait(15.0)  # no answer, and the status never names us
    assert [one.confirmation for one in of(LONG, sent)] == [0, 1, 2]
    assert of(ATTITUDE, sent) == []
    assert "gives no control" in manager.said


def test_a_manager_that_falls_silent_or_is_of_another_vehicle_is_not_obeyed(manager: Manager) -> None:
    manager.send(D.MAVLink_gimbal_manager_status_message(0, 0, 1, *PILOT, 0, 0), sender=(2, 1))
    manager.is_silent, manager.state = True, "TRACKING"
    manager.see(SelectionEvent(9, "", False, 0, RIGHT))
    assert manager.wait(2.0) == []
    manager.is_silent, manager.state = False, ""
    manager.point()
    manager.is_silent = True
    assert set(rates(manager.wait(8.0))[60:]) == {(0.0, 0.0)}


def test_a_field_of_view_that_no_lens_has_is_refused() -> None:
    with pytest.raises(ConfigError, match="gimbal_view_deg must be 1 to 170, got 0"):
        MavlinkOptions(gimbal_view_deg=0)


class UdpManager:
    """An autopilot with a gimbal's manager: pymavlink's packer and parser on a socket, in the test's thread."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.settimeout(0.02)
        self.port: int = self._socket.getsockname()[1]
        self._mav = D.MAVLink(None, 1, 1)
        self._camera: Any = None
        self.controller = (0, 0)
        self.came: list[Any] = []

    def fly(self, seconds: float) -> list[Any]:
        """Answer for a while; what came from the camera meanwhile."""
        before, end, due_s = len(self.came), time.monotonic() + seconds, 0.0
        while (now_s := time.monotonic()) < end:
            if now_s >= due_s and self._camera:
                due_s = now_s + 0.2
                self._send(D.MAVLink_gimbal_manager_status_message(0, 0, 1, *self.controller, 0, 0))
            try:
                data, self._camera = self._socket.recvfrom(4096)
            except TimeoutError:
                continue
            for message in self._mav.parse_buffer(data) or []:
                self.came.append(message)
                if message.get_type() == LONG:
                    given = (int(message.param1), int(message.param2))
                    self.controller = (0, 0) if given == (-3, -3) else given
                    self._send(D.MAVLink_command_ack_message(message.command, 0, 0, 0, *OURS))
        return self.came[before:]

    def _send(self, message: Any) -> None:
        self._socket.sendto(message.pack(self._mav), self._camera)

    def close(self) -> None:
        self._socket.close()


@pytest.mark.parametrize("gimbal", [False, True], ids=["off by default", "on"])
def test_a_gimbal_over_udp_is_turned_stopped_and_given_back(gimbal: bool) -> None:
    manager = UdpManager()
    options = {"gimbal": True} if gimbal else {}
    with LiveCamera(f"udpout:127.0.0.1:{manager.port}", **options) as camera:
        manager.fly(1.0)
        camera.session.commands.put(Select((40.0, 20.0, 16.0, 8.0)))  # of 64x48: right of the middle
        wait_for(lambda: camera.tracker.updates)
        moving = manager.fly(3.0)
        camera.tracker.confidence = 0.1  # UNCERTAIN
        manager.fly(0.5)
        uncertain = manager.fly(1.0)
        camera.session.commands.put(Stop())
        manager.fly(1.0)
        after = manager.fly(1.0)
    sent = {one.get_type() for one in manager.came} - {
        "HEARTBEAT",
        "CAMERA_INFORMATION",
        "CAMERA_TRACKING_IMAGE_STATUS",
    }
    manager.close()
    assert of(ATTITUDE, after) == []
    if not gimbal:
        assert sent == set()
        return
    assert sent == {ATTITUDE, LONG}
    assert {one.command for one in of(LONG, manager.came)} == {CONFIGURE}
    assert max(right for _, right in rates(moving)) > 5
    assert set(rates(uncertain)) == {(0.0, 0.0)}
    assert manager.controller == (0, 0)
