"""Numbers and times of decoded frames, true also after damage and where a file's own times cannot be used."""

from __future__ import annotations

import heapq
from typing import NamedTuple

_JUMP_S = 10.0  # MPEG-TS and MPEG-PS: a clock that jumps further was set anew, as FFmpeg takes it
_GRACE_S = 0.5  # the packet that is flagged comes a little before the place where others are missing


class Place(NamedTuple):
    """Where a decoded frame stands in its video.

    Attributes:
        number: From 0; a frame that was lost keeps its own.
        pts_s: When it is shown, seconds after the first frame.
        lost_before: Frames lost since the frame before.
    """

    number: int
    pts_s: float
    lost_before: int


class Timeline:
    """Places frames by the times of the packets that went into the decoder.

    A frame counts as lost only where damage was reported, by the decoder or the demuxer: other packets without a
    picture are second fields or hidden reference frames.

    Args:
        tick_s: Seconds per unit of the stream's times.
        interval_s: Seconds from frame to frame at the stream's average rate.
        is_untimed: Packets have no time of display (AVI): the n-th frame gets the n-th time of all packets.
        counts_by_time: Damage may remove whole packets, so a step in time after it is frames lost (not in MP4, whose
            index lists them all).
        jumps: The clock may be set anew midway (MPEG-TS, MPEG-PS).
        first: Number and time in seconds of the first frame, where reading begins in the middle.

    Attributes:
        interval_s: As given.
    """

    def __init__(
        self,
        tick_s: float,
        interval_s: float,
        *,
        is_untimed: bool = False,
        counts_by_time: bool = False,
        jumps: bool = False,
        first: tuple[int, float] | None = None,
    ) -> None:
        self._tick_s, self.interval_s = tick_s, interval_s
        self._is_untimed, self._counts_by_time, self._jumps = is_untimed, counts_by_time, jumps
        self._grace_s = _GRACE_S if counts_by_time else 0.0
        self._index, self._begin_s = (first[0] - 1, first[1]) if first else (-1, 0.0)
        self._offset_s: float | None = None
        self._last_s: float | None = None
        self._last_pts: int | None = None
        self._waiting: list[int] = []
        self._newest: int | None = None
        self._failures = 0
        self._damaged_until: int | None = None

    def sent(self, pts: int | None) -> None:
        """Note the time of a packet that goes into the decoder."""
        if pts is not None:
            heapq.heappush(self._waiting, pts)
            self._newest = pts if self._newest is None else max(self._newest, pts)

    def damaged(self) -> None:
        """Note that a frame was reported as damaged, among those sent so far."""
        self._failures += 1
        self._damaged_until = self._newest

    def place(self, pts: int | None) -> Place:
        """The place of the next decoded frame."""
        if self._is_untimed or pts is None:
            lost = self._failures if self._is_untimed or self._last_pts is None else 0
            self._failures = 0
            if self._is_untimed:
                for _ in range(min(lost + 1, len(self._waiting))):
                    pts = heapq.heappop(self._waiting)
        else:
            lost = self._lost_until(pts)
        shown_s = self._time(pts, lost)
        self._index += 1 + lost
        self._last_s, self._last_pts = shown_s, pts
        return Place(self._index, shown_s, lost)

    @property
    def is_complete(self) -> bool:
        """Whether no packet waits for its frame after the last one that was placed."""
        return self._is_untimed or not any(self._last_pts is None or pts > self._last_pts for pts in self._waiting)

    def lost_at_end(self) -> int:
        """Frames lost after the last one that was placed, once everything was decoded."""
        if not self._failures:
            return 0
        if self._last_pts is None or self._is_untimed:
            return self._failures
        return sum(1 for pts in self._waiting if pts > self._last_pts)

    def _lost_until(self, pts: int) -> int:
        skipped = 0
        while self._waiting and self._waiting[0] < pts:
            heapq.heappop(self._waiting)
            skipped += 1
        if self._waiting and self._waiting[0] == pts:
            heapq.heappop(self._waiting)
        if not self._failures:
            return 0
        if self._counts_by_time and self._last_pts is not None:
            step_s = (pts - self._last_pts) * self._tick_s
            steps = max(0, round(step_s / self.interval_s) - 1) if step_s < _JUMP_S else 0
            # Where the clock may have been set anew, packets that came before are not of frames before.
            skipped = steps if self._jumps else max(skipped, steps)
        if self._damaged_until is None or (pts - self._damaged_until) * self._tick_s > self._grace_s:
            self._failures = 0  # beyond the damage: what comes next is sound again
        return skipped

    def _time(self, pts: int | None, lost: int) -> float:
        next_s = self._begin_s if self._last_s is None else self._last_s + self.interval_s * (1 + lost)
        if pts is None:
            return next_s
        stored_s = pts * self._tick_s
        if self._offset_s is None:
            # The first time of all, or the first after frames without one.
            self._offset_s = next_s + (lost * self.interval_s if self._last_s is None else 0.0) - stored_s
        shown_s = stored_s + self._offset_s
        if self._last_s is None or (shown_s > self._last_s and not self._is_jump(shown_s - self._last_s)):
            return shown_s
        if 0 <= self._last_s - shown_s < self.interval_s / 2:
            return self._last_s + self.interval_s / 2  # two frames of one time
        self._offset_s = next_s - stored_s  # the clock was set anew
        return next_s

    def _is_jump(self, step_s: float) -> bool:
        return self._jumps and step_s > _JUMP_S
