"""What a source of frames is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import PurePath
from types import TracebackType
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from eatrack_edge.core.boxes import Box
from eatrack_edge.core.crops import Frame
from eatrack_edge.core.errors import InputError
from eatrack_edge.core.frames import frame_size
from eatrack_edge.sources.live_options import LiveOptions


@dataclass(frozen=True, slots=True, eq=False)
class SourceFrame:
    """One frame, and where it stands in its source.

    Attributes:
        index: Place in the whole source, from 0, also when reading began later.
        pts_s: When it is shown, in seconds after the source's first frame.
        frame: Shape (H, W, 3), uint8 BGR, contiguous, in displayed orientation.
        truth: The true box in pixels of ``frame``; ``None`` where it is unknown.
        visible: Part of the target that can be seen, [0, 1]; ``None`` where it is unknown.
        lost: 0 for a frame that was read. A lost frame is replaced by the one before, so that the n-th delivered is
            always frame n; this counts it and the lost ones that follow at once.
        is_damaged: Parts of this frame were damaged, and filled in by the decoder.
        file: The file that holds this frame alone; empty where one file holds all.
    """

    index: int
    pts_s: float
    frame: Frame
    truth: Box | None = None
    visible: float | None = None
    lost: int = 0
    is_damaged: bool = False
    file: str = ""

    @property
    def size(self) -> tuple[int, int]:
        """(width, height), pixels."""
        return frame_size(self.frame)


@dataclass(frozen=True, slots=True)
class SourceOptions:
    """How to open a source.

    Attributes:
        start: First frame to deliver, from 0; frames keep their own numbers and times.
        image_fps: Frames per second to count time by where the source is images.
        value_range: Lowest and highest value of pictures of more than 8 bits, stretched to 8; ``None`` takes the range
            of the first picture.
        live: How to open a camera or a stream.
    """

    start: int = 0
    image_fps: float = 30.0
    value_range: tuple[float, float] | None = None
    live: LiveOptions = field(default_factory=LiveOptions)


class Source(Protocol):
    """Frames to read, from the first or from a later one on. Each iteration begins anew."""

    @property
    def name(self) -> str:
        """Short name for results, e.g. ``boat1`` for ``videos/boat1.mp4``."""
        ...

    @property
    def uri(self) -> str:
        """As the user wrote it."""
        ...

    @property
    def fps(self) -> float:
        """Frames per second; the average where the rate varies."""
        ...

    @property
    def frame_count(self) -> int | None:
        """Frames in the whole source; ``None`` when the file does not say."""
        ...

    @property
    def size(self) -> tuple[int, int]:
        """(width, height) of the first frame as displayed, pixels."""
        ...

    @property
    def rotation_applied(self) -> int:
        """Clockwise degrees that the stored frames were turned by: 0, 90, 180 or 270."""
        ...

    @property
    def truth(self) -> NDArray[np.float64] | None:
        """True boxes of the whole source, shape (frame_count, 4), pixels; ``None`` where they are unknown."""
        ...

    def __iter__(self) -> Iterator[SourceFrame]: ...

    def close(self) -> None:
        """Give back files and decoders; an iteration under way ends."""
        ...

    def __enter__(self) -> Source: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


AnySource = TypeVar("AnySource", bound="BaseSource")


class BaseSource:
    """All of ``Source`` but ``__iter__``; derive your own source from it.

    Args:
        uri: As the user wrote it.
        size: (width, height) of the first frame as displayed, pixels.
        name: Short name for results; the last part of ``uri`` without its suffix by default.
        fps: Frames per second; the average where the rate varies.
        frame_count: Frames in the whole source; ``None`` where that is not known, as of a camera.
    """

    rotation_applied = 0
    truth: NDArray[np.float64] | None = None

    def __init__(
        self, uri: str, size: tuple[int, int], *, name: str = "", fps: float = 30.0, frame_count: int | None = None
    ) -> None:
        self.uri, self.size, self.fps, self.frame_count = uri, size, fps, frame_count
        self.name = name or PurePath(uri.rpartition("://")[2]).stem or uri

    def __iter__(self) -> Iterator[SourceFrame]:
        """Frames from the first on, anew at each iteration."""
        raise NotImplementedError

    def close(self) -> None:
        """Nothing to give back."""

    def __enter__(self: AnySource) -> AnySource:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def starts_too_late(uri: str, start: int, frame_count: int | None) -> InputError:
    """The error for a first frame that the source does not have."""
    has = f"has {frame_count} frames, 0 to {frame_count - 1}" if frame_count else "ends before that"
    return InputError(f"{uri}: cannot start at frame {start}: the source {has}")
