from __future__ import annotations

from pathlib import Path

import pytest

from eatrack_edge.core.errors import InputError
from eatrack_edge.sources import v4l2
from eatrack_edge.sources.camera_modes import CameraMode, listed_modes, parse_modes, with_codec
from eatrack_edge.sources.live_options import LiveOptions
from eatrack_edge.sources.registry import open_source

# As a USB camera is listed: raw pictures are slow where they are large, and depth is of no use here.
LISTING = """ioctl: VIDIOC_ENUM_FMT
\tType: Video Capture

\t[0]: 'YUYV' (YUYV 4:2:2)
\t\tSize: Discrete 640x480
\t\t\tInterval: Discrete 0.033s (30.000 fps)
\t\t\tInterval: Discrete 0.067s (15.000 fps)
\t\tSize: Discrete 1280x720
\t\t\tInterval: Discrete 0.100s (10.000 fps)
\t[1]: 'MJPG' (Motion-JPEG, compressed)
\t\tSize: Discrete 1280x720
\t\t\tInterval: Discrete 0.017s (60.000 fps)
\t\t\tInterval: Discrete 0.033s (30.000 fps)
\t\tSize: Discrete 1920x1080
\t\t\tInterval: Discrete 0.033s (29.970 fps)
\t[2]: 'Z16 ' (16-bit Depth)
\t\tSize: Discrete 4000x3000
\t\t\tInterval: Discrete 0.011s (90.000 fps)
\t[3]: 'H264' (H.264, compressed)
\t\tSize: Stepwise 64x64 - 3840x2160 with step 2/2
"""
MODES = parse_modes(LISTING)


def test_a_listing_becomes_modes_with_their_highest_rate() -> None:
    assert parse_modes(LISTING) == [
        CameraMode("raw", (640, 480), (640, 480), 30.0),
        CameraMode("raw", (1280, 720), (1280, 720), 10.0),
        CameraMode("mjpeg", (1280, 720), (1280, 720), 60.0),
        CameraMode("mjpeg", (1920, 1080), (1920, 1080), 29.97),
        CameraMode("h264", (64, 64), (3840, 2160), 0.0),
    ]


@pytest.mark.parametrize(
    ("wanted", "codec"),
    [
        pytest.param(LiveOptions(width=640, height=480, rate=30), "raw", id="raw where it is fast enough"),
        pytest.param(LiveOptions(width=1280, height=720), "raw", id="raw where no rate was asked for"),
        pytest.param(LiveOptions(width=1280, height=720, rate=30), "mjpeg", id="MJPEG where raw is too slow"),
        pytest.param(LiveOptions(width=1920, height=1080, rate=30), "mjpeg", id="29.97 is 30"),
        pytest.param(LiveOptions(width=3840, height=2160, rate=30), "h264", id="a size within a range"),
        pytest.param(LiveOptions(width=1280, height=720, codec="h264"), "h264", id="the user's own choice"),
        pytest.param(LiveOptions(), "", id="nothing asked for"),
    ],
)
def test_the_codec_is_one_in_which_the_camera_has_what_was_asked_for(wanted: LiveOptions, codec: str) -> None:
    assert with_codec("/dev/video0", wanted, MODES).codec == codec


def test_what_the_camera_does_not_have_is_refused_with_what_it_has() -> None:
    with pytest.raises(InputError) as caught:
        with_codec("/dev/video0", LiveOptions(width=1920, height=1080, rate=60, codec="mjpeg"), MODES)
    assert str(caught.value) == (
        "/dev/video0: the camera has no mjpeg 1920x1080 at 60 frames per second\n"
        "hint: it has raw 640x480 at 30, raw 1280x720 at 10, mjpeg 1280x720 at 60, mjpeg 1920x1080 at 29.97, "
        "h264 3840x2160"
    )


def test_a_camera_that_lists_nothing_is_left_to_its_driver() -> None:
    wanted = LiveOptions(width=1, height=1)
    assert with_codec("/dev/video0", wanted, []) is wanted
    assert listed_modes("/dev/no-such-camera") == []


def test_the_choice_is_made_when_the_camera_is_opened(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / "v4l2-ctl"
    program.write_text(f"#!/bin/sh\ncat <<'END'\n{LISTING}END\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    opened: list[dict[str, str]] = []

    def open_link(_device: str, *, settings: dict[str, str], **_: object) -> object:
        opened.append(settings)
        raise InputError("no camera here")

    monkeypatch.setattr(v4l2, "StreamLink", open_link)
    options = LiveOptions(width=1280, height=720, rate=30, reader="pyav")
    with open_source("/dev/video99", live=options) as source, pytest.raises(InputError, match="no camera here"):
        next(iter(source))
    assert opened == [{"video_size": "1280x720", "framerate": "30", "input_format": "mjpeg"}]
