from __future__ import annotations

import http.server
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pytest

from eatrack_edge.core.errors import InputError, SourceLost
from eatrack_edge.sources.feed import LinkFound, LinkLost, LiveFrame
from eatrack_edge.sources.latest import LiveSource
from eatrack_edge.sources.live_options import LiveOptions
from eatrack_edge.sources.registry import open_source
from eatrack_edge.sources.stream_link import StreamLink
from sources.clips import write_video
from sources.simulated_links import threads
from sources.streams import RtspServer, Sender, free_port, needs_rtsp_server, true_age_ms

av = pytest.importorskip("av")


def live(uri: str, **options: object) -> LiveSource:
    # These tests are of PyAV, on a Jetson too.
    source = open_source(uri, live=LiveOptions(reader="pyav", **options))  # type: ignore[arg-type]
    assert isinstance(source, LiveSource)
    return source


def wait_for(source: LiveSource, kind: type, within_s: float) -> object:
    deadline = time.monotonic() + within_s
    while time.monotonic() < deadline:
        item = source.next(0.1)
        if isinstance(item, kind):
            return item
    raise AssertionError(f"no {kind.__name__} within {within_s} s")


def open_files() -> int:
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


READ_STDIN = """
from eatrack_edge.sources.live_options import LiveOptions
from eatrack_edge.sources.registry import open_source
with open_source("-", live=LiveOptions(reopen=True)) as source:
    numbers = [item.index for item in source]
print(source.name, len(numbers), numbers == sorted(set(numbers)), numbers[-1])
"""


def read_stdin(data: bytes) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", READ_STDIN]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(command, input=data, capture_output=True, timeout=60, env=environment)
    return subprocess.CompletedProcess(command, done.returncode, done.stdout.decode(), done.stderr.decode())


def test_what_is_piped_into_stdin_is_read_to_its_end_and_not_waited_for_again(tmp_path: Path) -> None:
    write_video(tmp_path / "clip.ts", [number / 30 for number in range(40)], bf="0")
    done = read_stdin((tmp_path / "clip.ts").read_bytes())
    assert done.returncode == 0, done.stderr
    name, count, is_sorted, last = done.stdout.split()
    assert (name, is_sorted) == ("source", "True")
    assert 1 <= int(count) <= 40
    assert int(last) >= 38  # the newest frame is not lost with the end


def test_a_raw_picture_is_a_frame_before_its_camera_is_gone(tmp_path: Path) -> None:
    # A camera that is unplugged takes its memory along, so the frame is made when the picture comes, not when taken.
    path, gray = tmp_path / "raw.avi", np.full((48, 64, 3), 90, np.uint8)
    with av.open(str(path), "w") as file:
        stream = file.add_stream("rawvideo", rate=30, width=64, height=48, pix_fmt="bgr24")
        file.mux(stream.encode(av.VideoFrame.from_ndarray(gray, format="bgr24")))
    link = StreamLink(str(path), settings={}, options=LiveOptions())
    picture = link.read()
    link.close()
    assert picture is not None
    frame = picture.to_frame()
    assert frame is picture.to_frame()
    assert (frame == gray).all()


def test_what_is_no_video_is_refused_in_words() -> None:
    done = read_stdin(b"no video at all\n" * 100)
    assert "InputError: -: stdin holds no video: " in done.stderr
    assert "hint: pipe one in: cat video.ts | eatrack-edge fly -" in done.stderr


@needs_rtsp_server
@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_rtsp_delivers_frames_of_little_age(transport: str) -> None:
    with RtspServer() as server, live(server.uri, transport=transport) as source:
        taken = [(item, true_age_ms(item.frame)) for item, _ in zip(source, range(40), strict=False)]
    # Without the options of low delay the first frames are a second old.
    assert np.median([age for _, age in taken]) < 500
    assert taken[0][1] < 700
    # The age that we report is part of the true one.
    assert all(item.age_ms() >= 0 for item, _ in taken)


@needs_rtsp_server
@pytest.mark.parametrize("transport", ["tcp", "udp"])
@pytest.mark.parametrize(
    ("number", "within_s"),
    [
        pytest.param(signal.SIGKILL, 1.5, id="killed"),
        pytest.param(signal.SIGTERM, 1.5, id="stopped in order"),
        pytest.param(signal.SIGSTOP, 4.0, id="hung"),
    ],
)
def test_every_death_of_a_server_is_one_lost_link(transport: str, number: signal.Signals, within_s: float) -> None:
    with RtspServer() as server, live(server.uri, transport=transport, reopen=True, read_timeout_s=1.5) as source:
        wait_for(source, LiveFrame, 10)
        begin = time.monotonic()
        server.send(number)
        wait_for(source, LinkLost, 10)
        assert time.monotonic() - begin < within_s
        server.send(signal.SIGCONT)


@needs_rtsp_server
def test_a_server_that_returns_is_found_with_another_picture_size_and_nothing_is_left_open() -> None:
    # The first connection loads libraries that stay.
    with RtspServer() as server, live(server.uri) as source:
        wait_for(source, LiveFrame, 10)
    files, before = open_files(), threads()
    with RtspServer() as server, live(server.uri, reopen=True) as source:
        wait_for(source, LiveFrame, 10)
        sizes = []
        for size in ((320, 240), (640, 360)):
            server.kill()
            wait_for(source, LinkLost, 5)
            server.start(*size)
            begin = time.monotonic()
            wait_for(source, LinkFound, 10)
            frame = wait_for(source, LiveFrame, 10)
            assert isinstance(frame, LiveFrame)
            assert time.monotonic() - begin < 5
            sizes.append(frame.frame.shape)
        assert sizes == [(240, 320, 3), (360, 640, 3)]
    assert threads() == before
    assert open_files() <= files


@needs_rtsp_server
def test_a_picture_is_turned_as_asked() -> None:
    with RtspServer() as server, live(server.uri, flip="clockwise") as source:
        assert source.size == (360, 640)


def test_an_absent_server_is_a_source_lost_without_the_password() -> None:
    with live("rtsp://pilot:secret@127.0.0.1:9/live") as source, pytest.raises(SourceLost) as caught:
        list(source)
    assert caught.value.message == "rtsp://pilot:***@127.0.0.1:9/live: connection refused"
    assert source.name == "rtsp-127.0.0.1-9-live"


def test_a_port_without_a_sender_is_silent_and_no_input_output_error() -> None:
    silent = live(f"udp://127.0.0.1:{free_port()}", open_timeout_s=1.0)
    with silent as source, pytest.raises(SourceLost, match=r": nothing came for \d s"):
        list(source)


def even_port() -> int:
    """RTP takes an even port, and the next one for RTCP."""
    return free_port() // 2 * 2


def test_rtp_and_its_sdp_deliver_and_a_silent_sender_is_noticed(tmp_path: Path) -> None:
    port = even_port()
    described = tmp_path / "camera.sdp"
    described.write_text(
        f"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video {port} RTP/AVP 96\n"
        "a=rtpmap:96 H264/90000\n"
    )
    with Sender(f"rtp://127.0.0.1:{port}?pkt_size=1200", "rtp"):
        for uri in (f"rtp://127.0.0.1:{port}", f"rtp://{described}"):
            with live(uri, open_timeout_s=10.0) as source:
                ages = [true_age_ms(item.frame) for item, _ in zip(source, range(20), strict=False)]
                assert np.median(ages) < 500
        source = live(f"rtp://127.0.0.1:{port}", reopen=True, read_timeout_s=1.0, open_timeout_s=10.0)
        wait_for(source, LiveFrame, 10)
    with source:
        lost = wait_for(source, LinkLost, 5)
        assert isinstance(lost, LinkLost)
        assert lost.reason == "nothing came for 1 s"


def test_mpegts_over_udp_delivers() -> None:
    port = free_port()
    with (
        Sender(f"udp://127.0.0.1:{port}?pkt_size=1316", "mpegts"),
        live(f"udp://127.0.0.1:{port}", open_timeout_s=10.0) as source,
    ):
        ages = [true_age_ms(item.frame) for item, _ in zip(source, range(20), strict=False)]
    assert np.median(ages) < 700


@pytest.mark.parametrize(("scheme", "form"), [("udp", "mpegts"), ("rtp", "rtp")])
def test_a_key_frame_that_is_long_in_coming_is_waited_for(scheme: str, form: str) -> None:
    uri = f"{scheme}://127.0.0.1:{free_port()}"
    with Sender(f"{uri}?pkt_size=1200", form, key_interval=240):
        time.sleep(2)  # the first key frame is gone; the next one comes 8 s after it
        with live(uri, open_timeout_s=2.0) as source:
            assert next(iter(source)).frame.shape == (360, 640, 3)


class Pages(http.server.SimpleHTTPRequestHandler):
    """The files of a folder, and ``/camera``: JPEG pictures without end, as an IP camera sends them."""

    def log_message(self, *_: object) -> None:
        pass

    def do_GET(self) -> None:
        if self.path != "/camera":
            super().do_GET()
            return
        self.send_response(200)
        self.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
        self.end_headers()
        picture = cv2.imencode(".jpg", np.full((48, 64, 3), 128, np.uint8))[1].tobytes()
        part = b"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: %d\r\n\r\n" % len(picture)
        with suppress(OSError):  # the reader has gone
            for _ in range(300):
                self.wfile.write(part + picture + b"\r\n")
                time.sleep(1 / 60)


@pytest.fixture
def web(video: Path) -> Iterator[str]:
    """A web server with a video file and a camera on it."""
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), partial(Pages, directory=str(video.parent))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_web_camera_of_jpeg_pictures_delivers(web: str) -> None:
    with live(f"{web}/camera") as source:
        assert source.size == (64, 48)
        assert [item.frame.shape for item, _ in zip(source, range(5), strict=False)] == [(48, 64, 3)] * 5


def test_a_file_on_a_web_server_is_played_at_its_own_speed_to_its_end(web: str) -> None:
    begin = time.monotonic()
    with live(f"{web}/clip.mp4") as source:
        taken = list(source)
    assert time.monotonic() - begin > 0.8
    assert sum(1 + item.dropped for item in taken) == 30


def test_closing_does_not_wait_for_the_next_frame_of_a_file_on_a_web_server(web: str, video: Path) -> None:
    write_video(video.parent / "slow.mp4", [0, 0.1, 60], tune="zerolatency")
    with live(f"{web}/slow.mp4") as source:
        next(iter(source))
        time.sleep(0.5)
        begin = time.monotonic()
    assert time.monotonic() - begin < 2


def test_a_page_that_is_not_there_is_a_source_lost(web: str) -> None:
    with live(f"{web}/none.mp4") as source, pytest.raises(SourceLost, match="404"):
        list(source)


def test_a_stream_of_packets_that_cannot_be_decoded_is_given_up(web: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def undecodable(link: StreamLink, _packet: object) -> None:
        class Packet:
            def decode(self) -> None:
                raise OSError(22, "Invalid data")

        decode(link, Packet())

    decode = StreamLink._decode
    monkeypatch.setattr(StreamLink, "_decode", undecodable)
    monkeypatch.setattr("eatrack_edge.sources.stream_link._BAD_PACKETS", 5)
    with live(f"{web}/clip.mp4") as source, pytest.raises(SourceLost, match="6 packets in a row cannot be decoded"):
        list(source)


@pytest.mark.parametrize(
    ("uri", "options", "message"),
    [
        pytest.param("rtp://drone", {}, "rtp://drone: the port is missing\nhint: for example: rtp://0.0.0.0:5600", id="port"),
        pytest.param("udp://drone", {}, "udp://drone: the port is missing\nhint: for example: udp://0.0.0.0:5600", id="UDP port"),
        pytest.param("udp://0.0.0.0:99999", {}, "udp://0.0.0.0:99999: the port is not a number up to 65535", id="high port"),
        pytest.param("rtsp://drone:x/y", {}, "rtsp://drone:x/y: the port is not a number up to 65535", id="no number"),
        pytest.param("rtp:///no/camera.sdp", {}, "rtp:///no/camera.sdp: the description cannot be read: no such file or directory", id="sdp"),
        pytest.param(
            "rtp://0.0.0.0:5600",
            {"codec": "mjpeg"},
            "rtp://0.0.0.0:5600: RTP carries h264 or h265 here, got `mjpeg`\nhint: describe others in an .sdp file",
            id="codec",
        ),
        pytest.param("v4l2://front", {}, "v4l2://front: not a camera\nhint: for example: v4l2:///dev/video0; v4l2-ctl --list-devices", id="camera"),
    ],
)  # fmt: skip
def test_a_uri_that_names_nothing_is_refused_in_words(uri: str, options: dict[str, object], message: str) -> None:
    with pytest.raises(InputError) as caught:
        live(uri, **options)
    assert str(caught.value) == message


@pytest.mark.parametrize("uri", ["97", "/dev/video97", "v4l2:///dev/video97"])
def test_a_camera_that_is_not_there_is_a_source_lost(uri: str) -> None:
    with live(uri) as source, pytest.raises(SourceLost, match="no such file or directory"):
        list(source)
