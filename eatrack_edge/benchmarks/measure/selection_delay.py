"""What a selection on a late picture is worth: success a second later, taken on the frame seen and on the newest.

A pilot draws a box in a picture that is some tenths of a second old. Here the true box of that moment, as a hand would
draw it, is given to the live session itself, over a camera and a clock that are simulated: an update takes a fixed
time, so that the result does not depend on what else the machine does.

The control is the same box on the same frame, selected the moment that frame came. It is evaluated on the same later
frame, so what separates it from the late selection is the catching up alone. A selection without delay, on the newest
frame, has less video between its box and the frame that counts, and is easier for that reason.
"""

from __future__ import annotations

import csv
import io
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from eatrack_edge.core.boxes import Box, iou
from eatrack_edge.core.crops import Frame
from eatrack_edge.datasets import sequence as datasets
from eatrack_edge.datasets.frame_rate import frame_rate
from eatrack_edge.evaluation.frame_reading import open_frames
from eatrack_edge.session.any_tracker import AnyTracker
from eatrack_edge.session.commands import Select
from eatrack_edge.session.events import Event, FrameEvent
from eatrack_edge.session.live import LiveSession
from eatrack_edge.sources.feed import FeedItem, LiveFrame, SourceEnd
from eatrack_edge.tracking.result import TrackResult

SUCCESS = 0.5  # overlap above which the target is tracked
_HAND = 0.05  # of the box's sides, most that a drawn box is off in centre and size
_LATE_S = 0.2  # a slow tracker may take the frame that counts so much after it came
_INIT_UPDATES = 2.0  # two templates are encoded and one search crop


@dataclass(frozen=True, slots=True)
class Plan:
    """What is simulated."""

    delays_s: tuple[float, ...] = (0.0, 0.3, 0.5, 1.0)  # age of the picture that is selected in
    after_s: float = 1.0  # from the selection to the result that counts
    camera_fps: float = 0.0  # 0: the rate of each sequence; another one makes its targets faster or slower
    update_ms: float = 50.0  # of one `Tracker.update`; 0 tracks every frame
    bridge_ms: float = 0.5  # of one frame of `Tracker.bridge`
    per_sequence: int = 4  # selections; each further one halves a gap between them

    def frames(self, seconds: float) -> int:
        """A time in frames of the camera, whose rate is known."""
        return round(seconds * self.camera_fps)

    def at_rate_of(self, sequence: datasets.Sequence) -> Plan:
        """The same plan with the rate of a sequence where it states none."""
        return self if self.camera_fps else replace(self, camera_fps=frame_rate(sequence))


class Selected(NamedTuple):
    """One selection."""

    sequence: str
    frame: int  # the newest one when the selection arrived
    delay_s: float
    taken_on: str  # "seen", "newest", or "seen at once": on the frame seen, the moment it came
    overlap: float  # with the true box ``after_s`` after the selection arrived; 0 where there was no box


class _Camera:
    """Frames on a simulated clock, the last one among those delivered; the selection arrives with one of them."""

    def __init__(self, frames: Sequence[LiveFrame], at: int, plan: Plan) -> None:
        self._frames, self._at = {shown.index: shown for shown in frames}, at
        self._last = frames[-1].index
        self._latest = self._last + _LATE_S * plan.camera_fps
        self._delivered = frames[0].index - 1
        self.now = float(frames[0].index)  # in frames
        self.on_arrival: Callable[[], None] = lambda: None

    def next(self, timeout: float) -> FeedItem | None:
        """The newest frame; the next one where that was delivered already and there is time to wait for it."""
        if self._delivered >= self._last or self.now > self._latest:
            return SourceEnd()
        if int(self.now) <= self._delivered:
            if not timeout:
                return None
            self.now = float(self._delivered + 1)
        self._delivered = min(int(self.now), self._last)
        if self._delivered == self._at:
            self.on_arrival()
        return self._frames[self._delivered]


class _TimedTracker:
    """A tracker whose calls take a fixed time on the camera's clock."""

    def __init__(self, tracker: AnyTracker, camera: _Camera, plan: Plan) -> None:
        self._tracker, self._camera = tracker, camera
        self._cost, self._bridge_cost = (ms * plan.camera_fps / 1000 for ms in (plan.update_ms, plan.bridge_ms))
        self.propose, self.restore_template = tracker.propose, tracker.restore_template

    def init(self, frame: NDArray[Any], box: Box) -> None:
        self._camera.now += _INIT_UPDATES * self._cost
        self._tracker.init(frame, box)

    def update(self, frame: NDArray[Any]) -> TrackResult:
        self._camera.now += self._cost
        return self._tracker.update(frame)

    def bridge(self, frames: Iterable[NDArray[Any]]) -> None:
        way = list(frames)
        self._camera.now += self._bridge_cost * (len(way) - 1)
        self._tracker.bridge(way)


class _Last:
    """Remembers the last frame and its box."""

    def __init__(self) -> None:
        self.frame, self.box = -1, (0.0, 0.0, 0.0, 0.0)

    def offer(self, event: Event) -> None:
        if isinstance(event, FrameEvent):
            self.frame, self.box = event.record.frame, event.record.box or (0.0, 0.0, 0.0, 0.0)


def selection_times(truth: NDArray[np.float64], plan: Plan) -> list[int]:
    """Frames at which a selection can arrive: the target is there when it was seen, then, and when it counts.

    Args:
        truth: True boxes, shape (N, 4); ``nan`` where the target is absent.
        plan: How many are wanted; fewer where the video is too short for different ones.
    """
    present = [bool(np.isfinite(box).all()) for box in truth]
    longest, after = plan.frames(max(plan.delays_s)), plan.frames(plan.after_s)
    offsets = [*(-plan.frames(delay) for delay in plan.delays_s), after]
    possible = range(longest, len(truth) - after)
    valid = [frame for frame in possible if all(present[frame + offset] for offset in offsets)]
    places = (_halving(number) for number in range(1, plan.per_sequence + 1))
    return list(dict.fromkeys(valid[int(place * len(valid))] for place in places)) if valid else []


def _halving(number: int) -> float:
    """1/2, 1/4, 3/4, 1/8, 5/8, ...: van der Corput's sequence.

    >>> [_halving(number) for number in range(1, 5)]
    [0.5, 0.25, 0.75, 0.125]
    """
    return int(f"{number:b}"[::-1], 2) / float(1 << number.bit_length())


def drawn_box(true: Iterable[float], seed: str) -> Box:
    """A true box as a hand draws it: centre and size are off by up to 5 % of a side, the same for the same seed."""
    x, y, w, h = (float(value) for value in true)
    off = np.random.default_rng(zlib.crc32(seed.encode())).uniform(-_HAND, _HAND, 4)
    new_w, new_h = w * (1 + float(off[2])), h * (1 + float(off[3]))
    return x + w * (0.5 + float(off[0])) - new_w / 2, y + h * (0.5 + float(off[1])) - new_h / 2, new_w, new_h


def measure_selections(tracker: AnyTracker, sequences: Sequence[datasets.Sequence], plan: Plan) -> Iterator[Selected]:
    """Select at several times of every sequence, at every delay: one time of each sequence, then the next of each.

    Raises:
        EATrackError: Frames cannot be read, or the tracker fails.
    """
    own = [plan.at_rate_of(sequence) for sequence in sequences]
    times = [selection_times(sequence.boxes, plan) for sequence, plan in zip(sequences, own, strict=True)]
    for number in range(plan.per_sequence):
        for sequence, at, its_plan in zip(sequences, times, own, strict=True):
            if number < len(at):
                yield from _selections_at(tracker, sequence, at[number], its_plan)


def _selections_at(tracker: AnyTracker, sequence: datasets.Sequence, at: int, plan: Plan) -> Iterator[Selected]:
    first, last = at - plan.frames(max(plan.delays_s)), at + plan.frames(plan.after_s)
    with open_frames(sequence) as source:
        frames = [_live(number, frame, plan) for number, frame in enumerate(islice(source, first, last + 1), first)]
    boxes = sequence.boxes
    for delay_s in plan.delays_s:
        seen = at - plan.frames(delay_s)
        box = drawn_box(boxes[seen], f"{sequence.name}:{at}")
        ways = {"seen": (seen, at), "newest": (None, at), "seen at once": (seen, seen)}
        for taken_on in ways if delay_s else ("seen",):
            number, arrives = ways[taken_on]
            result = _fly(tracker, frames, Select(box, number), arrives, plan)
            overlap = float(iou(np.array([result.box]), boxes[last : last + 1])[0]) if result.frame == last else 0.0
            yield Selected(sequence.name, at, delay_s, taken_on, round(overlap, 4))


def _fly(tracker: AnyTracker, frames: Sequence[LiveFrame], command: Select, at: int, plan: Plan) -> _Last:
    camera, last = _Camera(frames, at, plan), _Last()
    timed = _TimedTracker(tracker, camera, plan)
    session = LiveSession(timed, camera, clock_ns=lambda: round(1e9 * camera.now / plan.camera_fps))
    session.listeners.append(last)
    camera.on_arrival = lambda: session.commands.put(command)
    session.run()
    return last


def _live(number: int, frame: Frame, plan: Plan) -> LiveFrame:
    return LiveFrame(number, number / plan.camera_fps, frame, captured_ns=round(1e9 * number / plan.camera_fps))


def success_table(rows: Sequence[Selected]) -> list[tuple[float, str, int, float]]:
    """Delay in seconds, the frame it was taken on, selections, and the share of success; a row for each kind."""
    kinds = dict.fromkeys((row.delay_s, row.taken_on) for row in rows)
    return [
        (delay_s, taken_on, len(own), float(np.mean([row.overlap > SUCCESS for row in own])))
        for delay_s, taken_on in kinds
        if (own := [row for row in rows if (row.delay_s, row.taken_on) == (delay_s, taken_on)])
    ]


class Difference(NamedTuple):
    """How the success of late selections differs from that of a reference, at the same times of the same videos."""

    delay_s: float
    reference: str  # "seen at once", or "no delay"
    mean: float  # success of the selections "seen", less that of the reference
    standard_error: float  # over sequences, because selections of one are alike; nan for a single one


def differences(rows: Sequence[Selected]) -> list[Difference]:
    """Paired differences of each delay to the same frame selected at once, and to a selection without delay."""
    success: dict[tuple[float, str], dict[tuple[str, int], float]] = {}
    for row in rows:
        own = success.setdefault((row.delay_s, row.taken_on), {})
        own[row.sequence, row.frame] = float(row.overlap > SUCCESS)
    found = []
    for delay_s in dict.fromkeys(row.delay_s for row in rows if row.delay_s):
        for name, kind in (("seen at once", (delay_s, "seen at once")), ("no delay", (0.0, "seen"))):
            apart = {time: value - success[kind][time] for time, value in success[delay_s, "seen"].items()}
            found.append(Difference(delay_s, name, *_mean_and_error(apart)))
    return found


def _mean_and_error(values: Mapping[tuple[str, int], float]) -> tuple[float, float]:
    """Mean, and its standard error clustered by sequence."""
    mean = float(np.mean(list(values.values())))
    sums: dict[str, float] = {}
    for (sequence, _), value in values.items():
        sums[sequence] = sums.get(sequence, 0.0) + value - mean
    if (count := len(sums)) < 2:
        return mean, float("nan")
    return mean, (sum(total**2 for total in sums.values()) * count / (count - 1)) ** 0.5 / len(values)


def as_csv(rows: Iterable[Selected]) -> str:
    """The selections as comma-separated values, with a heading."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(Selected._fields)
    writer.writerows(rows)
    return text.getvalue()
