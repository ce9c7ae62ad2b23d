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
    """A clip that shows another one for a while. All frames get the size of the first part's.

    Attributes:
        before: The tracked clip up to the splice.
        splice: The other clip, shown in place of as many frames of the tracked one.
        after: The tracked clip from where it would be by then.
    """

    before: FrameRange
    splice: FrameRange
    after: FrameRange

    @property
    def parts(self) -> tuple[FrameRange, ...]:
        """The parts in the order in which they are shown."""
        return self.before, self.splice, self.after


Frames = PlainFrames | SplicedFrames
