"""Close RTSP servers that six clients ask all the time, then print how many threads are left of them."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress
from pathlib import Path

from eatrack_edge.outputs import rtsp_server
from eatrack_edge.outputs.live_stream import StreamOptions, parse_address, plan_for
from sources.streams import free_port

SERVERS, CLIENTS = 10, 6


def ask(port: int) -> None:
    """Send one request after another until the server is gone."""
    request = f"OPTIONS rtsp://127.0.0.1:{port}/eatrack RTSP/1.0\r\nCSeq: 1\r\n\r\n".encode()
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        while True:
            connection.sendall(request)
            if not connection.recv(2048):
                return


def main() -> None:
    before = len(list(Path("/proc/self/task").iterdir()))
    for _ in range(SERVERS):
        port = free_port()
        address = parse_address(f"rtsp://127.0.0.1:{port}/eatrack")
        way = rtsp_server.choose(address, StreamOptions())[-1]
        server = way.connect(plan_for((320, 240), StreamOptions(), is_hardware=False))
        clients = [threading.Thread(target=ask, args=(port,)) for _ in range(CLIENTS)]
        for client in clients:
            client.start()
        time.sleep(0.15)
        server.close()
        for client in clients:
            client.join()
    time.sleep(0.5)  # GLib keeps idle threads for that long
    print(len(list(Path("/proc/self/task").iterdir())) - before)


main()
