"""Software elements behind the names and the pads of NVIDIA's, registered in the process that imports this."""

from __future__ import annotations

from eatrack_edge.sources.gst_runtime import require_gst

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
