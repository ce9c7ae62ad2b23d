"""The record of a frame, of a file or of a camera."""

from __future__ import annotations

import math
import time

from eatrack_edge.core.boxes import Box
from eatrack_edge.outputs.base import FrameRecord
from eatrack_edge.session.picture_size import PictureSize
from eatrack_edge.sources.base import SourceFrame
from eatrack_edge.sources.feed import LiveFrame
from eatrack_edge.tracking.result import TrackResult


def untracked_record(shown: SourceFrame, box: Box | None, state: str, note: str = "") -> FrameRecord:
    """What is written down of a frame that the tracker was not asked to update with.

    Args:
        shown: The frame.
        box: That the target was given, in pixels of the frame; ``None`` where it was given none.
        state: See ``TrackState``; of a live session also what it is while there is no target.
        note: Why the tracker was not asked.
    """
    return FrameRecord(
        shown.index,
        shown.pts_s,
        box,
        math.nan,
        state,
        time.time_ns(),
        template_note=note,
        dropped=_dropped(shown),
    )


def tracked_record(
    shown: SourceFrame, result: TrackResult, size: PictureSize, decode_ms: float | None = None
) -> FrameRecord:
    """What is written down of a frame that the tracker was updated with.

    Args:
        shown: The frame.
        result: The tracker's.
        size: Of the frames that the tracker is given, in whose pixels its boxes are.
        decode_ms: What it took to read the frame, milliseconds; ``None`` where that was not measured.
    """
    latency, event, change = result.latency_ms, result.template_event, result.state_change
    last_reliable_box = result.last_reliable_box
    return FrameRecord(
        frame=shown.index,
        pts_s=shown.pts_s,
        box=size.box_on(shown.frame, result.box) if result.is_target_visible else None,
        confidence=result.confidence,
        state=str(result.state),
        wall_ns=time.time_ns(),
        template_updated=event is not None and event.is_replaced,
        template_note=event.reason if event else result.note,
        ms={
            **({} if decode_ms is None else {"decode": decode_ms}),
            "crop": latency.crop,
            "infer": latency.infer,
            "post": latency.decode,
            "template": latency.template,
            "total": latency.total,
        },
        dropped=_dropped(shown),
        last_reliable_box=None if last_reliable_box is None else size.box_on(shown.frame, last_reliable_box),
        candidates=[(size.box_on(shown.frame, one.box), one.probability) for one in result.candidates],
        state_change={} if change is None else change.to_record(),
    )


def _dropped(shown: SourceFrame) -> int:
    return shown.dropped if isinstance(shown, LiveFrame) else 0
