"""The record of a live frame."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence

from eatrack_edge.core.boxes import Box
from eatrack_edge.outputs.base import FrameRecord
from eatrack_edge.sources.feed import LiveFrame
from eatrack_edge.tracking.result import TrackResult


def record_of(
    shown: LiveFrame,
    box: Box | None,
    state: str,
    result: TrackResult | None = None,
    candidates: Sequence[tuple[Box, float]] = (),
) -> FrameRecord:
    """What is written down of a frame.

    Args:
        shown: The frame.
        box: In pixels of the frame; where the result is of a target that is not visible, the last reliable one.
        state: The session's.
        result: The tracker's; ``None`` of a frame that it was not given.
        candidates: What may be a lost target, in pixels of the frame, with probabilities.
    """
    if result is None:
        wall_ns = time.time_ns()
        return FrameRecord(shown.index, shown.pts_s, box, math.nan, state, wall_ns, dropped=shown.dropped)
    latency, event, change = result.latency_ms, result.template_event, result.state_change
    return FrameRecord(
        frame=shown.index,
        pts_s=shown.pts_s,
        box=box if result.is_target_visible else None,
        confidence=result.confidence,
        state=state,
        wall_ns=time.time_ns(),
        template_updated=event is not None and event.is_replaced,
        template_note=event.reason if event else result.note,
        ms={
            "crop": latency.crop,
            "infer": latency.infer,
            "post": latency.decode,
            "template": latency.template,
            "total": latency.total,
        },
        dropped=shown.dropped,
        last_reliable_box=None if result.is_target_visible else box,
        candidates=candidates,
        state_change={} if change is None else change.to_record(),
    )
