"""The summary of a run: what can be said of it in numbers, collected while it goes on."""

from __future__ import annotations

import time
from array import array

import numpy as np

from eatrack_edge.core.boxes import iou
from eatrack_edge.session.session import TrackedFrame


class Summary:
    """Latency, confidence and, where the truth is known, overlap of one run."""

    def __init__(self) -> None:
        self._start = time.perf_counter()
        self._latencies, self._confidences, self._overlaps = array("d"), array("d"), array("d")
        self.frames = 0
        self.uncertain_frames = 0
        self.template_updates = 0

    def add(self, tracked: TrackedFrame) -> None:
        """Count one frame. The first is left out of the means: its box was given."""
        shown, record = tracked
        self.frames += 1
        if self.frames == 1:
            return
        self._latencies.append(record.ms["total"])
        self._confidences.append(record.confidence)
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
                "mean_confidence": round(float(np.mean(self._confidences)), 4),
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
