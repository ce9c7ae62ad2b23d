"""Recordings on a disk that is full, and of a process that is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from eatrack_edge.core.errors import OutputError
from eatrack_edge.session import recorder
from eatrack_edge.session.events import FrameEvent
from eatrack_edge.session.recorder import RecordedVideo
from eatrack_edge.session.recording_folder import RecordingFolder
from session.test_recorder import frame_event, lines, pictures

pytest.importorskip("av")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 6 MB."""
    command = ["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", str(tmp_path)]
    if os.geteuid() != 0 or subprocess.run(command, capture_output=True).returncode != 0:
        pytest.skip("only root may mount a small disk")
    yield tmp_path
    subprocess.run(["umount", "--lazy", str(tmp_path)], check=True)


def noise_event(number: int) -> FrameEvent:
    event = frame_event(number, size=(160, 120))
    noise = np.random.default_rng(number).integers(0, 255, (120, 160, 3), dtype=np.uint8)
    object.__setattr__(event.shown, "frame", noise)
    return event


@pytest.mark.parametrize("segment_s", [60, 1], ids=["stops", "oldest make room"])
def test_a_full_disk_stops_the_recording_and_what_was_written_plays(
    segment_s: int, small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recorder, "_NICENESS", 0)
    monkeypatch.setattr(recorder, "_LOOK_NS", 10**15 if segment_s == 60 else 10**9)
    (small_disk / "of somebody else").write_bytes(bytes(4_000_000))
    video = RecordedVideo(RecordingFolder(small_disk / "rec"), 0, 20, segment_ns=segment_s * 10**9)
    if segment_s == 60:
        with pytest.raises(OutputError, match="cannot be written: no space left on device") as caught:
            record_noise(video, 400)
        video.finish(caught.value)
        assert len(pictures(small_disk / "rec" / "run-0001" / "00000.mkv")) > 10
        return
    # The oldest segments make room for the newest, for as long as there is any.
    record_noise(video, 200)
    video.finish(None)
    kept = sorted(path.name for path in (small_disk / "rec" / "run-0001").iterdir())
    assert kept[-1] == "00009.mkv"
    assert 2 <= len(kept) < 10


def record_noise(video: RecordedVideo, count: int) -> None:
    for number in range(count):
        video.take(noise_event(number))


def test_a_disk_that_is_full_already_is_refused_before_the_flight(small_disk: Path) -> None:
    (small_disk / "of somebody else").write_bytes(bytes(6_200_000))
    with pytest.raises(OutputError, match=r"rec: the disk is full: 0 MB are free, and a recording leaves 1 MB"):
        RecordingFolder(small_disk / "rec")
    assert not (small_disk / "rec").exists()


KILLED = """
import sys, time
sys.path.insert(0, "tests")
from session.test_recorder import RecordingFolder, RecordedVideo, RecordedLog, frame_event
from pathlib import Path
folder = RecordingFolder(Path(sys.argv[1]))
outputs = [RecordedVideo(folder, 0, 20), RecordedLog(folder, 0, {})]
for number in range(100):
    for output in outputs:
        output.take(frame_event(number, size=(320, 240)))
print("written", flush=True)
time.sleep(60)
"""


def test_after_a_kill_everything_but_the_last_second_plays(tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    command = [sys.executable, "-c", KILLED, str(tmp_path)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=root, env=environment)
    assert process.stdout is not None
    assert process.stdout.readline() == b"written\n"
    process.send_signal(signal.SIGKILL)
    process.wait(10)
    process.stdout.close()
    shown = pictures(tmp_path / "run-0001" / "00000.mkv")
    assert len(shown) >= 80  # of 100 at 20 a second
    assert len(lines(tmp_path / "run-0001" / "00000.jsonl")) == 101
    again = RecordingFolder(tmp_path)  # the lock went with the process
    assert again.run == 2
    again.join()
    again.leave()
