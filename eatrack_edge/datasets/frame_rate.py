"""The frame rate of a sequence: what its dataset states, or its video file."""

from __future__ import annotations

from eatrack_edge.datasets.frame_sets import VideoFrames
from eatrack_edge.datasets.sequence import IMAGE_FPS, Sequence
from eatrack_edge.sources.video_file import opened, rate_of


def frame_rate(sequence: Sequence) -> float:
    """Frames per second of a sequence, with its frame stride; a dataset of images that states none has 30.

    A video's rate is the file's own: where a publisher wrote 30 into a file of 10 frames a second, so does this.

    Raises:
        InputError: The video cannot be opened.
        MissingExtra: PyAV is not installed.
    """
    if sequence.fps is not None:
        return sequence.fps
    if isinstance(sequence.frames, VideoFrames):
        with opened(sequence.frames.path, str(sequence.frames.path), "NONE") as (container, stream):
            return rate_of(container, stream) / sequence.frames.every
    return IMAGE_FPS
