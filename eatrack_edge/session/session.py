"""Tracks a source from one frame on, frame by frame, and sums up how it went."""

from __future__ import annotations

import math
import time
from array import array
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from eatrack_edge.core.boxes import Box, iou
from eatrack_edge.outputs.records import FrameRecord
from eatrack_edge.sources.base import Source, SourceFrame
from eatrack_edge.tracking.tracker import Tracker, Update


class Followed(NamedTuple):
    """One frame and what became of it."""

    shown: SourceFrame
    record: FrameRecord


def follow(tracker: Tracker, source: Source, box: Box) -> Iterator[Followed]:
    """Init on the source's first frame, then update on every other.

    Args:
        tracker: Whose target is replaced.
        source: Its first frame is the one the box was drawn on.
        box: The target in that frame, pixels.

    Yields:
        Every frame; the first has no score, because nothing was searched for in it.

    Raises:
        InputError: ``Tracker.init`` refuses the box, or ``Tracker.update`` a frame.
        SourceLost: Frames stopped coming.
    """
    asked = time.perf_counter()
    for position, shown in enumerate(source):
        decode_ms = 1000 * (time.perf_counter() - asked)
        if position == 0:
            tracker.init(shown.frame, box)
            record = FrameRecord(shown.index, shown.pts_s, box, math.nan, wall_ns=time.time_ns())
        else:
            record = _record(shown, tracker.update(shown.frame), decode_ms)
        yield Followed(shown, record)
        asked = time.perf_counter()


def _record(shown: SourceFrame, update: Update, decode_ms: float) -> FrameRecord:
    latency, event = update.latency_ms, update.template_event
    return FrameRecord(
        frame=shown.index,
        pts_s=shown.pts_s,
        box=update.box,
        score=update.confidence,
        state=update.state,
        wall_ns=time.time_ns(),
        template_updated=event is not None and event.is_replaced,
        template_note=event.reason if event else update.note,
        ms={
            "decode": decode_ms,
            "crop": latency.crop,
            "infer": latency.infer,
            "post": latency.decode,
            "template": latency.template,
            "total": latency.total,
        },
    )


class Summary:
    """What can be said of a run, kept while it goes on."""

    def __init__(self) -> None:
        self._start = time.perf_counter()
        self._latencies, self._scores, self._overlaps = array("d"), array("d"), array("d")
        self.frames = 0
        self.uncertain_frames = 0
        self.template_updates = 0

    def add(self, followed: Followed) -> None:
        """Count one frame; the first, whose box was given, is no merit of the tracker."""
        shown, record = followed
        self.frames += 1
        if self.frames == 1:
            return
        self._latencies.append(record.ms["total"])
        self._scores.append(record.score)
        self.uncertain_frames += record.state != "TRACKING"
        self.template_updates += record.template_updated
        if shown.truth is not None and record.box is not None:
            self._overlaps.append(float(iou(np.array([record.box]), np.array([shown.truth]))[0]))

    @property
    def update_fps(self) -> float | None:
        """Updates per second of the tracker alone, from the median latency; ``None`` before the second frame."""
        return 1000 / float(np.median(self._latencies)) if self._latencies else None

    def table(self, ended: str) -> dict[str, object]:
        """The run in numbers; what was not measured is not in it.

        Args:
            ended: Why it ended, in words.
        """
        wall_s = time.perf_counter() - self._start
        table: dict[str, object] = {"ended": ended, "frames": self.frames, "wall_s": round(wall_s, 3)}
        if self._latencies:
            p50, p95 = np.percentile(self._latencies, [50, 95])
            table |= {
                "end_to_end_fps": round(self.frames / wall_s, 2),
                "update_ms_p50": round(float(p50), 3),
                "update_ms_p95": round(float(p95), 3),
                "mean_score": round(float(np.mean(self._scores)), 4),
                "uncertain_frames": self.uncertain_frames,
                "template_updates": self.template_updates,
            }
        if self._overlaps:
            overlaps = np.nan_to_num(np.array(self._overlaps))
            table |= {
                "mean_overlap": round(float(overlaps.mean()), 4),
                "frames_over_half_overlap": round(float((overlaps > 0.5).mean()), 4),
            }
        return table
