from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.torch


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_stopped_int8_export_leaves_nothing_behind(tmp_path: Path, number: int) -> None:
    folder = tmp_path / "graphs"
    command = [sys.executable, "-m", "eatrack_edge", "export", "eatrack_s", "--precision", "int8", "--calib", "test://"]
    with subprocess.Popen([*command, "-o", str(folder)], stderr=subprocess.PIPE, text=True) as process:
        end = time.monotonic() + 120
        while not list(folder.glob(".new-*/*")) and time.monotonic() < end and process.poll() is None:
            time.sleep(0.1)
        process.send_signal(number)
        said = process.communicate(timeout=60)[1]
    assert process.returncode == 130, said
    assert f"error: stopped: nothing was written to {folder}; the same command begins anew" in said
    assert not folder.exists()
