from __future__ import annotations

import pytest

from eatrack_edge.core.errors import ConfigError, MachineError, MissingExtra, OutputError, UsageError
from eatrack_edge.outputs import packet_stream, rtsp_server
from eatrack_edge.outputs.h264_encoders import encoders
from eatrack_edge.outputs.live_stream import StreamOptions, parse_address, plan_for

EXAMPLE = "\nhint: for example: rtp://192.168.144.11:5600, udp://192.168.144.11:5000 or rtsp://:8554/eatrack"
JETSON = {"nvv4l2h264enc", "nvvidconv", "x264enc"}


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        pytest.param("http://drone:80", f"http://drone:80: not a stream that can be sent{EXAMPLE}", id="scheme"),
        pytest.param("rtp://drone", f"rtp://drone: the port is missing{EXAMPLE}", id="port"),
        pytest.param("udp://drone:x", f"udp://drone:x: the port is missing{EXAMPLE}", id="no number"),
        pytest.param("rtp://:5600", f"rtp://:5600: the receiver's address is missing{EXAMPLE}", id="host"),
        pytest.param("rtsp://a:b@:8554/x", "rtsp://a:***@:8554/x: streams have no passwords here\nhint: serve rtsp:// on an address of a closed network", id="password"),
    ],
)  # fmt: skip
def test_what_cannot_be_sent_is_refused_in_words(uri: str, message: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_address(uri)
    assert str(caught.value) == message


def test_an_rtsp_server_without_a_path_has_a_name() -> None:
    assert parse_address("rtsp://127.0.0.1:8554")[2:] == ("127.0.0.1", 8554, "/eatrack")


@pytest.mark.parametrize(
    ("has", "devices", "expected"),
    [
        pytest.param(JETSON, {"/dev/v4l2-nvenc"}, ["nvv4l2h264enc", "x264enc"], id="Orin NX"),
        pytest.param(JETSON, set(), ["x264enc"], id="Orin Nano, whose encoder is missing"),
        pytest.param({"nvv4l2h264enc"}, {"/dev/v4l2-nvenc"}, [], id="no converter"),
        pytest.param({"vah264enc", "x264enc", "openh264enc"}, set(), ["vah264enc", "x264enc"], id="PC"),
        pytest.param({"v4l2h264enc", "openh264enc"}, set(), ["v4l2h264enc", "openh264enc"], id="Raspberry Pi"),
        pytest.param(set(), set(), [], id="no GStreamer"),
    ],
)
def test_hardware_comes_first_and_software_is_the_last_resort(
    has: set[str], devices: set[str], expected: list[str]
) -> None:
    assert [encoder.element for encoder in encoders(has.__contains__, devices.__contains__)] == expected


def test_the_pipeline_of_a_jetson_is_that_of_nvidias_elements() -> None:
    encoder = encoders(JETSON.__contains__, lambda _: True)[0]
    plan = plan_for((1920, 1080), StreamOptions(), is_hardware=True)
    assert packet_stream.pipeline(parse_address("rtp://10.0.0.2:5600"), encoder, plan) == (
        "appsrc name=pictures is-live=true do-timestamp=true format=time "
        "caps=video/x-raw,format=BGR,width=1280,height=720,framerate=30/1 "
        "! queue leaky=downstream max-size-buffers=1 max-size-bytes=0 max-size-time=0 "
        "! videoconvert ! video/x-raw,format=I420 "
        "! nvvidconv ! video/x-raw(memory:NVMM),format=NV12 ! nvv4l2h264enc bitrate=3318000 insert-sps-pps=true "
        "maxperf-enable=true idrinterval=30 iframeinterval=30 preset-level=1 "
        "! rtph264pay pt=96 config-interval=-1 mtu=1200 ! udpsink host=10.0.0.2 port=5600 sync=false async=false"
    )


def test_a_hardware_encoder_sends_larger_pictures_more_often() -> None:
    software = plan_for((1920, 1080), StreamOptions(), is_hardware=False)
    hardware = plan_for((1920, 1080), StreamOptions(), is_hardware=True)
    assert (software.size, software.rate, software.key_interval) == ((960, 540), 15, 15)
    assert (hardware.size, hardware.rate, hardware.key_interval) == ((1280, 720), 30, 30)


@pytest.mark.parametrize("size", [(320, 240), (333, 111), (17, 17), (4000, 3000)])
def test_a_stream_is_never_larger_than_the_frame_and_has_sides_that_encoders_take(size: tuple[int, int]) -> None:
    (width, height), _, _ = plan_for(size, StreamOptions(), is_hardware=False)
    assert (width % 8, height % 2) == (0, 0)
    assert width <= size[0]
    assert height <= size[1]
    assert width / height == pytest.approx(size[0] / size[1], rel=0.1)


@pytest.mark.parametrize("values", [{"width": -1}, {"rate": -1.0}, {"bitrate_kbps": -5}, {"encoder": "x264"}])
def test_options_out_of_range_are_refused(values: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        StreamOptions(**values)  # type: ignore[arg-type]


def test_without_gstreamer_pyav_sends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packet_stream, "has_element", lambda _: False)
    (way,) = packet_stream.choose(parse_address("rtp://127.0.0.1:5600"), StreamOptions())
    assert (way.description, way.is_hardware) == ("PyAV libx264", False)
    with pytest.raises(MachineError, match=r"GStreamer has no H\.264 encoder here"):
        packet_stream.choose(parse_address("udp://127.0.0.1:5600"), StreamOptions(encoder="gstreamer"))


@pytest.mark.parametrize("has_gstreamer", [True, False])
def test_a_receiver_that_is_not_known_is_said_to_be_so(monkeypatch: pytest.MonkeyPatch, has_gstreamer: bool) -> None:
    monkeypatch.setattr(packet_stream, "has_element", lambda _: has_gstreamer)
    way = packet_stream.choose(parse_address("rtp://drone.invalid:5600"), StreamOptions())[-1]
    with pytest.raises(
        OutputError, match=r"rtp://drone\.invalid:5600: cannot be sent: the host `drone\.invalid` is not"
    ):
        way.connect(plan_for((320, 240), StreamOptions(), is_hardware=False))


def test_a_hardware_encoder_without_one_of_software_leaves_that_to_pyav(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packet_stream, "has_element", lambda name: name not in ("x264enc", "openh264enc", "nvvidconv"))
    ways = packet_stream.choose(parse_address("udp://127.0.0.1:5600"), StreamOptions())
    assert [way.description for way in ways] == ["GStreamer vah264enc", "GStreamer v4l2h264enc", "PyAV libx264"]


def test_rtsp_without_its_server_names_the_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(_name: str) -> None:
        raise MissingExtra("no GStreamer")

    monkeypatch.setattr(rtsp_server, "require_gst_library", missing)
    with pytest.raises(MachineError) as caught:
        rtsp_server.choose(parse_address("rtsp://:8554/eatrack"), StreamOptions())
    assert caught.value.message == "rtsp://:8554/eatrack: GStreamer's RTSP server is not installed"
    assert caught.value.hint.startswith(
        "sudo apt install python3-gi gir1.2-gst-plugins-base-1.0 gir1.2-gst-rtsp-server-1.0"
    )
    assert caught.value.hint.endswith("or send packets: --stream rtp://HOST:5600")


def test_pyav_cannot_serve_rtsp() -> None:
    with pytest.raises(MachineError, match="PyAV cannot serve RTSP"):
        rtsp_server.choose(parse_address("rtsp://:8554/eatrack"), StreamOptions(encoder="pyav"))
