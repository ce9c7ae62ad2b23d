"""Real servers and senders for tests, and the stamp that they burn into their pictures."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from eatrack_edge.core.crops import Frame

SYSTEM_PYTHON = "/usr/bin/python3"
_CELL, _BITS = 16, 32


@cache
def has_gi(*libraries: str) -> bool:
    """Whether the system's Python has GStreamer's bindings and these libraries of it."""
    lines = ["import gi", *(f"gi.require_version('{name}', '1.0')" for name in ("Gst", *libraries))]
    lines += ["from gi.repository import Gst; Gst.init(None)"]
    lines += ["assert all(map(Gst.ElementFactory.find, ('x264enc', 'rtph264pay', 'avdec_h264', 'rtspsrc')))"]
    try:
        return subprocess.run([SYSTEM_PYTHON, "-c", "\n".join(lines)], capture_output=True).returncode == 0
    except OSError:
        return False


needs_rtsp_server = pytest.mark.skipif(
    not has_gi("GstRtspServer"), reason="needs python3-gi, gir1.2-gst-rtsp-server-1.0 and GStreamer's plugins"
)


needs_python_elements = pytest.mark.skipif(
    not any(Path("/usr/lib/python3/dist-packages/gi/overrides").glob("_gi_gst*")), reason="needs python3-gst-1.0"
)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def stamp_of(frame: Frame) -> int:
    """The time at which the picture was made: ``time.monotonic()`` in ms, 32 bits."""
    green = frame[12:20, : _CELL * _BITS, 1]
    cells = green.reshape(8, _BITS, _CELL)[:, :, 4:12].mean(axis=(0, 2))
    return int(sum(1 << bit for bit in np.flatnonzero(cells > 126).tolist()))


def true_age_ms(frame: Frame) -> int:
    """Milliseconds since the picture was made, by the sender's stamp."""
    return (int(time.monotonic() * 1000) & 0xFFFFFFFF) - stamp_of(frame)


class RtspServer:
    """gst-rtsp-server in a process of its own, which can be killed, stopped and started again on its port."""

    def __init__(self, width: int = 640, height: int = 360) -> None:
        self.port = free_port()
        self.uri = f"rtsp://127.0.0.1:{self.port}/live"
        self._process: subprocess.Popen[bytes] | None = None
        self.start(width, height)

    def start(self, width: int = 640, height: int = 360) -> None:
        command = [SYSTEM_PYTHON, str(Path(__file__).with_name("rtsp_server.py")), str(self.port)]
        self._process = subprocess.Popen([*command, str(width), str(height)], stdout=subprocess.PIPE)
        assert self._process.stdout is not None
        assert self._process.stdout.readline() == b"ready\n"

    def send(self, number: signal.Signals) -> None:
        assert self._process is not None
        os.kill(self._process.pid, number)

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        if self._process is not None:
            self.send(number)
            self._process.wait(10)
            assert self._process.stdout is not None
            self._process.stdout.close()
            self._process = None

    def __enter__(self) -> RtspServer:
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()


class Sender:
    """A process that sends a moving test picture to a URL by FFmpeg's own libraries."""

    def __init__(self, url: str, form: str, codec: str = "libx264", key_interval: int = 10) -> None:
        script = str(Path(__file__).with_name("sender.py"))
        command = [sys.executable, script, url, form, codec, str(key_interval)]
        self._process = subprocess.Popen(command, stderr=subprocess.DEVNULL)

    def __enter__(self) -> Sender:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait(10)
