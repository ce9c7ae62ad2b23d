"""Streams to receivers that somebody else wrote: FFmpeg through PyAV, and GStreamer as a ground station uses it."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from eatrack_edge.core.crops import Frame
from eatrack_edge.core.errors import OutputError
from eatrack_edge.outputs.live_stream import Sender, StreamOptions, StreamPlan, StreamWay
from eatrack_edge.session import stream_output
from eatrack_edge.session.events import OutputFailedEvent
from eatrack_edge.session.stream_output import StreamOutput, drawn
from eatrack_edge.sources.live_options import LiveOptions
from eatrack_edge.sources.registry import open_source
from session.stream_peers import BOX, HEIGHT, WIDTH, age_ms, frame_event, has_box, sending
from sources.streams import free_port, has_gi, needs_python_elements, needs_rtsp_server

pytest.importorskip("av")
needs_gst = pytest.mark.skipif(not has_gi(), reason="needs python3-gi and GStreamer's plugins")
SMALL = StreamOptions(encoder="pyav", width=320)


def received(uri: str, count: int = 12) -> list[Frame]:
    with open_source(uri, live=LiveOptions(reader="pyav", reopen=True, open_timeout_s=15)) as source:
        return [item.frame for item in islice(source, count)]


@pytest.mark.parametrize(
    ("scheme", "encoder"),
    [
        pytest.param("rtp", "pyav", id="RTP by PyAV"),
        pytest.param("rtp", "gstreamer", id="RTP by GStreamer", marks=needs_gst),
        pytest.param("udp", "pyav", id="MPEG-TS by PyAV"),
        pytest.param("udp", "gstreamer", id="MPEG-TS by GStreamer", marks=needs_gst),
        pytest.param("rtsp", "auto", id="RTSP", marks=needs_rtsp_server),
    ],
)
def test_a_receiver_sees_the_newest_frames_with_the_box(scheme: str, encoder: str) -> None:
    uri = f"{scheme}://127.0.0.1:{free_port()}" + "/eatrack" * (scheme == "rtsp")
    with sending(uri, StreamOptions(encoder=encoder)) as (output, failures):
        time.sleep(1.0)  # a viewer tunes in late
        ages = []
        with open_source(uri, live=LiveOptions(reader="pyav", reopen=True, open_timeout_s=15)) as source:
            for item in islice(source, 12):
                assert item.frame.shape == (HEIGHT, WIDTH, 3)
                assert has_box(item.frame)
                ages.append(age_ms(item.frame))
    assert np.median(ages[4:]) < 1500  # ages at rest are a tenth of that; machines of CI are busy
    assert failures == []
    assert output.dropped >= 0


@needs_gst
@pytest.mark.skipif(shutil.which("gst-launch-1.0") is None, reason="needs gstreamer1.0-tools")
def test_a_ground_station_plays_rtp_with_the_caps_that_qgroundcontrol_asks_for() -> None:
    port = free_port()
    caps = "application/x-rtp,media=video,clock-rate=90000,encoding-name=H264"
    pipeline = f"udpsrc port={port} caps={caps} ! rtpjitterbuffer latency=0 ! rtph264depay ! avdec_h264 ! fakesink num-buffers=10"
    with sending(f"rtp://127.0.0.1:{port}", SMALL):
        done = subprocess.run(["gst-launch-1.0", "-q", *pipeline.split()], capture_output=True, timeout=40, text=True)
    assert done.returncode == 0, done.stderr


@needs_rtsp_server
def test_viewers_come_and_go() -> None:
    uri = f"rtsp://127.0.0.1:{free_port()}/eatrack"
    with sending(uri) as (_output, failures):
        time.sleep(0.5)
        for _ in range(3):
            assert all(map(has_box, received(uri, 3)))
    assert failures == []


@needs_rtsp_server
def test_an_rtsp_viewer_that_never_reads_delays_neither_the_stream_nor_other_viewers() -> None:
    port = free_port()
    uri = f"rtsp://127.0.0.1:{port}/eatrack"
    # So much that the system's buffers are full within the wait.
    with sending(uri, StreamOptions(bitrate_kbps=20_000)) as (output, _failures):
        time.sleep(0.5)
        with socket.socket() as deaf:
            deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            deaf.connect(("127.0.0.1", port))
            ask(deaf, f"SETUP {uri}/stream=0 RTSP/1.0", "Transport: RTP/AVP/TCP;unicast;interleaved=0-1")
            ask(deaf, f"PLAY {uri} RTSP/1.0", "Session: " + ask.session)  # type: ignore[attr-defined]
            time.sleep(6)
            dropped = output.dropped
            assert all(map(has_box, received(uri, 20)))
            assert output.dropped - dropped < 60


@needs_rtsp_server
@pytest.mark.parametrize(
    ("scenario", "most"),
    [
        pytest.param("threads_left_by_closing", 0, id="closed while clients ask"),
        pytest.param("viewers_that_vanish", 201, id="viewers that vanish right after PLAY"),
        pytest.param("descriptors_left", 2, id="a port that is taken"),
        pytest.param("pause", 8, id="a viewer in pause"),  # 29 MB without a limit
    ],
)
def test_an_rtsp_server_outlives_its_viewers_and_leaves_nothing_behind(scenario: str, most: int) -> None:
    tests = Path(__file__).parents[1]
    environment = {**os.environ, "PYTHONPATH": f"{tests.parent}:{tests}", "G_DEBUG": "fatal-criticals"}
    command = [sys.executable, str(tests / "outputs" / "rtsp_lifetimes.py"), scenario]
    done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=90)
    assert done.returncode == 0, done.stderr[-2000:]
    assert int(done.stdout) <= most


def ask(connection: socket.socket, request: str, header: str) -> None:
    """Send an RTSP request; the session of its answer is kept."""
    connection.sendall(f"{request}\r\nCSeq: 1\r\n{header}\r\n\r\n".encode())
    answer = connection.recv(2048).decode(errors="replace")
    assert " 200 OK" in answer, answer
    ask.session = answer.partition("Session: ")[2].partition(";")[0].strip() or ask.session  # type: ignore[attr-defined]


ask.session = ""  # type: ignore[attr-defined]


def test_nobody_listens_and_nothing_is_the_matter() -> None:
    with sending(f"rtp://127.0.0.1:{free_port()}", SMALL) as (_output, failures):
        time.sleep(1.0)
    assert failures == []


@pytest.mark.parametrize("encoder", ["pyav", pytest.param("gstreamer", marks=needs_gst)])
def test_a_network_that_is_not_there_is_told_once_and_tried_again(encoder: str) -> None:
    with sending("rtp://no-such-host.invalid:5600", StreamOptions(encoder=encoder, width=320)) as (_output, failures):
        time.sleep(2.5)
    (failure,) = failures
    assert failure.reason.startswith("rtp://no-such-host.invalid:5600: cannot be sent: ")
    assert failure.reason.endswith("; trying again")
    assert not failure.is_final


@needs_rtsp_server
def test_a_port_that_is_taken_is_served_when_it_is_free() -> None:
    port = free_port()
    uri = f"rtsp://127.0.0.1:{port}/eatrack"
    with socket.create_server(("127.0.0.1", port)) as taken, sending(uri) as (_output, failures):
        time.sleep(1.0)
        taken.close()
        assert len(received(uri, 3)) == 3
    assert [failure.reason for failure in failures] == [
        f"{uri}: cannot be served: port {port} is taken, or the address is not this machine's; trying again"
    ]


@needs_gst
@needs_python_elements
def test_the_pipeline_of_a_jetsons_encoder_runs_on_elements_with_its_pads() -> None:
    port, root = free_port(), Path(__file__).parents[2]
    command = [sys.executable, str(root / "tests" / "outputs" / "simulated_encoder.py"), str(port)]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    # PyGObject warns of references that a Python element "should" float; they are harmless.
    program = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment, text=True)
    assert program.stdout is not None
    try:
        assert "could not link" in program.stdout.readline()
        frame = received(f"rtp://127.0.0.1:{port}", 5)[-1]
    finally:
        program.kill()
        program.wait(10)
        program.stdout.close()
    assert frame.shape == (360, 640, 3)
    assert frame[180, 320, 1] > 150 > 100 > frame[180, 320, 2]


class Sent:
    """A sender that remembers, and fails when it is told to."""

    def __init__(self, plan: StreamPlan) -> None:
        self.plan, self.pictures, self.is_broken, self.is_closed = plan, list[Frame](), False, False

    def send(self, picture: Frame) -> None:
        if self.is_broken:
            raise OutputError("the encoder is gone")
        self.pictures.append(picture)

    def close(self) -> None:
        self.is_closed = True


def stream_to(
    sent: list[Sent], monkeypatch: pytest.MonkeyPatch, *hardware: bool
) -> tuple[StreamOutput, list[OutputFailedEvent]]:
    def connect(plan: StreamPlan) -> Sender:
        sent.append(Sent(plan))
        return sent[-1]

    ways = [StreamWay(f"encoder {number}", is_hardware, connect) for number, is_hardware in enumerate(hardware)]
    monkeypatch.setattr(stream_output.STREAMS, "get", lambda _: lambda *_: ways)
    monkeypatch.setattr(stream_output, "_NICENESS", 0)  # this thread is the test's
    failures: list[OutputFailedEvent] = []
    return StreamOutput("rtp://127.0.0.1:9", StreamOptions(), failures.append), failures


def test_a_hardware_encoder_that_fails_gives_way_to_software(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[Sent] = []
    monkeypatch.setattr(stream_output, "_WAITS_S", (0.0,))
    output, failures = stream_to(sent, monkeypatch, True, False)
    output.take(frame_event(0, 1280, 720))
    sent[0].is_broken = True
    time.sleep(0.07)
    output.take(frame_event(1, 1280, 720))
    time.sleep(0.07)
    output.take(frame_event(2, 1280, 720))
    assert [one.plan.size for one in sent] == [(1280, 720), (960, 540)]
    assert (sent[0].is_closed, len(sent[1].pictures)) == (True, 1)
    assert [failure.reason for failure in failures] == ["the encoder is gone; going on with encoder 1"]


def test_no_more_pictures_are_sent_than_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[Sent] = []
    output, _ = stream_to(sent, monkeypatch, False)
    for number in range(30):
        event = frame_event(number, 160, 120)
        object.__setattr__(event.shown, "captured_ns", number * 33_333_333)
        output.take(event)
    assert len(sent[0].pictures) == 15


def test_the_frame_is_left_as_it_is_and_the_copy_is_drawn_to_scale() -> None:
    event = frame_event(0, 1920, 1080)
    before = event.shown.frame.copy()
    record = event.record
    picture = drawn(event.shown.frame, record, (960, 540))
    assert (event.shown.frame == before).all()
    x, y, _, h = (side / 2 for side in BOX)
    edge = picture[round(y) + 5 : round(y + h) - 5, round(x) - 3 : round(x) + 4].astype(int)
    assert (edge[..., 1] - edge[..., 2]).max() > 60


def test_a_frame_of_another_shape_is_fitted_with_black_borders() -> None:
    picture = drawn(frame_event(0, 480, 480).shown.frame, frame_event(0).record, (960, 540))
    assert picture.shape == (540, 960, 3)
    assert (picture[:, 540:] == 0).all()
    assert (picture[:, 400:540] > 0).any()
