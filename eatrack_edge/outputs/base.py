"""What an output is, and the record of a frame that it takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Protocol, TypeVar

from eatrack_edge.core.boxes import Box
from eatrack_edge.core.crops import Frame

AnyOutput = TypeVar("AnyOutput", bound="BaseOutput")


@dataclass(frozen=True, slots=True)
class FrameRecord:
    """One tracked frame.

    Attributes:
        frame: Number in the source, from 0.
        pts_s: When it is shown, seconds after the source's first frame.
        box: In pixels of the displayed frame; ``None`` where none is claimed, in ``LOST`` for example.
        confidence: In [0, 1]; ``nan`` where the tracker gives none.
        state: See ``TrackState``.
        wall_ns: Clock of this machine when the result was ready, nanoseconds since 1970.
        template_updated: A template was replaced on this frame.
        template_note: Why it was, or why it was not.
        ms: Milliseconds by stage, e.g. ``{"decode": 2.1, "infer": 8.0, "total": 11.3}``.
        dropped: Frames left out since the record before.
        last_reliable_box: In ``LOST``, the last box that was claimed without doubt.
        candidates: While a lost target is looked for, what may be it: boxes with a probability in [0, 1] each.
        state_change: On the first frame of another state: ``before``, ``reason`` and ``evidence``; empty otherwise.
    """

    frame: int
    pts_s: float
    box: Box | None
    confidence: float
    state: str = "TRACKING"
    wall_ns: int = 0
    template_updated: bool = False
    template_note: str = ""
    ms: Mapping[str, float] = field(default_factory=dict)
    dropped: int = 0
    last_reliable_box: Box | None = None
    candidates: Sequence[tuple[Box, float]] = ()
    state_change: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RunEvent:
    """Something that happened to the source between two frames.

    Attributes:
        kind: ``gap`` (frames are lost or damaged) or ``size_change``.
        frame: Number of the first frame that it concerns.
        values: The rest, whatever JSON can hold.
    """

    kind: str
    frame: int
    values: Mapping[str, object] = field(default_factory=dict)

    def to_line(self) -> dict[str, object]:
        """As an object of a log, whose ``type`` is its kind."""
        return {"type": self.kind, "frame": self.frame, **self.values}


@dataclass(frozen=True, slots=True)
class RunInfo:
    """What an output may need to know of a run before its first frame.

    Attributes:
        name: Short name of the source, e.g. ``boat1``.
        fps: Frames per second of the source.
        header: Source, model, settings: whatever JSON can hold.
        overwrite: Replace files that exist.
    """

    name: str
    fps: float
    header: Mapping[str, object] = field(default_factory=dict)
    overwrite: bool = False


class Output(Protocol):
    """Takes one record a frame. ``BaseOutput`` has all of it but ``write``."""

    needs_picture: bool
    """Whether ``write`` is given the annotated picture, which costs time to draw."""
    is_closed_by_user: bool
    """Whether the user asked the run to end, by closing a window for example."""

    def write(self, record: FrameRecord, picture: Frame | None = None) -> None:
        """Append the result of one frame.

        Args:
            record: The result.
            picture: The annotated frame, shape (H, W, 3), BGR, where ``needs_picture``.

        Raises:
            OutputError: The file cannot be written.
        """
        ...

    def write_event(self, event: RunEvent) -> None:
        """Append an event, before the frame that it concerns, in a form that has a place for it.

        Raises:
            OutputError: The file cannot be written.
        """
        ...

    def write_summary(self, summary: Mapping[str, object]) -> None:
        """Append the summary of the run, in a form that has a place for it.

        Raises:
            OutputError: The file cannot be written.
        """
        ...

    def finish(self, error: BaseException | None) -> None:
        """Close at the end of a run; a failure to do so never hides the ``error`` that ended it.

        Raises:
            OutputError: The rest cannot be written, and ``error`` is ``None``.
        """
        ...


class BaseOutput:
    """The parts that most outputs share."""

    needs_picture = False
    is_closed_by_user = False

    def write_event(self, event: RunEvent) -> None:
        """This form has no place for events."""

    def write_summary(self, summary: Mapping[str, object]) -> None:
        """This form has no place for a summary."""

    def finish(self, error: BaseException | None) -> None:
        """Nothing to close."""

    def __enter__(self: AnyOutput) -> AnyOutput:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.finish(error)
