"""What a flight leaves on the disk: recordings, streams and logs, and nothing where it is refused."""

from __future__ import annotations

import sys
import threading
from pathlib import Path

import pytest

from cli.conftest import Run
from cli.test_fly import lines
from sources.streams import free_port

pytest.importorskip("av")
pytestmark = pytest.mark.usefixtures("opened_once")


@pytest.mark.parametrize(
    "refused",
    [
        ["--stream", "nope://x"],
        ["--mcap", "there.mcap"],
        ["--record", "r", "--record-what", "nope"],
        ["--show"],
        ["--record", "new/recordings", "--mavlink", "udpout:127.0.0.1:14540", "--mavlink", "serial:/dev/null"],
        ["--mcap", "/dev/null/x/fly.mcap"],
        ["--mcap", f"{'a' * 300}.mcap"],
        ["--record", "a" * 300],
    ],
    ids="-".join,
)
def test_a_flight_that_is_refused_leaves_no_file_behind(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, refused: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "serial", None)  # not installed
    monkeypatch.delitem(sys.modules, "eatrack_edge.ground.mavlink.serial_port", raising=False)
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    Path("there.mcap").touch()
    before = set(threading.enumerate())  # other tests leave threads whose output is stuck
    done = run("fly", "test://?frames=3", "--jsonl", "new/fly.jsonl", "-o", "fly.csv", *refused)
    assert done.code in (2, 3)
    assert [path.name for path in tmp_path.iterdir()] == ["there.mcap"]
    started = set(threading.enumerate()) - before
    assert not [thread.name for thread in started if thread.name.startswith(("mavlink", "output"))]


def test_a_flight_that_is_refused_leaves_earlier_recordings_alone(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = run("fly", "test://?frames=3", "--record", tmp_path)
    assert done.code == 0, done.err
    before = sorted(tmp_path.rglob("*"))
    monkeypatch.setitem(sys.modules, "pymavlink.dialects.v20.common", None)  # not installed
    assert run("fly", "test://?frames=3", "--record", tmp_path, "--mavlink", "udpout:127.0.0.1:14540").code == 3
    assert sorted(tmp_path.rglob("*")) == before


def test_a_flight_is_streamed_recorded_and_kept_for_foxglove(run: Run, tmp_path: Path) -> None:
    pytest.importorskip("mcap")
    uri = "test://?width=320&height=240&frames=20&fps=20"
    done = run(
        *("fly", uri, "--realtime", "--stream", f"udp://127.0.0.1:{free_port()}", "--mcap", tmp_path / "fly.mcap"),
        *("--record", tmp_path / "rec", "--record-what", "annotated", "--record-budget", "1GB"),
    )
    assert done.code == 0, done.err
    assert "stream                    udp://127.0.0.1:" in done.out
    assert f"wrote                     {tmp_path / 'rec'}" in done.out
    assert (tmp_path / "fly.mcap").read_bytes()[1:5] == b"MCAP"
    header, *_, summary = lines(tmp_path / "rec" / "run-0001" / "00000.jsonl")
    assert (header["segment"], header["pictures"], summary["failed_outputs"]) == (0, "annotated", 0)
    assert (tmp_path / "rec" / "run-0001" / "00000.mkv").stat().st_size > 1000


def test_a_recording_without_a_frame_is_said_to_be_a_log_alone(run: Run, tmp_path: Path) -> None:
    (tmp_path / "commands").write_text("quit\n")
    done = run("fly", "rtsp://127.0.0.1:9/x", "--record", tmp_path / "rec", "--commands", tmp_path / "commands")
    assert done.code == 0, done.err
    assert [line for line in done.out.splitlines() if str(tmp_path) in line] == [
        f"wrote a log alone         {tmp_path / 'rec'}"
    ]
    assert [path.name for path in (tmp_path / "rec" / "run-0001").iterdir()] == ["00000.jsonl"]
