"""An evaluation that is stopped: real processes, real signals."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

pytestmark = [
    pytest.mark.usefixtures("importable"),
    pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="children are looked up in /proc"),
]
QUICK, LONG = 2, 400  # frames; Slow takes 50 ms for each


@pytest.fixture
def images(tmp_path: Path) -> Path:
    root = tmp_path / "data"
    for name, frames in (("quick", QUICK), ("long_1", LONG), ("long_2", LONG)):
        (root / name).mkdir(parents=True)
        for number in range(frames):
            cv2.imwrite(str(root / name / f"{number:04d}.png"), np.full((40, 60, 3), 40, np.uint8))
        (root / f"{name}.txt").write_text("10,10,8,8\n" * frames)
    return root


def children(pid: int) -> set[int]:
    """All processes below one, at any depth."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if fields[0] != "Z":
            parents[int(stat.parent.name)] = int(fields[1])
    found: set[int] = set()
    while more := {child for child, parent in parents.items() if parent in {pid, *found}} - found:
        found |= more
    return found


def until(condition: Callable[[], object], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)


@pytest.fixture
def running(images: Path, tmp_path: Path, workers: int) -> Iterator[subprocess.Popen[str]]:
    """An evaluation that has finished one sequence and is within the others."""
    command = [sys.executable, "-m", "eatrack_edge", "eval", "--dataset", "images", images, "--tracker"]
    command += ["standing:Slow", "--workers", str(workers), "-o", tmp_path / "out"]
    # In a session of its own, so that a signal to its group is not one to the tests.
    process = subprocess.Popen(
        [str(part) for part in command], stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        if workers > 1:
            until(lambda: (tmp_path / "out/tracks/standing.Slow/quick.csv").exists() or process.poll(), 60)
        else:
            until(lambda: len(list((tmp_path / "out/tracks").rglob("*.csv"))) >= 0 and started(process), 60)
        yield process
    finally:
        for pid in children(process.pid):
            os.kill(pid, signal.SIGKILL)
        process.kill()
        process.communicate()


def started(process: subprocess.Popen[str]) -> bool:
    """Whether frames are being tracked: the progress says so after a while."""
    assert process.stderr
    return "frames" in process.stderr.readline()


def to_parent(number: int) -> Callable[[subprocess.Popen[str]], None]:
    return lambda process: process.send_signal(number)


def to_group(number: int) -> Callable[[subprocess.Popen[str]], None]:
    return lambda process: os.killpg(process.pid, number)


@pytest.mark.parametrize("workers", [3])
@pytest.mark.parametrize(
    "send",
    [
        pytest.param(to_parent(signal.SIGTERM), id="SIGTERM"),
        pytest.param(to_parent(signal.SIGINT), id="SIGINT to the parent alone"),
        pytest.param(to_group(signal.SIGINT), id="Ctrl-C"),
    ],
)
def test_a_stopped_evaluation_ends_its_workers_and_says_what_is_kept(
    running: subprocess.Popen[str], tmp_path: Path, send: Callable[[subprocess.Popen[str]], None]
) -> None:
    workers = children(running.pid)
    assert len(workers) >= 3
    start = time.monotonic()
    send(running)
    said = running.communicate(timeout=10)[1]
    until(lambda: not [pid for pid in workers if Path(f"/proc/{pid}/exe").exists()], 2)
    assert time.monotonic() - start < 4  # 2 s on a machine that has nothing else to do
    assert running.returncode == 130
    last = said.strip().splitlines()[-1]
    assert re.fullmatch(r"error: stopped: 1 of 3 runs are kept in .*/out; the same command goes on", last)
    assert "Traceback" not in said
    assert (tmp_path / "out/tracks/standing.Slow/quick.csv").is_file()


@pytest.mark.parametrize("workers", [3])
def test_workers_end_with_a_parent_that_was_killed(running: subprocess.Popen[str]) -> None:
    workers = children(running.pid)
    running.kill()
    running.wait()
    until(lambda: not [pid for pid in workers if Path(f"/proc/{pid}/exe").exists()], 4)


@pytest.mark.parametrize("workers", [1])
def test_a_stopped_evaluation_without_workers_says_what_is_kept(running: subprocess.Popen[str]) -> None:
    running.send_signal(signal.SIGTERM)
    said = running.communicate(timeout=10)[1]
    assert running.returncode == 130
    assert "error: stopped: 0 of 3 runs are kept in " in said
