"""The live session: one loop that takes frames and commands, tracks, and emits events. It waits for nothing else."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from queue import Empty, SimpleQueue
from typing import Any, Protocol

from eatrack_edge.core.boxes import Box
from eatrack_edge.core.errors import InputError, UsageError
from eatrack_edge.outputs.base import FrameRecord
from eatrack_edge.session.any_tracker import AnyTracker
from eatrack_edge.session.catch_up import CatchUp
from eatrack_edge.session.commands import (
    KEEP_S,
    Command,
    KeepFrame,
    Quit,
    RestoreTemplate,
    Select,
    Selection,
    SelectPoint,
    Stop,
)
from eatrack_edge.session.events import (
    WAITING,
    Event,
    FrameEvent,
    RestoreEvent,
    SelectionEvent,
    SourceFoundEvent,
    SourceLostEvent,
    StateEvent,
)
from eatrack_edge.session.frame_result import tracked_record, untracked_record
from eatrack_edge.session.history import HISTORY_FRAMES, History
from eatrack_edge.session.picture_size import PictureSize
from eatrack_edge.sources.feed import FrameFeed, LinkFound, LinkLost, LiveFrame, SourceEnd

_TURN_S = 0.1  # longest wait for a frame, and so for a command to be looked at while none comes
# To the newest frame after a selection on an older one. The longer, the shorter the steps on the way.
_CATCH_UP_NS = 800_000_000


class Listener(Protocol):
    """Whoever wants the events. ``offer`` is called by the loop and must not wait; see ``OutputThread``."""

    def offer(self, event: Event) -> None:
        """Take an event."""
        ...


Selector = Callable[[LiveFrame], "Box | None"]
"""Looks at frames while there is no target, and may choose one."""


class LiveSession:
    """Tracks one target at a time in the frames of a feed.

    Args:
        tracker: Used by ``run`` alone.
        feed: A live source, or every frame of a file.
        history: Frames to hold for selections on a frame that is not the newest.
        selector: Chooses the first target, unless a command does; ``None`` waits for one.
        view_delay_ms: Age of the picture that users see. A selection that names no frame is taken on the one captured
            so long before it is carried out.
        clock_ns: The clock of ``LiveFrame.captured_ns``.

    Attributes:
        listeners: Get every event, in order.
        commands: Put a command here, from any thread.
        reports: Events from other threads, such as an output that failed; they are passed on to the listeners.
    """

    def __init__(
        self,
        tracker: AnyTracker,
        feed: FrameFeed,
        *,
        history: int = HISTORY_FRAMES,
        selector: Selector | None = None,
        view_delay_ms: float = 0.0,
        clock_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        self.listeners: list[Listener] = []
        self.commands: SimpleQueue[Command] = SimpleQueue()
        self.reports: SimpleQueue[Event] = SimpleQueue()
        self._tracker, self._feed, self._selector = tracker, feed, selector
        self._history = History(history)
        self._view_delay_ms, self._clock_ns = view_delay_ms, clock_ns
        self._size: PictureSize | None = None  # of the frame that the target was selected on; `None` without a target
        self._catch_up: CatchUp | None = None  # after a selection on an older frame, until the newest is reached
        self._state = WAITING
        self._pending: Selection | None = None  # came before any frame
        self._was_found = False  # the source, at least once
        self._frame_count = 0

    def run(self, *, max_frames: int | None = None, is_stopped: Callable[[], bool] = lambda: False) -> str:
        """Track until the source ends, a command or the caller ends it.

        Args:
            max_frames: End after so many results.
            is_stopped: Looked at on every turn, at least ten times a second.

        Returns:
            Why it ended, in words.

        Raises:
            SourceLost: The source died, and is not to be reopened.
            EATrackError: The source can never be opened, or the backend failed.
        """
        try:
            return self._run(max_frames, is_stopped)
        finally:
            self._drop_pending("the session ended before the first frame came")

    def _run(self, max_frames: int | None, is_stopped: Callable[[], bool]) -> str:
        while not is_stopped():
            self._pass_on_reports()
            if not self._obey():
                return "quit"
            item = self._feed.next(0.0 if self._catch_up else _TURN_S)
            if isinstance(item, LiveFrame):
                self._take(item)
                if self._frame_count == max_frames:
                    return "max frames"
            elif item is None:
                self._go_on_catching_up()
            elif isinstance(item, SourceEnd):
                return "end of source"
            elif isinstance(item, LinkLost):
                self.emit(SourceLostEvent(item.reason, item.at_ns, self._was_found))
            elif isinstance(item, LinkFound):
                self.emit(SourceFoundEvent(item.description, item.outage_s, item.at_ns, item.size, self._was_found))
                self._was_found = True
        return "interrupted"

    def _take(self, shown: LiveFrame) -> None:
        self._history.add(shown)
        if self._size is None and self._pending is None and self._selector and (box := self._selector(shown)):
            self._pending = Select(box)
        if self._pending is not None:
            selection, self._pending = self._pending, None
            if selection.frame is None:  # whatever the view delay
                selection = selection._replace(frame=shown.index)
            box = self._select(selection)
            record = untracked_record(shown, box if self._size else None, self._state)
        elif self._size is None:
            record = untracked_record(shown, None, WAITING)
        elif self._catch_up is not None:
            reached = self._go_on_catching_up()
            is_live = reached is not None and reached.frame == shown.index
            record = reached if reached and is_live else untracked_record(shown, None, self._state)
        else:
            record = self._update(shown)
        self._frame_count += 1
        self.emit(FrameEvent(shown, record, shown.age_ms()))

    def _go_on_catching_up(self) -> FrameRecord | None:
        """Track in one more of the frames on the way to the newest; ``None`` where the target is live."""
        if self._catch_up is None:
            return None
        step = self._catch_up.next(self._clock_ns())
        if step.way:
            self._tracker.bridge(step.way)
        record = self._update(step.shown)
        if self._catch_up is not None and self._catch_up.is_done:
            self._catch_up = None
        return record

    def _update(self, shown: LiveFrame) -> FrameRecord:
        size = self._size
        assert size is not None
        try:
            result = self._tracker.update(size.fit(shown.frame))
        except InputError as error:  # a picture of another shape: nothing is known of the target in it
            self._give_up(shown.index, error.message)
            return untracked_record(shown, None, WAITING)
        change = result.state_change
        reason, evidence = (change.reason, change.evidence) if change else ("", None)
        self._change_state(str(result.state), shown.index, reason, evidence)
        return tracked_record(shown, result, size)

    def _obey(self) -> bool:
        """Carry out the commands that came; whether the session goes on."""
        while (command := _taken(self.commands)) is not None:
            if isinstance(command, Quit):
                return False
            if isinstance(command, Stop):
                self._selector = None  # it would choose again at once
                self._drop_pending("stopped before the first frame came")
                self._give_up(self._newest_number(), "stopped")
            elif isinstance(command, RestoreTemplate):
                self._restore(command.number)
            elif isinstance(command, KeepFrame):
                self._history.keep(command.frame, self._clock_ns() + round(1e9 * KEEP_S))
            elif len(self._history):
                self._select(command)
            else:
                self._drop_pending("another selection followed before the first frame came")
                self._pending = command
        return True

    def _select(self, command: Selection) -> Box | None:
        """Start on the frame that the user saw; the next turns catch up with the newest.

        Returns:
            The box on that frame; ``None`` where the selection was refused.
        """
        started_ns = self._clock_ns()
        try:
            shown = self._seen(command.frame)
            if isinstance(command, SelectPoint):
                box = self._tracker.propose(shown.frame, command.x, command.y)
            else:
                box = command.box
            self._tracker.init(shown.frame, box)
        except InputError as error:
            self._refuse(command, _reason(error))
            return None
        if shown.index == self._history.kept:
            self._history.keep(None)
        self._size, self._selector = PictureSize.of(shown.frame), None
        self.emit(SelectionEvent(shown.index, "", False, time.monotonic_ns(), box, command.id))
        self._change_state("TRACKING", shown.index, "selected")
        catch_up = CatchUp(self._history, shown, started_ns, _CATCH_UP_NS)
        self._catch_up = None if catch_up.is_done else catch_up
        return box

    def _restore(self, number: int) -> None:
        reason = "" if self._size else "there is no target"
        if not reason:
            try:
                self._tracker.restore_template(number)
            except UsageError as error:
                reason = _reason(error)
        self.emit(RestoreEvent(number, self._newest_number(), reason, bool(reason), time.monotonic_ns()))

    def _drop_pending(self, reason: str) -> None:
        if self._pending is not None:
            self._refuse(self._pending, reason)
            self._pending = None

    def _refuse(self, selection: Selection, reason: str) -> None:
        frame = self._newest_number() if selection.frame is None else selection.frame
        self.emit(SelectionEvent(frame, reason, True, time.monotonic_ns(), id=selection.id))

    def _seen(self, number: int | None) -> LiveFrame:
        """The frame that the user saw.

        Raises:
            InputError: It is not held: on any other the box would be beside the target.
        """
        if number is not None:
            return self._history.at(number)
        if self._view_delay_ms:
            return self._history.captured_by(self._clock_ns() - round(1e6 * self._view_delay_ms))
        newest = self._history.newest()
        assert newest is not None  # a selection before any frame waits for one
        return newest

    def _give_up(self, frame: int, reason: str) -> None:
        self._size = self._catch_up = None
        self._change_state(WAITING, frame, reason)

    def _change_state(
        self, state: str, frame: int, reason: str = "", evidence: Mapping[str, float] | None = None
    ) -> None:
        if state != self._state:
            before, self._state = self._state, state
            self.emit(StateEvent(state, before, frame, time.monotonic_ns(), reason, dict(evidence or {})))

    def _newest_number(self) -> int:
        newest = self._history.newest()
        return -1 if newest is None else newest.index

    def _pass_on_reports(self) -> None:
        while (event := _taken(self.reports)) is not None:
            self.emit(event)

    def emit(self, event: Event) -> None:
        """Pass an event on to the listeners."""
        for listener in self.listeners:
            listener.offer(event)


def _reason(error: UsageError) -> str:
    return f"{error.message}: {error.hint}" if error.hint else error.message


def _taken(queue: SimpleQueue[Any]) -> Any:
    """The oldest item of a queue; ``None`` where it is empty."""
    try:
        return queue.get_nowait()
    except Empty:
        return None
