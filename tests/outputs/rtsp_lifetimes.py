"""What an RTSP server of ours leaves behind, in a process of its own: ``python rtsp_lifetimes.py SCENARIO``."""

from __future__ import annotations

import resource
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np

from eatrack_edge.core.errors import OutputError
from eatrack_edge.outputs import rtsp_server
from eatrack_edge.outputs.live_stream import StreamOptions, parse_address, plan_for
from eatrack_edge.outputs.rtsp_server import RtspServer
from sources.streams import free_port

PLAN = plan_for((640, 360), StreamOptions(), is_hardware=False)


def opened(port: int) -> RtspServer:
    """A server on a port, with the encoder in software."""
    address = parse_address(f"rtsp://127.0.0.1:{port}/eatrack")
    server = rtsp_server.choose(address, StreamOptions())[-1].connect(PLAN)
    assert isinstance(server, RtspServer)
    return server


@contextmanager
def fed(port: int) -> Iterator[None]:
    """A server on a port that is given 15 pictures a second."""
    server, picture, stopped = opened(port), np.zeros((PLAN.size[1], PLAN.size[0], 3), np.uint8), threading.Event()

    def feed() -> None:
        while not stopped.wait(1 / 15):
            server.send(picture)

    feeder = threading.Thread(target=feed)
    feeder.start()
    yield
    stopped.set()
    feeder.join()
    server.close()


class Viewer:
    """A client that plays over its one connection."""

    def __init__(self, port: int) -> None:
        self._uri = f"rtsp://127.0.0.1:{port}/eatrack"
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=10)
        answer = self.ask(f"SETUP {self._uri}/stream=0", "Transport: RTP/AVP/TCP;unicast;interleaved=0-1")
        self._session = answer.partition("Session: ")[2].partition(";")[0].split()[0]
        self.command("PLAY")

    def ask(self, request: str, header: str) -> str:
        self._socket.sendall(f"{request} RTSP/1.0\r\nCSeq: 1\r\n{header}\r\n\r\n".encode())
        data = b""
        while b"RTSP/1.0 " not in data:  # pictures come before it
            data = self._socket.recv(65536)
        answer = data[data.rfind(b"RTSP/1.0 ") :].decode(errors="replace")
        assert " 200 OK" in answer, answer
        return answer

    def command(self, name: str) -> None:
        self.ask(f"{name} {self._uri}", f"Session: {self._session}")

    def vanish(self) -> None:
        self._socket.close()


def spam(port: int) -> None:
    """Send one request after another until the server is gone."""
    request = f"OPTIONS rtsp://127.0.0.1:{port}/eatrack RTSP/1.0\r\nCSeq: 1\r\n\r\n".encode()
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
        while True:
            connection.sendall(request)
            if not connection.recv(2048):
                return


def threads_left_by_closing() -> int:
    """Servers that are closed while clients ask."""
    before = len(list(Path("/proc/self/task").iterdir()))
    for _ in range(10):
        server = opened(port := free_port())
        clients = [threading.Thread(target=spam, args=(port,)) for _ in range(6)]
        for client in clients:
            client.start()
        time.sleep(0.15)
        server.close()
        for client in clients:
            client.join()
    time.sleep(0.5)  # GLib keeps idle threads for that long
    return len(list(Path("/proc/self/task").iterdir())) - before


def viewers_that_vanish() -> int:
    """Each leaves without a word right after its PLAY; how many were answered."""
    with fed(port := free_port()):
        for _ in range(200):
            Viewer(port).vanish()
        last = Viewer(port)
        last.vanish()
    return 201


def descriptors_left() -> int:
    """Servers whose port is taken, and servers that are closed."""
    opened(free_port()).close()  # what the first one loads
    before = len(list(Path("/proc/self/fd").iterdir()))
    with socket.create_server(("127.0.0.1", 0)) as taken:
        for _ in range(20):
            with suppress(OutputError):
                opened(taken.getsockname()[1])
    for _ in range(20):
        opened(free_port()).close()
    return len(list(Path("/proc/self/fd").iterdir())) - before


def pause() -> int:
    """Memory that a viewer in pause takes within 4 s beyond that within 1 s, MB."""
    with fed(port := free_port()):
        viewer = Viewer(port)
        time.sleep(1)  # the pipeline plays
        viewer.command("PAUSE")
        time.sleep(1)
        early = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        time.sleep(3)
        viewer.vanish()
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - early) // 1024


print(globals()[sys.argv[1]]())
