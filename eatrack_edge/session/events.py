"""What happens in a live session. Every time is ``time.monotonic_ns()``: wall clocks jump in flight."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from eatrack_edge.core.boxes import Box
from eatrack_edge.outputs.base import FrameRecord
from eatrack_edge.sources.feed import LiveFrame

WAITING = "WAITING"
"""State of a session without a target; with one it has the tracker's states."""


@dataclass(frozen=True, slots=True, eq=False)
class FrameEvent:
    """The result of one frame.

    Attributes:
        shown: The frame, read-only.
        record: Its result; without a target it has no box, and the state ``WAITING``.
        age_ms: Milliseconds from the decoder to the result.
    """

    shown: LiveFrame
    record: FrameRecord
    age_ms: float


@dataclass(frozen=True, slots=True)
class StateEvent:
    """The state changed."""

    state: str
    before: str
    frame: int  # number of the first frame in the new state
    at_ns: int
    reason: str = ""  # in words
    evidence: Mapping[str, float] = field(default_factory=dict)  # see ``StateChange``; empty where a person decided


@dataclass(frozen=True, slots=True)
class SourceLostEvent:
    """Frames do not come, or no longer. The source is being reopened, and the target is kept."""

    reason: str
    at_ns: int
    was_found: bool = True  # before; a source that was not is not found yet, rather than lost


@dataclass(frozen=True, slots=True)
class SourceFoundEvent:
    """Frames come, for the first time or again."""

    description: str  # what reads the source, such as the GStreamer pipeline
    outage_s: float
    at_ns: int
    size: tuple[int, int] | None = None  # (width, height) of the frames that come, pixels
    was_found: bool = True  # before


@dataclass(frozen=True, slots=True)
class SelectionEvent:
    """A selection was carried out, or refused."""

    frame: int  # that the box was taken on; of a refused one the frame that it names, or the newest; -1 before any came
    reason: str  # why it was refused; empty where it was not
    is_refused: bool
    at_ns: int
    box: Box | None = None  # in pixels of that frame; the proposed one after a click; `None` where it was refused
    id: int | None = None  # of the selection, see ``Select``


@dataclass(frozen=True, slots=True)
class RestoreEvent:
    """An earlier template is in the second slot again, or that was refused."""

    number: int  # of the template
    frame: int  # number of the newest frame; -1 before any came
    reason: str  # why it was refused; empty where it was not
    is_refused: bool
    at_ns: int


@dataclass(frozen=True, slots=True)
class OutputFailedEvent:
    """An output failed. Tracking goes on without it."""

    output: str
    reason: str
    at_ns: int
    is_final: bool = True  # it takes no more; otherwise it tries again, and the reason says so


@dataclass(frozen=True, slots=True)
class StationEvent:
    """A ground station, or the link to it, came or went, or is not as it should be."""

    text: str
    at_ns: int


@dataclass(frozen=True, slots=True)
class VehicleClockEvent:
    """The vehicle's clocks beside this machine's, to lay its log beside ours."""

    boot_ms: int  # since the autopilot's start
    unix_us: int  # its wall clock; 0 where it has none, as without GPS
    at_ns: int


@dataclass(frozen=True, slots=True)
class EndEvent:
    """The session ended; the last event."""

    summary: Mapping[str, object]


Event = (
    FrameEvent
    | StateEvent
    | SourceLostEvent
    | SourceFoundEvent
    | SelectionEvent
    | RestoreEvent
    | OutputFailedEvent
    | StationEvent
    | VehicleClockEvent
    | EndEvent
)
