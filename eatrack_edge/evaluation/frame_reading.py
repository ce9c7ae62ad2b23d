"""Reads the frames of a sequence in order, whatever they are: images, a video, a synthetic scene, or spliced clips."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from itertools import islice

import cv2
import numpy as np

from eatrack_edge.core.crops import Frame
from eatrack_edge.core.errors import InputError
from eatrack_edge.core.frames import frame_size
from eatrack_edge.datasets.frame_sets import ImageFrames, PlainFrames, SceneFrames, SplicedFrames
from eatrack_edge.datasets.sequence import Sequence
from eatrack_edge.sources.base import Source, SourceFrame
from eatrack_edge.sources.images import ImageSource
from eatrack_edge.sources.synthetic import SyntheticSource
from eatrack_edge.sources.video import VideoSource


@contextmanager
def open_frames(sequence: Sequence) -> Iterator[Iterator[Frame]]:
    """Open a sequence's frames for reading in order.

    Raises:
        InputError: They cannot be opened or read.
        MissingExtra: A video, and PyAV is not installed.
    """
    with ExitStack() as opened:
        if isinstance(sequence.frames, SplicedFrames):
            yield _spliced(sequence, sequence.frames, opened)
        else:
            yield _plain(sequence, sequence.frames, 0, opened)


def read_frame(sequence: Sequence, index: int) -> Frame:
    """Read one frame of a sequence, from 0.

    Raises:
        InputError: It cannot be read.
    """
    with ExitStack() as opened:
        if isinstance(sequence.frames, SplicedFrames):
            found = next(islice(_spliced(sequence, sequence.frames, opened), index, None), None)
        else:
            found = next(_plain(sequence, sequence.frames, index, opened), None)
    if found is None:
        raise InputError(f"{sequence.dataset}/{sequence.name}: frame {index} cannot be read")
    return found


def resized(frame: Frame, size: tuple[int, int]) -> Frame:
    """A frame scaled to (width, height), pixels."""
    smooth = cv2.INTER_AREA if frame.shape[1] > size[0] else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(frame, size, interpolation=smooth), np.uint8)


def _plain(sequence: Sequence, frames: PlainFrames, first: int, opened: ExitStack) -> Iterator[Frame]:
    source: Source
    every = 1
    if isinstance(frames, ImageFrames):
        source = ImageSource(list(frames.paths), name=sequence.name, uri=str(frames.paths[0].parent), start=first)
    elif isinstance(frames, SceneFrames):
        every = frames.every
        source = SyntheticSource.from_uri(frames.uri, start=first * every)
    else:
        every = frames.every
        source = VideoSource(frames.path, start=first * every, is_threaded=False)  # other workers use the other cores
    opened.enter_context(source)
    return (_sound(item, sequence) for item in islice(source, 0, None, every))


def _spliced(sequence: Sequence, frames: SplicedFrames, opened: ExitStack) -> Iterator[Frame]:
    """The tracked clip, read once from end to end; the other one is scaled to its size, as its truth is."""
    tracked = _plain(sequence, frames.tracked.frames, frames.tracked.first, opened)
    other = _plain(sequence, frames.splice.frames, frames.splice.first, opened)
    size: tuple[int, int] | None = None
    for index, own in enumerate(islice(tracked, frames.tracked.count)):
        is_spliced = frames.begin <= index < frames.end
        frame = next(other, None) if is_spliced else own
        if frame is None:
            return  # the other clip is shorter than its annotation: the evaluation reports the missing frames
        size = size or frame_size(frame)
        yield frame if frame_size(frame) == size else resized(frame, size)


def _sound(item: SourceFrame, sequence: Sequence) -> Frame:
    """A frame to be scored: one that was lost to damage is replaced by the one before, which has another truth."""
    if item.lost:
        raise InputError(f"{sequence.dataset}/{sequence.name}: frame {item.index} is damaged and cannot be decoded")
    return item.frame
