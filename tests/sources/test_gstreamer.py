from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from eatrack_edge.core.errors import EATrackError, InputError, MachineError, MissingExtra, SourceLost
from eatrack_edge.sources import gst_runtime
from eatrack_edge.sources.gst_runtime import require_gst
from eatrack_edge.sources.live_options import LiveOptions
from eatrack_edge.sources.registry import open_source
from sources.streams import RtspServer, needs_python_elements, needs_rtsp_server

ROOT = Path(__file__).parents[2]


def _has_gst() -> bool:
    try:
        return require_gst() is not None
    except MissingExtra:
        return False


needs_gst = pytest.mark.skipif(not _has_gst(), reason="needs python3-gi for this version of Python, and GStreamer")
SMALL = "videotestsrc is-live=true pattern=blue ! video/x-raw,width=642,height=362,framerate=30/1"


@needs_gst
def test_rows_that_end_on_four_bytes_become_a_frame_of_the_true_width() -> None:
    with open_source(f"gst://{SMALL}") as source:
        frame = next(iter(source)).frame  # rows of 1928 bytes for 642 px
    assert frame.shape == (362, 642, 3)
    assert (frame == frame[0, 0]).all()
    assert frame[0, 0, 0] > 200 > 50 > frame[0, 0, 2]


@needs_gst
def test_the_capture_time_is_the_pipelines_own() -> None:
    with open_source(f"gst://{SMALL}") as source:
        frames = iter(source)
        ages = [next(frames).age_ms() for _ in range(10)]
    assert 0 <= np.median(ages) < 100


@needs_gst
def test_an_appsink_of_the_users_own_is_taken() -> None:
    with open_source(f"gst://{SMALL} ! videoconvert ! video/x-raw,format=BGR ! appsink") as source:
        assert source.size == (642, 362)


@needs_gst
def test_a_picture_is_turned_in_software_where_no_element_does_it() -> None:
    with open_source(f"gst://{SMALL}", live=LiveOptions(flip="clockwise")) as source:
        assert source.size == (362, 642)


@needs_gst
@pytest.mark.parametrize(
    ("uri", "kind", "message"),
    [
        pytest.param(
            "gst://nosuchsrc ! fakesink",
            MachineError,
            "GStreamer has no element `nosuchsrc`\n"
            "hint: gst-inspect-1.0 nosuchsrc shows whether it is there; on a Jetson it comes with JetPack",
            id="unknown element",
        ),
        pytest.param(
            "gst://videotestsrc ! !", InputError, "GStreamer cannot read the pipeline: syntax error", id="syntax"
        ),
        pytest.param("csi://front", InputError, "csi://front: a CSI camera is named by its number", id="csi by name"),
        pytest.param("gst://videotestsrc num-buffers=2", SourceLost, "the stream ended", id="end"),
        pytest.param(f"gst://{SMALL} ! appsink", InputError, ", a frame is BGR", id="another format"),
    ],
)
def test_what_cannot_be_read_is_refused_in_words(uri: str, kind: type[EATrackError], message: str) -> None:
    with pytest.raises(kind) as caught, open_source(uri) as source:
        list(source)
    assert message in str(caught.value)


@needs_gst
def test_a_camera_that_is_not_there_is_a_lost_source_with_the_reason_of_the_bus() -> None:
    live = LiveOptions(reader="gstreamer")
    with open_source("/dev/video97", live=live) as source, pytest.raises(SourceLost, match="cannot identify device"):
        list(source)


@needs_gst
def test_silence_is_noticed_by_our_own_timeout() -> None:
    live = LiveOptions(reader="gstreamer", open_timeout_s=0.3)
    begin = time.monotonic()
    with open_source("rtp://127.0.0.1:45999", live=live) as source, pytest.raises(SourceLost, match="no frame came"):
        list(source)
    assert time.monotonic() - begin < 5


@needs_gst
@needs_rtsp_server
def test_rtsp_by_gstreamer_delivers_and_ends_when_the_server_is_killed() -> None:
    with RtspServer() as server, open_source(server.uri, live=LiveOptions(reader="gstreamer")) as source:
        frames = iter(source)
        assert next(frames).frame.shape == (360, 640, 3)
        server.kill()
        with pytest.raises(SourceLost):
            list(frames)


@needs_gst
@pytest.mark.parametrize("order", ["av gst openvino", "gst openvino av"])
def test_gstreamer_lives_in_one_process_with_openvino(order: str) -> None:
    pytest.importorskip("openvino")
    lines = {
        "av": "import av",
        "gst": "from eatrack_edge.sources.gst_runtime import require_gst; require_gst()",
        "openvino": "from eatrack_edge.tracking.tracker import Tracker; Tracker(backend='openvino')",
    }
    code = "; ".join(lines[name] for name in order.split())
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, timeout=120)
    assert done.returncode == 0, done.stderr


def test_without_the_bindings_the_error_names_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    gst_runtime._imported.cache_clear()
    monkeypatch.setitem(sys.modules, "gi", None)
    monkeypatch.setattr(gst_runtime, "_SYSTEM_PACKAGES", tmp_path)
    try:
        with pytest.raises(MissingExtra, match="its Python bindings are missing\nhint: sudo apt install python3-gi"):
            open_source("gst://videotestsrc")
        assert not gst_runtime.has_element("videotestsrc")
    finally:
        gst_runtime._imported.cache_clear()


@pytest.fixture(scope="module")
def outcomes() -> dict[str, tuple[str, str]]:
    """What each pipeline did on elements with the pad templates of a Jetson's."""
    with RtspServer() as server:
        script = str(Path(__file__).with_name("simulated_jetson.py"))
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        # PyGObject warns of references that a Python element "should" float; they are harmless.
        command = [sys.executable, script, server.uri]
        done = subprocess.run(command, capture_output=True, text=True, env=environment, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    return {name: (found[0], found[1]) for name, found in json.loads(done.stdout.splitlines()[-1]).items()}


@needs_gst
@needs_rtsp_server
@needs_python_elements
@pytest.mark.parametrize("name", ["csi", "usb raw", "usb mjpeg", "usb h264", "rtsp"])
def test_a_pipeline_for_a_jetson_delivers_frames(name: str, outcomes: dict[str, tuple[str, str]]) -> None:
    pipeline, found = outcomes[name]
    assert "nv" in pipeline
    assert found in ("360x640x3", "240x320x3"), pipeline


@needs_gst
@needs_rtsp_server
@needs_python_elements
@pytest.mark.parametrize("name", ["csi without the converter", "csi without NVMM", "csi with BGR from nvvidconv"])
def test_the_elements_refuse_what_a_board_refuses(name: str, outcomes: dict[str, tuple[str, str]]) -> None:
    assert "x3" not in outcomes[name][1]
