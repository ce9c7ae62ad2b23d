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
    picture are second fields or hidden reference frames. The exception is a codec whose packets all show a frame.

    Args:
        tick_s: Seconds per unit of the stream's times.
        interval_s: Seconds from frame to frame at the stream's average rate.
        is_untimed: Packets have no time of display (AVI), but of storage: the n-th frame gets the n-th time of all
            packets.
        shows_each: Every packet shows a frame (AV1, whose decoder may skip damage without an error).
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
        shows_each: bool = False,
        counts_by_time: bool = False,
        jumps: bool = False,
        first: tuple[int, float] | None = None,
    ) -> None:
        self._tick_s, self.interval_s = tick_s, interval_s
        self._is_untimed, self._shows_each = is_untimed, shows_each
        self._counts_by_time, self._jumps = counts_by_time, jumps
        self._grace_s = _GRACE_S if counts_by_time else 0.0
        self._index, self._begin_s = (first[0] - 1, first[1]) if first else (-1, 0.0)
        self._offset_s: float | None = None
        self._last_s: float | None = None
        self._last_pts: int | None = None
        self._waiting: list[tuple[int, int]] = []  # time, and the how-manieth packet
        self._packets = 0
        self._last_anchor: int | None = None
        self._undelivered: set[int] = set()
        self._given_up: set[int] = set()
        self._newest: int | None = None
        self._failures = 0
        self._damaged_until: int | None = None

    def sent(self, pts: int | None) -> None:
        """Note the time of a packet that goes into the decoder."""
        if pts is not None:
            self._given_up.discard(pts)
            self._packets += 1
            heapq.heappush(self._waiting, (pts, self._packets))
            if self._is_untimed:
                self._undelivered.add(pts)
            self._newest = pts if self._newest is None else max(self._newest, pts)

    def damaged(self) -> None:
        """Note that a frame was reported as damaged, among those sent so far."""
        self._failures += 1
        self._damaged_until = self._newest

    def is_late(self, pts: int | None) -> bool:
        """Whether a decoded frame was already counted as lost: without its key frame a decoder may shuffle the next."""
        return pts in self._given_up

    def place(self, pts: int | None, *, is_anchor: bool = True) -> Place:
        """The place of the next decoded frame.

        Args:
            pts: The time of its packet.
            is_anchor: It is no B-frame: those stored before it are shown before it.
        """
        if self._is_untimed:
            lost = self._lost_before_stored(pts, is_anchor=is_anchor)
            for _ in range(min(lost + 1, len(self._waiting))):
                pts = heapq.heappop(self._waiting)[0]
        elif pts is None:
            lost = self._failures if self._last_pts is None else 0
            self._failures = 0
        else:
            lost = self._lost_until(pts)
        shown_s = self._time(pts, lost)
        self._index += 1 + lost
        self._last_s, self._last_pts = shown_s, pts
        return Place(self._index, shown_s, lost)

    @property
    def is_complete(self) -> bool:
        """Whether no packet waits for its frame after the last one that was placed."""
        if self._is_untimed:
            return not (self._failures and self._undelivered)
        return not any(self._last_pts is None or pts > self._last_pts for pts, _ in self._waiting)

    def lost_at_end(self) -> int:
        """Frames lost after the last one that was placed, once everything was decoded."""
        if not self._failures and not self._shows_each:
            return 0
        if self._is_untimed:
            return len(self._undelivered)
        if self._last_pts is None:
            return self._failures
        return sum(1 for pts, _ in self._waiting if pts > self._last_pts)

    def _lost_before_stored(self, stored: int | None, *, is_anchor: bool) -> int:
        """Frames lost before one whose packet is stored at a time, known at the next anchor after the damage."""
        if stored is None:
            lost, self._failures = self._failures, 0
            return lost
        self._undelivered.discard(stored)
        if not is_anchor:
            return 0
        skipped = {time for time in self._undelivered if time < stored}
        self._undelivered -= skipped
        before, self._last_anchor = self._last_anchor, stored
        if not self._failures:
            return 0
        self._given_up |= skipped
        if before is not None and self._damaged_until is not None and before > self._damaged_until:
            self._failures = 0  # the B-frames between two sound anchors were counted too
        return len(skipped)

    def _lost_until(self, pts: int) -> int:
        passed: list[tuple[int, int]] = []
        while self._waiting and self._waiting[0][0] < pts:
            passed.append(heapq.heappop(self._waiting))
        is_known = bool(self._waiting) and self._waiting[0][0] == pts
        sent_as = heapq.heappop(self._waiting)[1] if is_known else self._packets
        skipped = len(passed)
        if not self._failures:
            return skipped if self._shows_each else 0
        since = self._last_pts if self._last_pts is not None else passed[0][0] if passed else None
        if self._counts_by_time and since is not None:
            step_s = (pts - since) * self._tick_s
            frames = round(step_s / self.interval_s) - (self._last_pts is not None)
            steps = max(0, frames) if step_s < _JUMP_S else 0
            # Where the clock may have been set anew, packets that came before are not of frames before.
            skipped = steps if self._jumps else max(skipped, steps)
        # Where the clock may have been set anew, a packet that was sent later may be of a frame to come.
        self._given_up.update(time for time, number in passed if not self._jumps or number < sent_as)
        if self._damaged_until is None or (pts - self._damaged_until) * self._tick_s > self._grace_s:
            self._failures = 0  # beyond the damage: what comes next is sound again
        return skipped

    def _time(self, pts: int | None, lost: int) -> float:
        next_s = self._begin_s if self._last_s is None else self._last_s + self.interval_s
        next_s += self.interval_s * lost
        if pts is None:
            return next_s
        stored_s = pts * self._tick_s
        if self._offset_s is None:
            self._offset_s = next_s - stored_s  # the first time of all, or the first after frames without one
        shown_s = stored_s + self._offset_s
        if self._last_s is None or (shown_s > self._last_s and not self._is_jump(shown_s - self._last_s)):
            return shown_s
        if 0 <= self._last_s - shown_s < self.interval_s / 2:
            return self._last_s + self.interval_s / 2  # two frames of one time
        self._offset_s = next_s - stored_s  # the clock was set anew
        return next_s

    def _is_jump(self, step_s: float) -> bool:
        return self._jumps and step_s > _JUMP_S
