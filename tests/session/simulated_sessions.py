"""Parts of a live session to order: a tracker without a network, a feed from a list, and a listener that remembers."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from eatrack_edge.core.boxes import Box, check_box
from eatrack_edge.core.errors import InputError, UsageError
from eatrack_edge.session.commands import KeepFrame, Quit, RestoreTemplate, Select, SelectPoint, Stop
from eatrack_edge.session.events import Event, StateEvent
from eatrack_edge.session.live import LiveSession
from eatrack_edge.sources.feed import FeedItem, LiveFrame, SourceEnd
from eatrack_edge.tracking.lifecycle import TrackState
from eatrack_edge.tracking.reacquisition import Candidate
from eatrack_edge.tracking.result import Latency, TrackResult
from eatrack_edge.tracking.template_log import Template

BOX: Box = (20.0, 10.0, 12.0, 8.0)
LATENCY = Latency(0.1, 0.2, 0.1, 0.1, 0.5)
E = TypeVar("E")


class SimulatedTemplates(list[Template]):
    """The templates of a simulated tracker: grey squares, the higher the number the lighter."""

    def __init__(self) -> None:
        super().__init__()
        self.shown: list[Template] = []

    def start(self, count: int) -> None:
        self[:] = [
            Template(np.full((32, 32, 3), min(60 + 30 * number, 250), np.uint8), (0.5, 0.5), number)
            for number in range(count)
        ]
        self.shown = [self[0], self[-1]]


class SimulatedTracker:
    """Follows nothing: the box stays, the confidence is what the test says, and the target is lost while it is looked for."""

    def __init__(self) -> None:
        self.inits: list[tuple[int, Box]] = []  # (the frame's first value, box)
        self.updates: list[int] = []  # the frame's first value
        self.ways: list[list[int]] = []  # the first value of each frame of a way
        self.confidence = 0.9
        self.candidates: tuple[Candidate, ...] | None = None  # of a target that is looked for; None while it is not
        self.is_recording = True
        self.refuses_above = math.inf  # px, the width of a box
        self.templates = SimulatedTemplates()
        self.template_count = 2
        self._box = BOX
        self._size = (0, 0)

    def init(self, frame: NDArray[Any], box: Box) -> None:
        check_box(box, frame.shape[1], frame.shape[0])
        if box[2] > self.refuses_above:
            raise InputError("the box is too wide for this test")
        self.templates.start(self.template_count)
        self.inits.append((int(frame[0, 0, 0]), box))
        self._box, self._size, self.candidates = box, frame.shape[:2], None

    def bridge(self, frames: Iterable[NDArray[Any]]) -> None:
        self.ways.append([int(frame.flat[0]) for frame in frames])

    def propose(self, frame: NDArray[Any], x: float, y: float) -> Box:
        height, width = frame.shape[:2]
        if not (0 <= x < width and 0 <= y < height):
            raise InputError(f"the point {x:g},{y:g} lies outside the frame, {width}x{height}")
        return x - 6, y - 4, 12.0, 8.0

    def restore_template(self, number: int) -> None:
        if not 0 <= number < len(self.templates):
            raise UsageError(f"there is no template {number}", hint=f"the log holds 0 to {len(self.templates) - 1}")
        self.templates.shown[1] = self.templates[number]

    def update(self, frame: NDArray[Any]) -> TrackResult:
        assert frame.shape[:2] == self._size
        if self.is_recording:
            self.updates.append(int(frame[0, 0, 0]))
        if self.candidates is not None:
            return TrackResult(
                self._box, 0.0, TrackState.LOST, LATENCY, last_reliable_box=self._box, candidates=self.candidates
            )
        state = TrackState.TRACKING if self.confidence >= 0.3 else TrackState.UNCERTAIN
        return TrackResult(self._box, self.confidence, state, LATENCY)


class Feed:
    """Delivers a list of items, then ends; ``None`` is a wait that ran out."""

    def __init__(self, items: Iterable[FeedItem | None]) -> None:
        self._items = iter(items)

    def next(self, timeout: float) -> FeedItem | None:
        del timeout
        return next(self._items, SourceEnd())


class Heard:
    """Remembers every event."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def offer(self, event: Event) -> None:
        self.events.append(event)

    def of(self, kind: type[E]) -> list[E]:
        return [event for event in self.events if isinstance(event, kind)]


def live_frame(number: int, width: int = 64, height: int = 48) -> LiveFrame:
    """A frame whose first value is its number."""
    frame = np.full((height, width, 3), 90, np.uint8)
    frame[0, 0, 0] = number % 256
    return LiveFrame(number, number / 30, frame, captured_ns=1000 + number)


class Flight:
    """A session with a simulated tracker, and what it emitted."""

    def __init__(
        self,
        items: Iterator[FeedItem | None] | list[FeedItem | None],
        history: int = 30,
        view_delay_ms: float = 0,
        clock_ns: Callable[[], int] = lambda: 2000,  # stands still: a tracker so fast skips nothing to catch up
    ) -> None:
        self.tracker, self.heard = SimulatedTracker(), Heard()
        self.session = LiveSession(
            self.tracker, Feed(items), history=history, view_delay_ms=view_delay_ms, clock_ns=clock_ns
        )
        self.session.listeners.append(self.heard)

    def scripted(self, *script: object) -> str:
        """Run over a script of items and commands: a command is put into the queue when its turn comes."""

        def items() -> Iterator[FeedItem | None]:
            for step in script:
                if isinstance(step, Select | SelectPoint | KeepFrame | RestoreTemplate | Stop | Quit):
                    self.session.commands.put(step)
                    yield None
                else:
                    yield step  # type: ignore[misc]

        self.session._feed = Feed(items())
        return self.session.run()

    @property
    def states(self) -> list[tuple[str, int, str]]:
        return [(event.state, event.frame, event.reason) for event in self.heard.of(StateEvent)]
