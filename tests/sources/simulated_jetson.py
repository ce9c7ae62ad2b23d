"""Elements with the pad templates of NVIDIA's, so that the pipelines for a Jetson run without one.

The camera and the decoder give NVMM memory alone, and the converter has no BGR on its output, as on a board. This
proves spelling, order and caps, neither drivers nor speed. Run in a process of its own: usage:
simulated_jetson.py RTSP_URI. Prints one JSON object: the outcome of each pipeline by name.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from eatrack_edge.core.errors import EATrackError
from eatrack_edge.sources import gst_pipelines
from eatrack_edge.sources.gst_runtime import has_element
from eatrack_edge.sources.gstreamer import PipelineLink
from eatrack_edge.sources.link import LinkError
from eatrack_edge.sources.live_options import LiveOptions

sys.path.insert(0, str(Path(__file__).parents[1]))
from sources.simulated_elements import NVMM, RAW, READ_WRITE, element

element(
    "nvarguscamerasrc",
    "videotestsrc is-live=true ! video/x-raw,format=NV12 ! featureswap name=last to=nvmm",
    src="video/x-raw(memory:NVMM),format=(string)NV12",
    properties={"sensor-id": (int, "", "", 0, 255, 0, READ_WRITE)},
)
element(
    "nvvidconv",
    "featureswap name=first to=raw ! videoconvert ! videoscale name=last",
    sink=f"{NVMM};{RAW}",
    src=RAW,
    properties={"flip-method": (int, "", "", 0, 7, 0, READ_WRITE)},
)
DECODED = "video/x-raw(memory:NVMM),format=(string)NV12"
TAIL = "videoconvert ! video/x-raw,format=NV12 ! featureswap name=last to=nvmm"
element(
    "nvv4l2decoder",
    f"avdec_h264 name=first ! {TAIL}",
    sink="video/x-h264,stream-format=byte-stream,alignment=au;video/x-h265,stream-format=byte-stream,alignment=au",
    src=DECODED,
    properties={"enable-max-performance": (bool, "", "", False, READ_WRITE)},
)
element("nvjpegdec", "jpegdec name=first ! videoconvert name=last", sink="image/jpeg", src=RAW)


def outcome(pipeline: str) -> str:
    """Size of the frames, or why there are none."""
    try:
        link = PipelineLink(pipeline, LiveOptions(open_timeout_s=8))
    except (LinkError, EATrackError) as error:
        return str(error)
    try:
        pictures = [link.read() for _ in range(3)]
        return "x".join(map(str, pictures[-1].to_frame().shape))
    except LinkError as error:
        return str(error)
    finally:
        link.close()


def camera(pipeline: str, source: str) -> str:
    """The pipeline with another source in the place of a camera that is not here."""
    device = "v4l2src device=/dev/video0 do-timestamp=true"
    assert pipeline.startswith(device)
    return source + pipeline.removeprefix(device)


OPTIONS = LiveOptions(width=640, height=360, rate=30)
MJPEG = LiveOptions(width=640, height=360, rate=30, codec="mjpeg")
CSI = gst_pipelines.csi(0, OPTIONS)
SOFTWARE = "videotestsrc is-live=true"
pipelines = {
    "csi": CSI,
    "csi without the converter": CSI.replace("nvvidconv flip-method=0 ! ", ""),
    "csi without NVMM": CSI.replace("(memory:NVMM)", ""),
    "csi with BGR from nvvidconv": CSI.replace("video/x-raw,format=BGRx ! videoconvert ! ", ""),
    "usb raw": camera(gst_pipelines.usb("/dev/video0", OPTIONS, has_element), SOFTWARE),
    "usb mjpeg": camera(
        gst_pipelines.usb("/dev/video0", MJPEG, has_element), f"{SOFTWARE} ! video/x-raw,format=I420 ! jpegenc"
    ),
    "usb h264": camera(
        gst_pipelines.usb("/dev/video0", LiveOptions(codec="h264"), has_element),
        f"{SOFTWARE} ! x264enc tune=zerolatency",
    ),
    "rtsp": gst_pipelines.rtsp(sys.argv[1], OPTIONS, has_element),
}
print(json.dumps({name: [pipeline, outcome(pipeline)] for name, pipeline in pipelines.items()}))
