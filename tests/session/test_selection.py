from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from eatrack_edge.core.boxes import Box
from eatrack_edge.session.commands import KeepFrame, Quit, Select, SelectPoint, Stop
from eatrack_edge.session.events import FrameEvent, SelectionEvent
from eatrack_edge.sources.feed import LiveFrame
from eatrack_edge.tracking.result import TrackResult
from session.simulated_sessions import BOX, Flight, live_frame


@pytest.fixture
def flight() -> Flight:
    return Flight([])


def test_a_selection_starts_on_the_newest_frame_and_is_tracked_from_the_next(flight: Flight) -> None:
    flight.scripted(live_frame(0), Select(BOX), live_frame(1), live_frame(2))
    assert flight.tracker.inits == [(0, BOX)]
    assert flight.tracker.updates == [1, 2]
    assert flight.states == [("TRACKING", 0, "selected")]
    assert [event.record.box for event in flight.heard.of(FrameEvent)] == [None, BOX, BOX]


def test_a_selection_before_any_frame_waits_for_the_first(flight: Flight) -> None:
    flight.scripted(Select(BOX), None, live_frame(5), live_frame(6))
    assert (flight.tracker.inits, flight.tracker.updates) == ([(5, BOX)], [6])
    assert [event.record.box for event in flight.heard.of(FrameEvent)] == [BOX, BOX]


@pytest.mark.parametrize(
    ("next_command", "reason"),
    [
        pytest.param(Select(BOX, id=2), "another selection followed before the first frame came", id="another"),
        pytest.param(Stop(), "stopped before the first frame came", id="stop"),
        pytest.param(None, "the session ended before the first frame came", id="end"),
        pytest.param(Quit(), "the session ended before the first frame came", id="quit"),
    ],
)
def test_a_selection_before_any_frame_that_is_not_carried_out_is_refused(
    flight: Flight, next_command: object, reason: str
) -> None:
    is_end = not isinstance(next_command, Select | Stop)
    flight.scripted(Select((1.0, 2.0, 6.0, 6.0), id=1), next_command, *([] if is_end else [live_frame(5)]))
    first, *others = flight.heard.of(SelectionEvent)
    assert (first.id, first.is_refused, first.reason, first.frame) == (1, True, reason, -1)
    assert [(event.id, event.is_refused) for event in others] == (
        [(2, False)] if isinstance(next_command, Select) else []
    )
    assert len(flight.tracker.inits) == len(others)


def test_a_selection_on_an_older_frame_catches_up_with_the_newest(flight: Flight) -> None:
    flight.scripted(*map(live_frame, range(6)), Select(BOX, frame=2), None, None, None, live_frame(6))
    assert (flight.tracker.inits, flight.tracker.updates) == ([(2, BOX)], [3, 4, 5, 6])
    assert [event.reason for event in flight.heard.of(SelectionEvent)] == [""]
    assert [event.record.box for event in flight.heard.of(FrameEvent)] == [*[None] * 6, BOX]


def test_frames_that_come_while_catching_up_are_shown_without_a_box_until_it_is_live() -> None:
    now = [0]  # ns; an update takes one frame's time

    def at_30_fps(numbers: range) -> Iterator[LiveFrame]:
        for number in numbers:
            now[0] = round(number * 1e9 / 30)
            yield replace(live_frame(number), captured_ns=now[0])

    flight = Flight([], clock_ns=lambda: now[0])
    flight.scripted(*at_30_fps(range(21)), Select(BOX, frame=0), *at_30_fps(range(21, 54)))


def test_the_tracker_is_led_through_the_frames_that_are_skipped_on_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0]  # ns; an update takes 100 ms

    flight = Flight([], clock_ns=lambda: now[0])
    update = flight.tracker.update

    def slow(frame: NDArray[Any]) -> TrackResult:
        now[0] += 100_000_000
        return update(frame)

    monkeypatch.setattr(flight.tracker, "update", slow)
    frames = [replace(live_frame(number), captured_ns=round((number - 20) * 1e9 / 30)) for number in range(21)]
    flight.scripted(*frames, Select(BOX, frame=0), *[None] * 8)
    looked_at = [0, *flight.tracker.updates]
    assert looked_at[-1] == 20
    assert max(np.diff(looked_at)) > 1
    ways = [list(range(first, last + 1)) for first, last in pairwise(looked_at)]
    assert flight.tracker.ways == [way for way in ways if len(way) > 2]


def test_a_live_target_is_not_led(flight: Flight) -> None:
    flight.scripted(live_frame(0), Select(BOX), live_frame(1), live_frame(2))
    assert flight.tracker.ways == []


def test_another_selection_and_stop_are_obeyed_while_catching_up(flight: Flight) -> None:
    other: Box = (1.0, 2.0, 6.0, 6.0)
    flight.scripted(
        *map(live_frame, range(21)), Select(BOX, frame=0), None, Select(other, frame=19), None, live_frame(21),
        Select(BOX, frame=5), None, Stop(), None, live_frame(22),
    )  # fmt: skip
    assert flight.tracker.inits == [(0, BOX), (19, other), (5, BOX)]
    assert flight.tracker.updates == [1, 2, 20, 21, 6, 7]
    assert flight.states[-1] == ("WAITING", 21, "stopped")


def test_a_picture_of_another_shape_on_the_way_ends_the_track(flight: Flight) -> None:
    frames = [live_frame(0), live_frame(1), live_frame(2, 48, 64), live_frame(3, 48, 64)]
    flight.scripted(*frames, Select(BOX, frame=0), None, None, live_frame(4, 48, 64))
    assert flight.tracker.updates == [1]
    assert flight.states[-1] == ("WAITING", 2, "the picture is 48x64, the target was selected on 64x48")


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        pytest.param(1, "frame 1 is not held any more: select again on the live picture", id="gone"),
        pytest.param(70, "there is no frame 70 yet: select again on the live picture", id="to come"),
    ],
)
@pytest.mark.parametrize("kind", ["box", "point"])
def test_a_selection_on_a_frame_that_is_not_held_is_refused_and_the_old_target_goes_on(
    number: int, reason: str, kind: str
) -> None:
    flight = Flight([], history=3)
    selection = Select(BOX, number, 5) if kind == "box" else SelectPoint(30.0, 20.0, number, 5)
    flight.scripted(live_frame(0), Select(BOX), *map(live_frame, range(1, 9)), selection, live_frame(9))
    assert flight.tracker.inits == [(0, BOX)]
    assert flight.tracker.updates == list(range(1, 10))
    event = flight.heard.of(SelectionEvent)[-1]
    assert (event.frame, event.box, event.id, event.is_refused, event.reason) == (number, None, 5, True, reason)


@pytest.mark.parametrize(("number", "inits"), [(5, [(5, BOX)]), (7, [])], ids=["the first", "another"])
def test_a_selection_before_any_frame_is_not_put_on_another_than_it_names(
    flight: Flight, number: int, inits: list[tuple[int, Box]]
) -> None:
    flight.scripted(Select(BOX, number), live_frame(5), live_frame(6))
    assert flight.tracker.inits == inits
    assert [event.is_refused for event in flight.heard.of(SelectionEvent)] == [not inits]


def test_a_frame_that_was_dropped_is_not_replaced_by_the_next(flight: Flight) -> None:
    flight.scripted(live_frame(0), live_frame(2), Select(BOX, frame=1))
    assert flight.tracker.inits == []


def test_a_frame_that_is_kept_is_selected_on_after_others_of_its_time_are_gone() -> None:
    flight = Flight([], history=6)
    flight.scripted(*map(live_frame, range(3)), KeepFrame(2), *map(live_frame, range(3, 60)), Select(BOX, frame=2))
    assert flight.tracker.inits == [(2, BOX)]
    assert flight.session._history.kept is None  # the selection ends it


def test_a_frame_is_kept_until_another_is() -> None:
    flight = Flight([], history=6)
    frames = [live_frame(number) for number in range(60)]
    flight.scripted(*frames[:3], KeepFrame(2), *frames[3:10], KeepFrame(9), *frames[10:], Select(BOX, frame=2))
    assert [event.is_refused for event in flight.heard.of(SelectionEvent)] == [True]


def test_a_frame_is_kept_for_five_seconds_and_no_longer() -> None:
    for seconds, is_refused in ((4.9, False), (5.1, True)):
        flight = Flight([], history=6, clock_ns=lambda: 0)
        frames = [replace(live_frame(number), captured_ns=round(seconds / 59 * number * 1e9)) for number in range(60)]
        flight.scripted(frames[0], KeepFrame(0), *frames[1:], Select(BOX, frame=0))
        assert [event.is_refused for event in flight.heard.of(SelectionEvent)] == [is_refused]


def test_a_point_is_given_the_box_that_the_tracker_proposes_on_the_frame_that_was_seen(flight: Flight) -> None:
    flight.scripted(*map(live_frame, range(4)), SelectPoint(30.0, 20.0, frame=1), None, None, live_frame(4))
    proposed = (24.0, 16.0, 12.0, 8.0)
    assert (flight.tracker.inits, flight.tracker.updates) == ([(1, proposed)], [2, 3, 4])
    (event,) = flight.heard.of(SelectionEvent)
    assert (event.frame, event.box, event.is_refused, event.reason) == (1, proposed, False, "")


def test_a_point_before_any_frame_waits_for_the_first(flight: Flight) -> None:
    flight.scripted(SelectPoint(30.0, 20.0), live_frame(5))
    assert [event.record.box for event in flight.heard.of(FrameEvent)] == [(24.0, 16.0, 12.0, 8.0)]


def test_a_point_outside_the_frame_is_refused_and_the_old_target_goes_on(flight: Flight) -> None:
    flight.scripted(live_frame(0), Select(BOX), SelectPoint(64.0, 10.0), live_frame(1))
    assert (flight.tracker.inits, flight.tracker.updates) == ([(0, BOX)], [1])
    event = flight.heard.of(SelectionEvent)[-1]
    assert (event.reason, event.box) == ("the point 64,10 lies outside the frame, 64x48", None)


def delayed(*script: object, view_delay_ms: float) -> Flight:
    """A flight whose frames are 100 ms apart, the newest of them captured just now."""
    flight = Flight([], view_delay_ms=view_delay_ms, clock_ns=time.monotonic_ns)
    count = sum(isinstance(step, int) for step in script)
    first_ns = time.monotonic_ns() - (count - 1) * 100_000_000
    flight.scripted(
        *(
            replace(live_frame(step), captured_ns=first_ns + step * 100_000_000) if isinstance(step, int) else step
            for step in script
        )
    )
    return flight


@pytest.mark.parametrize(
    "selection", [pytest.param(Select(BOX), id="box"), pytest.param(SelectPoint(26.0, 14.0), id="point")]
)
def test_a_selection_without_a_frame_is_taken_on_the_one_of_the_view_delay_ago(selection: Select | SelectPoint) -> None:
    flight = delayed(*range(6), selection, view_delay_ms=250)
    assert flight.tracker.inits == [(2, BOX)]
    assert [event.reason for event in flight.heard.of(SelectionEvent)] == [""]


def test_a_frame_that_was_named_comes_before_the_view_delay() -> None:
    assert delayed(*range(6), Select(BOX, frame=4), view_delay_ms=250).tracker.inits == [(4, BOX)]


def test_a_selection_with_a_view_delay_longer_than_what_is_held_is_refused() -> None:
    flight = delayed(*range(3), Select(BOX), view_delay_ms=900)
    assert flight.tracker.inits == []
    (event,) = flight.heard.of(SelectionEvent)
    assert event.is_refused
    assert re.fullmatch(
        r"no frame as old as the view delay is held: the oldest is [67]\d\d ms newer: select again on the live picture, "
        r"with a shorter view delay or a longer `history` if it stays so",
        event.reason,
    )


def test_the_box_that_a_flight_begins_with_is_taken_on_the_first_frame_whatever_the_view_delay() -> None:
    flight = delayed(Select(BOX), 0, 1, view_delay_ms=900)
    assert flight.tracker.inits == [(0, BOX)]
    assert [event.reason for event in flight.heard.of(SelectionEvent)] == [""]


@pytest.mark.parametrize("box", [(900.0, 900.0, 5.0, 5.0), (-19.0, 5.0, 20.0, 20.0)], ids=["wholly", "mostly"])
def test_a_box_outside_the_frame_is_refused_and_the_old_target_goes_on(flight: Flight, box: Box) -> None:
    flight.scripted(live_frame(0), Select(BOX), Select(box), live_frame(1))
    assert flight.tracker.updates == [1]
    assert [event.is_refused for event in flight.heard.of(SelectionEvent)] == [False, True]


def test_stop_forgets_the_target_and_another_selection_starts_again(flight: Flight) -> None:
    other: Box = (1.0, 2.0, 6.0, 6.0)
    flight.scripted(live_frame(0), Select(BOX), live_frame(1), Stop(), live_frame(2), Select(other), live_frame(3))
    assert flight.states == [("TRACKING", 0, "selected"), ("WAITING", 1, "stopped"), ("TRACKING", 2, "selected")]
    assert flight.tracker.inits == [(0, BOX), (2, other)]
    assert flight.tracker.updates == [1, 3]
