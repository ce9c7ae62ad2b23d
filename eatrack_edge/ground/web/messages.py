"""The messages of the ground station's WebSocket: JSON objects with a ``type``, and pictures."""

# pyright does not see the keywords of msgspec's structs; mypy checks them.
# pyright: reportCallIssue=false, reportGeneralTypeIssues=false
from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from typing import Annotated

import msgspec

MAX_BYTES = 4096  # of a message from a viewer; the longest that has a meaning is below 200

Number = Annotated[int, msgspec.Meta(ge=0, le=2**53)]  # a float, which is all that a browser has, holds these exactly
Width = Annotated[int, msgspec.Meta(ge=1, le=16384)]


class SelectBox(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="select"):
    """Track the target in a box."""

    box: tuple[float, float, float, float]  # x, y, w, h in pixels of the frame
    frame: Number  # of a picture that this viewer was sent
    id: Number = 0  # the viewer's own; sent back with the answer


class SelectClick(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="point"):
    """Track what is at a point."""

    x: float  # pixels of the frame
    y: float
    frame: Number
    id: Number = 0


class KeepPicture(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="keep"):
    """Keep the frame of a picture that stands still on the screen, to be drawn on."""

    frame: Number


class RestoreSlot(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="restore"):
    """Show an earlier template in the second slot again."""

    number: Number  # of the template
    target: Number  # that it is of, as `/api/templates` says


class StopTracking(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="stop"):
    """Track nothing."""


class TakeControl(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="take"):
    """Be the one who commands."""


class ReleaseControl(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="release"):
    """Leave the commands to others."""


class Acknowledge(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="ack"):
    """A picture was drawn; another may be sent."""

    picture: Number
    age_ms: float | None = None  # from capture to the drawn picture, as the viewer measured it


class Ping(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="ping"):
    """Asks for the server's clock."""

    at: float  # the viewer's clock; sent back as it is


class View(msgspec.Struct, frozen=True, forbid_unknown_fields=True, tag="view"):
    """How large the viewer shows the picture."""

    width: Width  # pixels of its screen


Command = SelectBox | SelectClick | KeepPicture | RestoreSlot | StopTracking
ViewerMessage = Command | TakeControl | ReleaseControl | Acknowledge | Ping | View
_decoder: msgspec.json.Decoder[ViewerMessage] = msgspec.json.Decoder(ViewerMessage)


def parse_message(text: str) -> ViewerMessage | None:
    """A viewer's message; ``None`` where it is none.

    >>> parse_message('{"type": "select", "box": [10, 20, 30, 40], "frame": 117}')
    SelectBox(box=(10.0, 20.0, 30.0, 40.0), frame=117, id=0)
    >>> parse_message('{"type": "select", "box": [10, 20, 30], "frame": 117}')
    """
    try:
        return _decoder.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError, RecursionError):
        return None


def refuse_selection(message: SelectBox | SelectClick, frame_size: tuple[int, int]) -> str:
    """Why a selection is refused; empty where it is not.

    Args:
        message: The selection.
        frame_size: (width, height) of the frame that it names.
    """
    width, height = frame_size
    if isinstance(message, SelectClick):
        is_inside = 0 <= message.x <= width and 0 <= message.y <= height
        return "" if is_inside else "the point is outside the picture"
    x, y, w, h = message.box
    if not all(math.isfinite(side) for side in message.box) or w < 1 or h < 1:
        return "the box is empty"
    # A finger that leaves the picture is cut off there; a pixel is left for rounding.
    is_inside = x >= -1 and y >= -1 and x + w <= width + 1 and y + h <= height + 1
    return "" if is_inside else "the box is not inside the picture"


def point_inside(message: SelectClick, frame_size: tuple[int, int]) -> tuple[float, float]:
    """The place of a click that is not refused: on the far edges it is the last pixel, since the next is outside.

    >>> point_inside(SelectClick(640, 20.5, 117), (640, 360))
    (639.0, 20.5)
    """
    width, height = frame_size
    return min(message.x, width - 1.0), min(message.y, height - 1.0)


def text(kind: str, **values: object) -> str:
    """A message to a viewer."""
    return msgspec.json.encode({"type": kind, **values}).decode()


def picture_message(header: Mapping[str, object], jpeg: bytes) -> bytes:
    """A picture: the length of the header (4 bytes, little-endian), the header as JSON, and the JPEG."""
    encoded = msgspec.json.encode(header)
    return struct.pack("<I", len(encoded)) + encoded + jpeg
