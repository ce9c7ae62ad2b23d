"""Messages of ROS 2 as CDR, the encoding that rosbag2 and Foxglove read. Needs no ROS.

Only what is written is here: ``vision_msgs/Detection2DArray`` and ``std_msgs/String``.
Source: OMG DDS-XTypes, "XCDR version 1", with the encapsulation header of RTPS.
"""

from __future__ import annotations

import struct

from eatrack_edge.core.boxes import Box

DETECTIONS = "vision_msgs/msg/Detection2DArray"
STRING = "std_msgs/msg/String"
_SEPARATOR = "=" * 80
_PARTS = {
    "std_msgs/Header": "builtin_interfaces/Time stamp\nstring frame_id",
    "builtin_interfaces/Time": "int32 sec\nuint32 nanosec",
    "vision_msgs/Detection2D": (
        "std_msgs/Header header\nvision_msgs/ObjectHypothesisWithPose[] results\n"
        "vision_msgs/BoundingBox2D bbox\nstring id"
    ),
    "vision_msgs/ObjectHypothesisWithPose": (
        "vision_msgs/ObjectHypothesis hypothesis\ngeometry_msgs/PoseWithCovariance pose"
    ),
    "vision_msgs/ObjectHypothesis": "string class_id\nfloat64 score",
    "geometry_msgs/PoseWithCovariance": "geometry_msgs/Pose pose\nfloat64[36] covariance",
    "geometry_msgs/Pose": "geometry_msgs/Point position\ngeometry_msgs/Quaternion orientation",
    "geometry_msgs/Point": "float64 x\nfloat64 y\nfloat64 z",
    "geometry_msgs/Quaternion": "float64 x 0\nfloat64 y 0\nfloat64 z 0\nfloat64 w 1",
    "vision_msgs/BoundingBox2D": "vision_msgs/Pose2D center\nfloat64 size_x\nfloat64 size_y",
    "vision_msgs/Pose2D": "vision_msgs/Point2D position\nfloat64 theta",
    "vision_msgs/Point2D": "float64 x\nfloat64 y",
}
DEFINITIONS = {
    DETECTIONS: f"\n{_SEPARATOR}\n".join(
        [
            "std_msgs/Header header\nvision_msgs/Detection2D[] detections",
            *(f"MSG: {name}\n{text}" for name, text in _PARTS.items()),
        ]
    ),
    STRING: "string data",
}
"""The text that says how each message is laid out, which a recording carries with it."""


class _Writer:
    """Appends values, each on a multiple of its own size after the header of four bytes."""

    def __init__(self) -> None:
        self.data = bytearray(b"\0\x01\0\0")  # little-endian CDR

    def add(self, code: str, *values: float) -> None:
        """Numbers of one type, by its code of ``struct``."""
        size = struct.calcsize(code)
        self.data += bytes(-(len(self.data) - 4) % size)
        self.data += struct.pack(f"<{len(values)}{code}", *values)

    def text(self, value: str) -> None:
        """A string, with its length and a zero behind it."""
        encoded = value.encode() + b"\0"
        self.add("I", len(encoded))
        self.data += encoded

    def header(self, stamp_ns: int, frame_id: str) -> None:
        """A ``std_msgs/Header``."""
        seconds, rest = divmod(stamp_ns, 10**9)
        self.add("i", seconds)
        self.add("I", rest)
        self.text(frame_id)


def string(value: str) -> bytes:
    """A ``std_msgs/String``.

    >>> string("hi").hex(" ", 4)
    '000100 00030000 00686900'
    """
    writer = _Writer()
    writer.text(value)
    return bytes(writer.data)


def detections(
    stamp_ns: int, box: Box | None, confidence: float, *, frame_id: str = "camera", target: str = "1"
) -> bytes:
    """A ``vision_msgs/Detection2DArray`` of one target, as vision_msgs 4 has it (Humble and later).

    Args:
        stamp_ns: When the frame was captured, nanoseconds since 1970.
        box: In pixels; ``None`` gives an empty array.
        confidence: The score, in [0, 1]; ``nan`` where there is none.
        frame_id: Of the camera.
        target: Its identity.
    """
    writer = _Writer()
    writer.header(stamp_ns, frame_id)
    writer.add("I", int(box is not None))
    if box is not None:
        x, y, w, h = (float(side) for side in box)
        writer.header(stamp_ns, frame_id)
        writer.add("I", 1)  # one hypothesis
        writer.text("target")
        # Its pose in space is unknown: the origin, not turned, with no covariance.
        writer.add("d", confidence, 0, 0, 0, 0, 0, 0, 1, *[0] * 36)
        writer.add("d", x + w / 2, y + h / 2, 0, w, h)
        writer.text(target)
    return bytes(writer.data)
