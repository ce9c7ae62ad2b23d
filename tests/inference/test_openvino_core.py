"""A process outlives the trackers that it closed: each of OpenVINO's cores gives a thread a stack for its signals."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec

import pytest

from eatrack_edge.inference.openvino_core import openvino_core

pytestmark = pytest.mark.skipif(find_spec("openvino") is None, reason="openvino is not installed")
OPENED_AND_CLOSED = """
import gc, os, signal, threading
from eatrack_edge import Tracker

signal.signal(signal.SIGUSR1, lambda *_: print("handled"))
trackers = [Tracker(backend="openvino") for _ in range(2)]

def close():
    for tracker in trackers:
        tracker.close()
    trackers.clear()
    gc.collect()

{}
os.kill(os.getpid(), signal.SIGUSR1)
"""


@pytest.mark.parametrize(
    "closing",
    [
        pytest.param("close()", id="in the order in which they were opened"),
        pytest.param("thread = threading.Thread(target=close)\nthread.start()\nthread.join()", id="in another thread"),
    ],
)
def test_after_trackers_were_closed_a_signal_is_handled(closing: str) -> None:
    script = OPENED_AND_CLOSED.format(closing)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout) == (0, "handled\n"), done.stderr


def test_all_graphs_share_one_core() -> None:
    assert openvino_core("run a test") is openvino_core("run another test")
