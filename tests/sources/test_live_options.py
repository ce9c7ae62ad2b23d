from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest

from eatrack_edge.core.errors import ConfigError
from eatrack_edge.sources.gst_pipelines import csi, custom, rtp, rtsp, usb
from eatrack_edge.sources.live_options import FLIPS, LiveOptions, flipped

FRAME = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("none", FRAME),
        ("clockwise", cv2.rotate(FRAME, cv2.ROTATE_90_CLOCKWISE)),
        ("counterclockwise", cv2.rotate(FRAME, cv2.ROTATE_90_COUNTERCLOCKWISE)),
        ("rotate-180", cv2.rotate(FRAME, cv2.ROTATE_180)),
        ("horizontal", FRAME[:, ::-1]),
        ("vertical", FRAME[::-1]),
        ("upper-left-diagonal", FRAME.transpose(1, 0, 2)),
        ("upper-right-diagonal", FRAME[::-1, ::-1].transpose(1, 0, 2)),
    ],
)
def test_a_frame_is_turned(name: str, expected: np.ndarray) -> None:
    turned = flipped(FRAME, name)
    np.testing.assert_array_equal(turned, expected)
    assert turned.flags.c_contiguous


def test_the_methods_are_all_of_nvvidconvs() -> None:
    assert sorted(flip.method for flip in FLIPS.values()) == list(range(8))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"width": 0}, "width must be above 0, got 0"),
        ({"codec": "av1"}, "codec must be one of h264, h265, mjpeg, raw, got `av1`"),
        ({"reader": "vlc"}, "reader must be one of auto, pyav, gstreamer, got `vlc`"),
        ({"latency_ms": -1}, "latency_ms must be at least 0, got -1"),
        ({"read_timeout_s": 0.0}, "timeouts must be above 0 s, got 5.0 and 0.0"),
    ],
)
def test_an_option_out_of_range_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        LiveOptions(**options)
    assert caught.value.message == message


JETSON = {"nvvidconv", "nvv4l2decoder", "nvjpegdec"}.__contains__
NO_JPEG = {"nvvidconv", "nvv4l2decoder"}.__contains__
PC: Any = set().__contains__


@pytest.mark.parametrize(
    ("pipeline", "part"),
    [
        pytest.param(csi(1, LiveOptions(flip="rotate-180")), "sensor-id=1 ! video/x-raw(memory:NVMM),width=1280,height=720,framerate=30/1,format=NV12 ! nvvidconv flip-method=2 ! video/x-raw,format=BGRx", id="csi"),
        pytest.param(usb("/dev/video0", LiveOptions(codec="mjpeg", width=1280, height=720), JETSON), "image/jpeg,width=1280,height=720 ! jpegparse ! nvjpegdec ! video/x-raw ! nvvidconv", id="mjpeg by nvjpegdec"),
        pytest.param(usb("/dev/video0", LiveOptions(codec="mjpeg"), NO_JPEG), "jpegparse ! nvv4l2decoder mjpeg=1 ! nvvidconv", id="mjpeg by nvv4l2decoder"),
        pytest.param(usb("/dev/video0", LiveOptions(codec="mjpeg"), PC), "jpegparse ! jpegdec ! videoconvert", id="mjpeg in software"),
        pytest.param(usb("/dev/video0", LiveOptions(rate=29.97), JETSON), "video/x-raw,framerate=30000/1001,format=YUY2 ! nvvidconv", id="raw"),
        pytest.param(rtsp("rtsp://d/live", LiveOptions(latency_ms=50), JETSON), 'rtspsrc location="rtsp://d/live" latency=50 drop-on-latency=true protocols=tcp ! rtph264depay ! h264parse ! nvv4l2decoder enable-max-performance=1 ! nvvidconv', id="rtsp"),
        pytest.param(rtsp("rtsp://d/live", LiveOptions(codec="h265"), PC), "rtph265depay ! h265parse ! avdec_h265 max-threads=1 ! videoconvert", id="rtsp h265 in software"),
        pytest.param(rtp(5600, LiveOptions(), JETSON), 'udpsrc port=5600 caps="application/x-rtp,media=(string)video,clock-rate=(int)90000,encoding-name=(string)H264" ! rtph264depay', id="rtp"),
        pytest.param(custom("videotestsrc ! appsink"), "videotestsrc ! appsink name=eatrack max-buffers=1 drop=true sync=false", id="custom appsink"),
    ],
)  # fmt: skip
def test_the_elements_of_a_machine_choose_the_pipeline(pipeline: str, part: str) -> None:
    assert part in pipeline
