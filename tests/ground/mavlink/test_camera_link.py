from __future__ import annotations

import os
import random
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from eatrack_edge.core.errors import UsageError
from eatrack_edge.ground.mavlink.camera_link import CameraLink
from eatrack_edge.ground.mavlink.camera_options import MavlinkOptions
from eatrack_edge.session.commands import Select, Stop
from eatrack_edge.session.events import VehicleClockEvent
from ground.mavlink.live_camera import Autopilot, LiveCamera, Relay, free_port, wait_for
from ground.mavlink.qgroundcontrol import QGroundControl
from ground.mavlink.simulated_station import D, of

STATUS = "CAMERA_TRACKING_IMAGE_STATUS"
ACTIVE, IDLE = 1, 0


@pytest.fixture
def station() -> Iterator[QGroundControl]:
    opened = QGroundControl()
    yield opened
    opened.close()


def replay(station: QGroundControl, camera: LiveCamera) -> None:
    """The whole dialogue: discovery, a rectangle, a click, and stop."""
    information = station.discover()
    assert (information.resolution_h, information.resolution_v) == (64, 48)
    assert station.draw(0.25, 0.25, 0.5, 0.5) == D.MAV_RESULT_ACCEPTED
    (select,) = camera.commands
    assert isinstance(select, Select)
    assert select.box == (16.0, 12.0, 16.0, 12.0)
    assert len(camera.tracker.inits) == 1
    station.listen(2, lambda one: one.get_type() == STATUS)
    assert station.status.tracking_status == ACTIVE
    assert station.status.tracking_mode == D.CAMERA_TRACKING_MODE_RECTANGLE
    corners = (
        station.status.rec_top_x,
        station.status.rec_top_y,
        station.status.rec_bottom_x,
        station.status.rec_bottom_y,
    )
    assert corners == pytest.approx((0.25, 0.25, 0.5, 0.5))
    assert station.click(0.5, 0.6) == D.MAV_RESULT_ACCEPTED
    assert len(camera.tracker.inits) == len(camera.commands) == 2
    station.stop()
    station.listen(3, lambda one: one.get_type() == STATUS and one.tracking_status == IDLE)
    assert camera.commands[2:] == [Stop()] * (len(camera.commands) - 2)


def test_the_dialogue_of_qgroundcontrol_over_udp(station: QGroundControl) -> None:
    with LiveCamera(f"udpout:127.0.0.1:{station.port}") as camera, Autopilot(station.port):
        replay(station, camera)
        assert station.status.tracking_status == IDLE
        assert of(STATUS, station.listen(1.0)) == []  # silent after the interval of -1
    assert "MAVLink station 255/190 is there" in camera.stations


def test_the_rate_of_the_status_is_the_one_asked_for(station: QGroundControl) -> None:
    with LiveCamera(f"udpout:127.0.0.1:{station.port}"):
        station.discover()
        station.draw(0.25, 0.25, 0.5, 0.5)
        assert 5 <= len(of(STATUS, station.listen(3.0))) <= 8
        station.command(D.MAV_CMD_SET_MESSAGE_INTERVAL, 275, 50_000)
        assert 30 <= len(of(STATUS, station.listen(2.0))) <= 42


@pytest.mark.parametrize("seed", range(4))
def test_the_dialogue_holds_with_a_quarter_lost_and_a_tenth_doubled(station: QGroundControl, seed: int) -> None:
    with (
        Relay(station.port, loss=0.25, doubles=0.1, seed=seed) as relay,
        LiveCamera(f"udpout:127.0.0.1:{relay.port}") as camera,
    ):
        replay(station, camera)
        assert relay.lost
        assert relay.passed > 20


def test_a_camera_that_listens_answers_several_stations() -> None:
    port = free_port()
    near = QGroundControl(first=("127.0.0.1", port))
    far = QGroundControl(first=("127.0.0.1", port), system=254)
    with LiveCamera(f"udpin:127.0.0.1:{port}") as camera:
        for one in (near, far):
            one.discover()
        assert near.draw(0.25, 0.25, 0.5, 0.5) == D.MAV_RESULT_ACCEPTED
        far.listen(1.0, lambda one: one.get_type() == STATUS)
        assert far.status.tracking_status == ACTIVE  # the change is told to all
        assert far.draw(0.3, 0.3, 0.6, 0.6) == D.MAV_RESULT_ACCEPTED
        near.listen(0.5)
        assert near.status.rec_top_x == pytest.approx(0.3)
        assert len(camera.tracker.inits) == 2
    near.close()
    far.close()
    assert sorted(camera.stations) == ["MAVLink station 254/190 is there", "MAVLink station 255/190 is there"]


def test_a_station_that_starts_later_or_again_finds_the_camera() -> None:
    port = free_port()
    with LiveCamera(f"udpout:127.0.0.1:{port}") as camera:
        time.sleep(0.3)  # nobody listens: the network says so on every heartbeat
        for turn in range(2):
            station = QGroundControl(port)
            station.discover()
            assert station.draw(0.25, 0.25, 0.5, 0.5 + turn / 10) == D.MAV_RESULT_ACCEPTED
            station.close()
        assert len(camera.tracker.inits) == 2


def test_the_clock_of_the_own_vehicle_is_reported() -> None:
    port = free_port()
    with (
        LiveCamera(f"udpin:127.0.0.1:{port}", system=3) as camera,
        Autopilot(port, system=7),
        Autopilot(port, system=3),
    ):
        wait_for(lambda: camera.heard.of(VehicleClockEvent))
    (clock,) = camera.heard.of(VehicleClockEvent)
    assert (clock.unix_us, clock.boot_ms) == (1_700_000_000_000_000, 4321)


def test_the_number_of_another_vehicle_is_proposed() -> None:
    port = free_port()
    with LiveCamera(f"udpin:127.0.0.1:{port}") as camera, Autopilot(port, system=7):
        wait_for(lambda: camera.stations)
    text = "an autopilot of system 7 is there, this camera is of system 1: --mavlink-system 7 makes it that vehicle's"
    assert camera.stations == [text]


def test_ten_thousand_random_and_truncated_datagrams_select_nothing_and_the_camera_still_answers() -> None:
    port, rng = free_port(), random.Random(2)
    command = bytes(
        D.MAVLink_command_long_message(1, 100, 2005, 0, 0.1, 0.1, 0.3, 0.3, 0, 0, 0).pack(D.MAVLink(None, 255, 190))
    )
    with LiveCamera(f"udpin:127.0.0.1:{port}") as camera, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as noise:
        before = threading.active_count()
        for number in range(10_000):
            kind = number % 3
            if kind == 0:
                data = command[: rng.randrange(len(command))]
            elif kind == 1:
                data = rng.randbytes(rng.randrange(1, 300))
            else:
                damaged = bytearray(command)
                damaged[rng.randrange(len(damaged))] ^= 1 << rng.randrange(8)
                data = bytes(damaged)
            noise.sendto(data, ("127.0.0.1", port))
            if number % 50 == 0:
                time.sleep(0.005)  # else most are dropped before anybody reads them
        station = QGroundControl(first=("127.0.0.1", port))
        station.discover()
        assert camera.commands == []
        assert len(camera.links[0]._peers) == 1
        assert threading.active_count() == before
        assert station.draw(0.25, 0.25, 0.5, 0.5) == D.MAV_RESULT_ACCEPTED
        station.close()
    assert not [text for text in camera.stations if "lost" in text]


def heartbeats_over(descriptor_read: object, seconds: float = 5) -> int:
    """Packets of the camera that a stream delivers, by pymavlink's own parser."""
    parser, count, end = D.MAVLink(None), 0, time.monotonic() + seconds
    parser.robust_parsing = True
    while time.monotonic() < end and count < 2:
        data = descriptor_read()  # type: ignore[operator]
        count += len(of("HEARTBEAT", parser.parse_buffer(data) or []))
    return count


def test_a_serial_port_carries_the_dialogue_and_may_be_unplugged() -> None:
    ours, theirs = os.openpty()
    name = os.ttyname(theirs)
    with LiveCamera(f"serial:{name}:57600") as camera:
        assert heartbeats_over(lambda: os.read(ours, 500)) == 2
        command = D.MAVLink_command_long_message(1, 100, 2005, 0, 0.25, 0.25, 0.5, 0.5, 0, 0, 0)
        packet = command.pack(D.MAVLink(None, 255, 190))
        for place in range(0, len(packet), 7):  # in pieces, as a port delivers it
            os.write(ours, packet[place : place + 7])
        wait_for(lambda: len(camera.tracker.inits) == 1)
        os.close(ours)
        os.close(theirs)
        wait_for(lambda: any("is lost" in text for text in camera.stations))
        frames = len(camera.heard.events)
        wait_for(lambda: len(camera.heard.events) > frames + 5)  # tracking goes on


def test_a_tcp_server_that_dies_and_returns_is_found_again() -> None:
    port = free_port(socket.SOCK_STREAM)
    with LiveCamera(f"tcp:127.0.0.1:{port}") as camera:
        wait_for(lambda: any("cannot be opened: connection refused; trying again" in text for text in camera.stations))
        for _ in range(2):
            with socket.create_server(("127.0.0.1", port)) as server:
                accepted, _address = server.accept()
                with accepted:
                    assert heartbeats_over(lambda one=accepted: one.recv(500)) == 2
        wait_for(lambda: sum("is back" in text for text in camera.stations) >= 1)


def test_stations_connect_to_a_tcp_server_and_leave_it() -> None:
    port = free_port(socket.SOCK_STREAM)
    with (
        LiveCamera(f"tcpin:127.0.0.1:{port}") as camera,
        socket.create_connection(("127.0.0.1", port)) as one,
        socket.create_connection(("127.0.0.1", port)) as other,
    ):
        other.close()
        assert heartbeats_over(lambda: one.recv(500)) == 2
        command = D.MAVLink_command_long_message(1, 100, 2005, 0, 0.25, 0.25, 0.5, 0.5, 0, 0, 0)
        one.sendall(command.pack(D.MAVLink(None, 255, 190)))
        wait_for(lambda: len(camera.tracker.inits) == 1)
    assert not [text for text in camera.stations if "lost" in text]


@pytest.fixture
def two_stations(station: QGroundControl) -> Iterator[tuple[LiveCamera, QGroundControl, QGroundControl]]:
    """A camera and two stations that have found it, each on a link of its own."""
    port = free_port()
    other = QGroundControl(first=("127.0.0.1", port), system=254)
    with LiveCamera(f"udpout:127.0.0.1:{station.port}", f"udpin:127.0.0.1:{port}") as camera:
        station.discover()
        other.discover()
        yield camera, station, other
    other.close()


def test_several_links_are_one_camera_for_the_session(
    two_stations: tuple[LiveCamera, QGroundControl, QGroundControl],
) -> None:
    camera, station, other = two_stations
    station.draw(0.25, 0.25, 0.5, 0.5)
    other.listen(1.0, lambda one: one.get_type() == STATUS)
    assert other.status.tracking_status == ACTIVE
    assert other.draw(0.3, 0.3, 0.6, 0.6) == D.MAV_RESULT_ACCEPTED
    assert len(camera.tracker.inits) == 2


def test_two_stations_that_select_at_once_each_get_their_own_answer(
    two_stations: tuple[LiveCamera, QGroundControl, QGroundControl],
) -> None:
    """On links of their own: the session refuses one of the two, and its events go to both links."""
    camera, station, other = two_stations
    for _ in range(5):
        camera.tracker.refuses_above = 15.0  # px: the larger box
        done = len(camera.commands) + 2
        for one, edge in ((station, 0.9), (other, 0.3)):
            rectangle = (0.1, 0.1, edge, edge, 0, 0, 0)
            one.send(D.MAVLink_command_long_message(1, one.camera, 2005, 0, *rectangle))
        wait_for(lambda done=done: len(camera.commands) == done)
        for one, expected in ((station, D.MAV_RESULT_DENIED), (other, D.MAV_RESULT_ACCEPTED)):
            acks = of("COMMAND_ACK", one.listen(5, lambda came: came.get_type() == "COMMAND_ACK"))
            assert [ack.result for ack in acks] == [expected]
            assert of("COMMAND_ACK", one.listen(0.3)) == []
        time.sleep(2.0)  # the same rectangle is a repetition before


@pytest.mark.parametrize(
    ("connection", "message"),
    [
        pytest.param("udp:127.0.0.1:14550", "no MAVLink connection is called `udp:127.0.0.1:14550`", id="in or out"),
        pytest.param("14550", "no MAVLink connection is called `14550`", id="a port alone"),
        pytest.param("udpout:127.0.0.1", "a MAVLink connection of udpout needs a host and a port, got `udpout:127.0.0.1`", id="no port"),
        pytest.param("udpin::14550", "a MAVLink connection of udpin needs a host and a port, got `udpin::14550`", id="no host"),
        pytest.param("tcp:host:99999", "a MAVLink connection of tcp needs a host and a port, got `tcp:host:99999`", id="no such port"),
        pytest.param("serial:", "a MAVLink connection of serial needs a device and bits per second, got `serial:`", id="no device"),
    ],
)  # fmt: skip
def test_a_connection_that_is_none_is_refused(connection: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        CameraLink(connection, MavlinkOptions(), print, print)
    assert caught.value.message == message
    assert caught.value.hint.startswith("for example: udpout:192.168.144.11:14550")
