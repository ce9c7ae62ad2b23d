from __future__ import annotations

import socket
import time

from eatrack_edge.ground.mavlink.connections import parse_address
from eatrack_edge.ground.mavlink.tcp import TcpServer
from ground.mavlink.live_camera import free_port


def test_a_station_that_does_not_read_is_cut_off_and_delays_nobody() -> None:
    port = free_port(socket.SOCK_STREAM)
    server = TcpServer(parse_address(f"tcpin:127.0.0.1:{port}"))
    stuck, reading = (socket.create_connection(("127.0.0.1", port)) for _ in range(2))
    while len(server.known_peers) < 2:
        server.receive(0.1)
    peer, other = stuck.getsockname(), reading.getsockname()
    begin, sent = time.monotonic(), 0
    while peer in server.known_peers and sent < 20_000_000:
        server.send(b"x" * 4096, peer)
        server.send(b"y", other)
        server.receive(0)
        sent += 4096
    assert server.known_peers == (other,)
    assert time.monotonic() - begin < 10
    assert reading.recv(4096).startswith(b"y")
    for one in (stuck, reading, server):
        one.close()


def test_more_stations_than_sixteen_are_not_let_in() -> None:
    port = free_port(socket.SOCK_STREAM)
    server = TcpServer(parse_address(f"tcpin:127.0.0.1:{port}"))
    stations = [socket.create_connection(("127.0.0.1", port)) for _ in range(20)]
    for _ in range(25):
        server.receive(0.01)
    assert len(server.known_peers) == 16
    assert stations[-1].recv(10) == b""  # closed at once
    for one in (*stations, server):
        one.close()
