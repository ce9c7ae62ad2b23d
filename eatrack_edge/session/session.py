"""A session: frames from a source through the tracker, one record a frame."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import NamedTuple

from eatrack_edge.core.boxes import Box
from eatrack_edge.outputs.base import FrameRecord, RunEvent
from eatrack_edge.session.continuity import continuous
from eatrack_edge.session.frame_result import tracked_record, untracked_record
from eatrack_edge.session.picture_size import PictureSize
from eatrack_edge.sources.base import Source, SourceFrame
from eatrack_edge.tracking.tracker import Tracker

_LOST = "the frame is lost to damage"


class TrackedFrame(NamedTuple):
    """One frame and its result.

    Attributes:
        shown: The frame, of the size of the first.
        record: The result.
        events: What happened to the source just before.
    """

    shown: SourceFrame
    record: FrameRecord
    events: tuple[RunEvent, ...] = ()


def track(tracker: Tracker, source: Source, box: Box) -> Iterator[TrackedFrame]:
    """Initialise the tracker on the first frame of a source, and update it with every other.

    Args:
        tracker: Its target is replaced.
        source: Its first frame is the one that ``box`` belongs to.
        box: The target in that frame, pixels.

    Yields:
        Every frame; the confidence of the first is ``nan``, because nothing was searched for in it. A frame that was
        lost to damage has no box, nor has one in which the target is ``LOST``.

    Raises:
        InputError: ``Tracker.init`` refuses the box, or ``Tracker.update`` a frame.
        SourceLost: Frames stopped coming.
    """
    asked = time.perf_counter()
    for position, (shown, events) in enumerate(continuous(source)):
        decode_ms = 1000 * (time.perf_counter() - asked)
        if position == 0:
            tracker.init(shown.frame, box)
            record = untracked_record(shown, box, "TRACKING")
        elif shown.lost:
            record = untracked_record(shown, None, "UNCERTAIN", _LOST)
        else:
            record = tracked_record(shown, tracker.update(shown.frame), PictureSize.of(shown.frame), decode_ms)
        yield TrackedFrame(shown, record, events)
        asked = time.perf_counter()
