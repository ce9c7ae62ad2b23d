"""Elements with the pad templates of NVIDIA's, so that the pipelines for a Jetson run without one.

The camera and the decoder give NVMM memory alone, and the converter has no BGR on its output, as on a board. This
proves spelling, order and caps, neither drivers nor speed. Run in a process of its own: usage:
simulated_jetson.py RTSP_URI. Prints one JSON object: the outcome of each pipeline by name.
"""

from __future__ import annotations

import json
import sys

from eatrack_edge.core.errors import EATrackError
from eatrack_edge.sources import gst_pipelines
from eatrack_edge.sources.gst_runtime import has_element, require_gst
from eatrack_edge.sources.gstreamer import PipelineLink
from eatrack_edge.sources.link import LinkError
from eatrack_edge.sources.live_options import LiveOptions

Gst = require_gst()
import gi  # noqa: E402  (found by the line above)

gi.require_version("GstBase", "1.0")
from gi.repository import GObject, GstBase  # noqa: E402

FORMATS = "{ I420, NV12, BGRx, RGBA, GRAY8, UYVY, YUY2 }"
NVMM = f"video/x-raw(memory:NVMM),format=(string){FORMATS}"
RAW = f"video/x-raw,format=(string){FORMATS}"
SINK, SRC = Gst.PadDirection.SINK, Gst.PadDirection.SRC
READ_WRITE = GObject.ParamFlags.READWRITE


def template(name, direction, caps):
    return Gst.PadTemplate.new(name, direction, Gst.PadPresence.ALWAYS, Gst.Caps.from_string(caps))


def with_feature(caps, feature):
    out = Gst.Caps.new_empty()
    for place in range(caps.get_size()):
        features = Gst.CapsFeatures.from_string(feature) if feature else None
        out.append_structure_full(caps.get_structure(place).copy(), features)
    return out


class FeatureSwap(GstBase.BaseTransform):
    """Buffers pass untouched; their caps change between system memory and NVMM."""

    __gstmetadata__ = ("feature swap", "Filter", "test", "test")
    __gsttemplates__ = (template("sink", SINK, "ANY"), template("src", SRC, "ANY"))
    to = GObject.Property(type=str, default="")

    def __init__(self):
        super().__init__()
        self.set_passthrough(False)
        self.set_in_place(True)

    def do_transform_caps(self, direction, caps, wanted):
        feature = "memory:NVMM" if (self.to == "nvmm") == (direction == SINK) else None
        out = caps if caps.is_any() else with_feature(caps, feature)
        if self.to == "raw" and direction != SINK:
            out.append(with_feature(caps, None))  # the converter takes both kinds of memory
        return wanted.intersect_full(out, Gst.CapsIntersectMode.FIRST) if wanted else out

    def do_set_caps(self, _in, _out):
        return True

    def do_transform_ip(self, _buffer):
        return Gst.FlowReturn.OK


class SimulatedBin(Gst.Bin):
    """Software elements behind the pads of a hardware element."""

    def __init__(self):
        super().__init__()
        self.values = {}
        inner = Gst.parse_bin_from_description(self.INNER, False)
        self.add(inner)
        for name, pad_template in self.PADS.items():
            element = inner.get_by_name("first" if name == "sink" else "last")
            ghost = Gst.GhostPad.new(name, element.get_static_pad(name))
            ghost.set_active(True)
            inner.add_pad(ghost)
            self.add_pad(Gst.GhostPad.new_from_template(name, ghost, pad_template))

    def do_get_property(self, spec):
        return self.values.get(spec.name, spec.default_value)

    def do_set_property(self, spec, value):
        self.values[spec.name] = value


def element(name, inner, *, sink="", src="", properties=None):
    """Register a bin as an element."""
    pads = {"sink": template("sink", SINK, sink)} if sink else {}
    pads["src"] = template("src", SRC, src)
    body = {
        "__gstmetadata__": (f"{name} for tests", "Generic", "test", "test"),
        "__gsttemplates__": tuple(pads.values()),
        "__gproperties__": properties or {},
        "INNER": inner,
        "PADS": pads,
    }
    kind = type(name, (SimulatedBin,), body)
    GObject.type_register(kind)
    Gst.Element.register(None, name, Gst.Rank.NONE, kind)


GObject.type_register(FeatureSwap)
Gst.Element.register(None, "featureswap", Gst.Rank.NONE, FeatureSwap)
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
