from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

from cli.conftest import Run
from eatrack_edge.cli.fly_config import FlyConfig, as_toml
from eatrack_edge.core.config import load
from eatrack_edge.core.errors import OutputError
from eatrack_edge.ground.mavlink.camera_options import MavlinkOptions
from eatrack_edge.outputs.csv import CsvOutput
from eatrack_edge.outputs.live_jsonl import LiveJsonLines
from eatrack_edge.outputs.live_stream import StreamOptions
from eatrack_edge.sources.live_options import LiveOptions
from eatrack_edge.tracking.settings import MotionSettings, TrackerSettings
from ground.mavlink.qgroundcontrol import QGroundControl
from ground.mavlink.simulated_station import D
from sources.streams import RtspServer, free_port, needs_rtsp_server

pytest.importorskip("av")
pytestmark = pytest.mark.usefixtures("opened_once")

SCENE = "test://?width=320&height=240&frames=6"


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_the_synthetic_scene_is_tracked_from_its_true_box(run: Run, tmp_path: Path) -> None:
    done = run("fly", SCENE, "--max-frames", 5, "--jsonl", tmp_path / "fly.jsonl", "-o", tmp_path / "boxes.csv")
    assert done.code == 0, done.err
    header, *events, summary = lines(tmp_path / "fly.jsonl")
    assert (header["schema"], header["is_live"]) == ("eatrack-edge/fly/1", False)
    assert header["size"] == [320, 240]
    frames = [event for event in events if event["type"] == "frame"]
    assert [frame["frame"] for frame in frames] == list(range(5))
    assert all(frame["box"] for frame in frames)
    assert (summary["type"], summary["ended"], summary["frames"], summary["dropped"]) == ("summary", "max frames", 5, 0)
    assert len((tmp_path / "boxes.csv").read_text().splitlines()) == 6
    assert "TRACKING  frame 0  (selected)" in done.out
    assert f"wrote                     {tmp_path / 'fly.jsonl'}" in done.out


def test_without_a_box_it_waits_for_a_selection(run: Run, tmp_path: Path) -> None:
    assert run("fly", SCENE, "--select", "none", "--jsonl", tmp_path / "fly.jsonl").code == 0
    frames = [line for line in lines(tmp_path / "fly.jsonl") if line["type"] == "frame"]
    assert {(frame["state"], frame["box"]) for frame in frames} == {("WAITING", None)}


def test_a_box_is_where_it_begins(run: Run, tmp_path: Path) -> None:
    assert run("fly", SCENE, "--box", "100,80,30,20", "--max-frames", 2, "--jsonl", tmp_path / "fly.jsonl").code == 0
    first = next(line for line in lines(tmp_path / "fly.jsonl") if line["type"] == "frame")
    assert first["box"] == [100, 80, 30, 20]


def test_realtime_drops_what_the_tracker_is_too_slow_for_and_counts_it(run: Run, tmp_path: Path) -> None:
    uri = "test://?width=320&height=240&frames=20&fps=60"
    assert run("fly", uri, "--realtime", "--jsonl", tmp_path / "fly.jsonl").code == 0
    summary = lines(tmp_path / "fly.jsonl")[-1]
    assert int(str(summary["frames"])) + int(str(summary["dropped"])) == 20


def test_commands_select_and_quit(run: Run, tmp_path: Path) -> None:
    (tmp_path / "commands").write_text("select 100,80,30,20\nnonsense\n")
    uri = "test://?width=320&height=240&frames=40&fps=20"
    done = run(
        *("fly", uri, "--select", "none", "--realtime", "--commands", tmp_path / "commands"),
        *("--jsonl", tmp_path / "fly.jsonl"),
    )
    assert done.code == 0
    assert (
        "error: not a command: `nonsense`\nhint: commands are: select x,y,w,h [frame]; point x,y [frame]; restore number; stop; quit"
        in done.err
    )
    assert "TRACKING" in done.out


def test_commands_that_cannot_be_read_are_refused_before_any_file_is_made(run: Run, tmp_path: Path) -> None:
    done = run("fly", SCENE, "--commands", tmp_path, "--jsonl", tmp_path / "fly.jsonl")
    assert (done.code, done.err.partition("\n")[0]) == (2, f"error: {tmp_path}: a folder holds no commands")
    assert not (tmp_path / "fly.jsonl").exists()


def test_a_flight_in_which_nothing_could_select_says_so(run: Run) -> None:
    note = "note: nothing selects a target; give --box X,Y,W,H, --commands -, --web, --mavlink or --show\n"
    assert run("fly", "test://?frames=3", "--select", "none").err == note
    assert run("fly", "test://?frames=3").err == ""


def test_a_station_discovers_the_camera_and_selects_over_mavlink(run: Run, tmp_path: Path) -> None:
    port, seen = free_port(), list[int]()

    def command() -> None:
        station = QGroundControl(first=("127.0.0.1", port))
        information = station.discover()
        seen.extend((information.resolution_h, station.draw(0.4, 0.4, 0.6, 0.6)))
        seen.append(station.listen(2, lambda one: one.get_type() == "CAMERA_TRACKING_IMAGE_STATUS")[-1].tracking_status)
        station.close()

    thread = threading.Thread(target=command)
    thread.start()
    uri = "test://?width=320&height=240&frames=120&fps=15"
    done = run(
        *("fly", uri, "--select", "none", "--realtime", "--mavlink", f"udpin:127.0.0.1:{port}"),
        *("--jsonl", tmp_path / "fly.jsonl"),
    )
    thread.join(10)
    assert done.code == 0, done.err
    assert seen == [320, D.MAV_RESULT_ACCEPTED, D.CAMERA_TRACKING_STATUS_FLAGS_ACTIVE]
    assert "MAVLink station 255/190 is there" in done.out
    logged = [line for line in lines(tmp_path / "fly.jsonl") if line["type"] in ("selection", "station")]
    assert [line["type"] for line in logged] == ["station", "selection"]


def test_the_printed_options_are_read_back(run: Run, tmp_path: Path) -> None:
    config = FlyConfig(
        source='gst://videotestsrc pattern="ball"',
        output=("a.mp4", "b.csv"),
        stream=("rtsp://:8554/eatrack",),
        video=StreamOptions(width=640, encoder="pyav"),
        input=LiveOptions(width=640, reopen=True),
        mavlink=MavlinkOptions(connections=("udpin:0.0.0.0:14540", "serial:/dev/ttyTHS1:921600"), coasting=True),
        tracker=TrackerSettings(motion=MotionSettings(gain=0.5)),
    )
    path = tmp_path / "fly.toml"
    path.write_text(as_toml(config))
    assert load(FlyConfig, path) == config
    done = run("fly", "--config", path, "--input-width", 1280, "--threads", 2, "--print-config")
    path.write_text(done.out)
    assert load(FlyConfig, path).input.width == 1280
    assert load(FlyConfig, path).threads == 2
    assert load(FlyConfig, path).tracker == config.tracker
    path.write_text(run("fly", "--config", path, "--view-delay", "0.3s", "--print-config").out)
    assert load(FlyConfig, path).view_delay_ms == 300
    assert "view_delay_ms = 0.0" in run("fly", "--config", path, "--view-delay", "0ms", "--print-config").out
    done = run("fly", "--config", path, "--refinement", "vittrack", "--print-config")
    path.write_text(done.out)
    assert load(FlyConfig, path).tracker.refinement.policy == "vittrack"
    assert load(FlyConfig, path).mavlink == config.mavlink
    path.write_text(run("fly", "--config", path, "--gimbal", "--print-config").out)
    assert load(FlyConfig, path).mavlink == replace(config.mavlink, gimbal=True)
    path.write_text(run("fly", "--config", path, "--print-config").out)
    assert load(FlyConfig, path).mavlink.gimbal


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        pytest.param([], 2, "error: no source was named\nhint: for example: eatrack-edge fly rtsp://192.168.144.25:8554/main\n", id="no source"),
        pytest.param([SCENE, "--box", "900,900,10,10"], 2, "error: the box 900,900,10,10 lies outside the frame, 320x240\n", id="box"),
        pytest.param([SCENE, "--box", "900,900,10,10", "--realtime"], 2, "error: the box 900,900,10,10 lies outside the frame, 320x240\n", id="box in real time"),
        pytest.param([SCENE, "--select", "person"], 2, "error: select must be one of auto, none, first-motion, got `person`\n", id="select"),
        pytest.param([SCENE, "--input-flip", "over"], 2, "error: flip must be a known way to turn a picture, got `over`\n", id="flip"),
        pytest.param([SCENE, "--view-delay", "300"], 2, "error: --view-delay needs a duration with a unit, ms, s, m, h, got `300`\nhint: for example: --view-delay 300ms\n", id="view delay"),
        pytest.param([SCENE, "--stream", "rtp://drone"], 2, "error: rtp://drone: the port is missing\n", id="stream"),
        pytest.param([SCENE, "--record", "/dev/null/x"], 3, "error: /dev/null/x/.lock: cannot be written: not a directory\n", id="record"),
        pytest.param([SCENE, "--record", "x", "--record-budget", "much"], 2, "error: a budget of disk space must be a number of bytes, got `much`\n", id="budget"),
        pytest.param([SCENE, "--commands", "/no/fifo"], 2, "error: /no/fifo: no such file\nhint: mkfifo /no/fifo\n", id="commands"),
        pytest.param([SCENE, "--mavlink", "udp:14550"], 2, "error: no MAVLink connection is called `udp:14550`\nhint: for example: udpout:", id="mavlink"),
        pytest.param([SCENE, "--gimbal"], 2, "error: --gimbal needs a MAVLink connection\nhint: for example: --mavlink ", id="gimbal"),
        pytest.param(["rtsp://127.0.0.1:9/live", "--once", "--box", "9,9,9,9"], 5, "error: rtsp://127.0.0.1:9/live: connection refused\nhint: see that it is there, and start again\n", id="once"),
    ],
)  # fmt: skip
def test_what_cannot_fly_is_refused_in_words(run: Run, arguments: list[str], code: int, message: str) -> None:
    done = run("fly", *arguments)
    assert (done.code, done.err.startswith(message)) == (code, True), done.err


def test_outputs_that_failed_are_named_as_incomplete_and_the_exit_code_says_so(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    written, finished = LiveJsonLines.write_line, CsvOutput.finish

    def write_line(log: LiveJsonLines, values: dict[str, object]) -> None:
        if values.get("frame") == 2:
            raise OutputError(f"{tmp_path / 'fly.jsonl'}: cannot be written: no space left on device")
        written(log, values)

    def finish(output: CsvOutput, error: BaseException | None) -> None:  # as a disk that is full at the last moment
        finished(output, error)
        raise OutputError("the rest cannot be written")

    monkeypatch.setattr(LiveJsonLines, "write_line", write_line)
    monkeypatch.setattr(CsvOutput, "finish", finish)
    log, table, boxes = (tmp_path / name for name in ("fly.jsonl", "fly.csv", "fly.txt"))
    done = run("fly", SCENE, "--jsonl", log, "-o", table, "-o", boxes)
    assert done.code == 3
    assert "failed outputs            2" in done.out
    assert [line.split()[0] for line in done.out.splitlines() if str(tmp_path) in line][-3:] == [
        *("incomplete", "incomplete", "wrote")
    ]
    assert done.err.startswith(
        f"error: not every output is complete: {log}: cannot be written: no space left on device; "
        f"{table}: the rest cannot be written\nhint: free some space"
    )


def test_a_log_that_exists_is_not_replaced_unasked(run: Run, tmp_path: Path) -> None:
    (tmp_path / "fly.jsonl").write_text("mine")
    done = run("fly", SCENE, "--jsonl", tmp_path / "fly.jsonl")
    assert (done.code, (tmp_path / "fly.jsonl").read_text()) == (2, "mine")
    assert "already there\nhint: --overwrite replaces it" in done.err


def test_what_is_waited_for_is_said_at_once_without_the_password(run: Run) -> None:
    done = run("fly", "rtsp://pilot:s@cret@127.0.0.1:9/live", "--once")
    assert done.out.splitlines()[0] == "waiting for               rtsp://pilot:***@127.0.0.1:9/live"
    assert "cret@" not in done.out + done.err


@needs_rtsp_server
def test_a_stream_is_found_lost_and_found_again_with_the_real_model(tmp_path: Path) -> None:
    log = tmp_path / "fly.jsonl"

    def wait_for(kind: str, count: int, within_s: float) -> None:
        deadline = time.monotonic() + within_s
        while sum(line["type"] == kind for line in (lines(log) if log.exists() else [])) < count:
            assert time.monotonic() < deadline, f"{kind} did not come {count} times"
            time.sleep(0.1)

    with RtspServer() as server:
        command = [sys.executable, "-m", "eatrack_edge", "fly", server.uri, "--select", "first-motion"]
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "PYTHONUNBUFFERED": "1"}
        flight = subprocess.Popen(
            [*command, "--jsonl", str(log), "--input-reader", "pyav"],
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        try:
            wait_for("state", 1, 60)
            server.kill()
            wait_for("source_lost", 1, 10)
            server.start()
            wait_for("source_found", 2, 10)
            wait_for("frame", sum(line["type"] == "frame" for line in lines(log)) + 5, 20)
        finally:
            flight.send_signal(signal.SIGTERM)
            out, _ = flight.communicate(timeout=20)
    assert flight.returncode == 128 + signal.SIGTERM
    assert "SOURCE LOST" in out
    assert out.count("SOURCE FOUND") == 2
    assert lines(log)[-1]["ended"] == "interrupted"
    assert lines(log)[-1]["source_losses"] == 1
