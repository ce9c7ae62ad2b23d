"""Where the frames of a sequence are: image files, a video, a synthetic scene, or one video cut into another."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class ImageFrames:
    """Frames that are image files, in order."""

    paths: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class VideoFrames:
    """Frames of a video file, from its first on; how many is known from the annotations."""

    path: Path
    every: int = 1  # 3 leaves out two frames after each


@dataclass(frozen=True, slots=True)
class SceneFrames:
    """Frames of a synthetic scene, drawn when they are read."""

    uri: str  # as `test://` takes it
    every: int = 1


PlainFrames = ImageFrames | VideoFrames | SceneFrames


@dataclass(frozen=True, slots=True)
class FrameRange:
    """Successive frames of one sequence, from frame ``first`` on."""

    frames: PlainFrames
    first: int
    count: int


@dataclass(frozen=True, slots=True)
class SplicedFrames:
    """A clip that shows another one for a while, scaled to its own size.

    Attributes:
        tracked: The clip, frames that are not shown included.
        begin: Frame of the clip, from 0, from which on the other one is shown instead.
        splice: What is shown instead.
    """

    tracked: FrameRange
    begin: int
    splice: FrameRange

    @property
    def end(self) -> int:
        """Frame of the clip, from 0, that is shown when the splice is over."""
        return self.begin + self.splice.count


Frames = PlainFrames | SplicedFrames
