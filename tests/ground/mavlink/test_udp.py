from __future__ import annotations

import errno
import socket

import pytest

from eatrack_edge.ground.mavlink.connections import ConnectionLost, parse_address
from eatrack_edge.ground.mavlink.udp import UdpIn, UdpOut
from ground.mavlink.live_camera import free_port


def test_a_network_that_goes_away_is_a_loss_and_a_station_that_is_not_there_is_none() -> None:
    link = UdpOut(parse_address(f"udpout:127.0.0.1:{free_port()}"))
    for _ in range(5):
        link.send(b"x", None)
        assert link.receive(0.01) == []

    class Gone:
        def send(self, _data: bytes) -> int:
            raise OSError(errno.ENETUNREACH, "Network is unreachable")

    link._socket, opened = Gone(), link._socket  # type: ignore[assignment]  # a test cannot pull the cable
    with pytest.raises(ConnectionLost, match="network is unreachable"):
        link.send(b"x", None)
    opened.close()


def test_a_name_that_nobody_knows_is_a_loss() -> None:
    with pytest.raises(ConnectionLost):
        UdpOut(parse_address("udpout:no-such-station.invalid:14550"))


def test_a_port_that_is_taken_is_a_loss() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        with pytest.raises(ConnectionLost, match="address already in use"):
            UdpIn(parse_address(f"udpin:127.0.0.1:{other.getsockname()[1]}"))


def test_the_own_address_is_the_one_that_the_peer_reaches() -> None:
    link = UdpIn(parse_address(f"udpin:0.0.0.0:{free_port()}"))
    assert link.local_host(("127.0.0.1", 14550)) == "127.0.0.1"
    link.close()


def test_ipv6_is_written_in_brackets() -> None:
    try:
        link = UdpIn(parse_address(f"udpin:[::1]:{free_port()}"))
    except ConnectionLost:
        pytest.skip("this machine has no IPv6")
    link.close()
