"""A session: frames from a source through the tracker, one record a frame."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from typing import NamedTuple

from eatrack_edge.core.boxes import Box
from eatrack_edge.outputs.base import FrameRecord, RunEvent
from eatrack_edge.session.continuity import continuous
from eatrack_edge.sources.base import Source, SourceFrame
from eatrack_edge.tracking.result import TrackResult
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
            record = FrameRecord(shown.index, shown.pts_s, box, math.nan, wall_ns=time.time_ns())
        elif shown.lost:
            record = FrameRecord(
                shown.index, shown.pts_s, None, math.nan, "UNCERTAIN", time.time_ns(), template_note=_LOST
            )
        else:
            record = _record(shown, tracker.update(shown.frame), decode_ms)
        yield TrackedFrame(shown, record, events)
        asked = time.perf_counter()


def _record(shown: SourceFrame, result: TrackResult, decode_ms: float) -> FrameRecord:
    latency, event, change = result.latency_ms, result.template_event, result.state_change
    return FrameRecord(
        frame=shown.index,
        pts_s=shown.pts_s,
        box=result.box if result.is_target_visible else None,
        confidence=result.confidence,
        state=result.state,
        wall_ns=time.time_ns(),
        template_updated=event is not None and event.is_replaced,
        template_note=event.reason if event else result.note,
        ms={
            "decode": decode_ms,
            "crop": latency.crop,
            "infer": latency.infer,
            "post": latency.decode,
            "template": latency.template,
            "total": latency.total,
        },
        last_reliable_box=result.last_reliable_box,
        candidates=[(candidate.box, candidate.probability) for candidate in result.candidates],
        state_change={} if change is None else change.to_record(),
    )
