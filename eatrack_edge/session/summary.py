"""The summary of a run: what can be said of it in numbers, collected in constant time and memory per frame."""

from __future__ import annotations

import math
import time
from collections import deque
from statistics import median

import numpy as np

from eatrack_edge.core.boxes import iou
from eatrack_edge.outputs.base import FrameRecord, RunEvent
from eatrack_edge.session.histogram import Histogram
from eatrack_edge.session.session import TrackedFrame

_WINDOW = 31  # updates whose median is the speed that is shown


class Summary:
    """Latency, confidence, what was lost and, where the truth is known, overlap of one run.

    Attributes:
        frames: Frames so far, lost ones included.
        lost_frames: Of these, lost to damage.
        damaged_frames: Of these, damaged in part.
        size_changes: How often the picture changed its size.
        uncertain_frames: Updates in ``UNCERTAIN``.
        target_lost_frames: Updates in ``LOST``.
        times_lost: How often the target became ``LOST``.
        times_reacquired: How often it was ``REACQUIRED``.
        template_updates: Templates replaced.
    """

    def __init__(self) -> None:
        self._start = time.perf_counter()
        self._latencies, self._recent = Histogram(), deque[float](maxlen=_WINDOW)
        self._updates, self._confidence_sum = 0, 0.0
        self._overlaps, self._overlap_sum, self._over_half = 0, 0.0, 0
        self._first: dict[str, RunEvent] = {}
        self.frames = self.lost_frames = self.damaged_frames = self.size_changes = 0
        self.uncertain_frames = self.target_lost_frames = self.times_lost = self.times_reacquired = 0
        self.template_updates = 0

    def add(self, tracked: TrackedFrame) -> None:
        """Count one frame. The first is left out of the means: its box was given."""
        shown, record = tracked.shown, tracked.record
        self.frames += 1
        self.lost_frames += bool(shown.lost)
        self.damaged_frames += shown.is_damaged
        for event in tracked.events:
            self._first.setdefault(event.kind, event)
            self.size_changes += event.kind == "size_change"
        if self.frames == 1 or shown.lost:
            return
        self._latencies.add(record.ms["total"])
        self._recent.append(record.ms["total"])
        self._updates += 1
        self._confidence_sum += record.confidence
        self._count_state(record)
        self.template_updates += record.template_updated
        if shown.truth is not None:
            # A frame in which the tracker claims no box, though the target is there, overlaps by nothing.
            overlap = 0.0 if record.box is None else float(iou(np.array([record.box]), np.array([shown.truth]))[0])
            overlap = 0.0 if math.isnan(overlap) else overlap
            self._overlaps += 1
            self._overlap_sum += overlap
            self._over_half += overlap > 0.5

    def _count_state(self, record: FrameRecord) -> None:
        is_lost = record.state == "LOST"
        self.uncertain_frames += record.state == "UNCERTAIN"
        self.target_lost_frames += is_lost
        self.times_lost += is_lost and bool(record.state_change)
        self.times_reacquired += record.state == "REACQUIRED"

    @property
    def update_fps(self) -> float | None:
        """Updates per second of the tracker alone, by the median of the last few; ``None`` before the second frame."""
        return 1000 / max(median(self._recent), 1e-6) if self._recent else None

    def table(self, ended: str) -> dict[str, object]:
        """The run in numbers; what was not measured is not in it.

        Args:
            ended: Why it ended, in words.
        """
        wall_s = time.perf_counter() - self._start
        table: dict[str, object] = {"ended": ended, "frames": self.frames, "wall_s": round(wall_s, 3)}
        counts = {"lost_frames": self.lost_frames, "damaged_frames": self.damaged_frames}
        table |= {name: count for name, count in (counts | {"size_changes": self.size_changes}).items() if count}
        if self._updates:
            table |= {
                "end_to_end_fps": round(self.frames / wall_s, 2),
                "update_ms_p50": round(self._latencies.quantile(0.5), 3),
                "update_ms_p95": round(self._latencies.quantile(0.95), 3),
                "mean_confidence": round(self._confidence_sum / self._updates, 4),
                "uncertain_frames": self.uncertain_frames,
                "target_lost_frames": self.target_lost_frames,
                "times_lost": self.times_lost,
                "times_reacquired": self.times_reacquired,
                "template_updates": self.template_updates,
            }
        if self._overlaps:
            table |= {
                "mean_overlap": round(self._overlap_sum / self._overlaps, 4),
                "frames_over_half_overlap": round(self._over_half / self._overlaps, 4),
            }
        return table

    def warnings(self) -> list[str]:
        """What was wrong with the source, a line each."""
        lines = []
        if gap := self._first.get("gap"):
            lines.append(
                f"{self.lost_frames} frames were lost to damage and {self.damaged_frames} were damaged in part, "
                f"the first is frame {gap.frame}"
            )
        if change := self._first.get("size_change"):
            size, file = change.values["size"], change.values.get("file")
            width, height = size if isinstance(size, tuple) else (0, 0)
            where = f"frame {change.frame} ({file})" if file else f"frame {change.frame}"
            lines.append(f"{where} is {width}x{height}: frames of another size than the first were scaled to that")
        return lines
