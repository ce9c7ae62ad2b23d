from __future__ import annotations

import pytest

from eatrack_edge.session.commands import RestoreTemplate, Select, Stop
from eatrack_edge.session.event_log import event_line
from eatrack_edge.session.events import RestoreEvent
from session.simulated_sessions import BOX, Flight, live_frame


@pytest.fixture
def flight() -> Flight:
    return Flight([])


def test_a_template_is_restored_between_two_frames_and_that_is_an_event(flight: Flight) -> None:
    flight.scripted(live_frame(0), Select(BOX), live_frame(1), RestoreTemplate(0), live_frame(2))
    assert [template.number for template in flight.tracker.templates.shown] == [0, 0]
    assert flight.tracker.updates == [1, 2]  # the target is tracked on
    (event,) = flight.heard.of(RestoreEvent)
    assert (event.number, event.frame, event.reason, event.is_refused) == (0, 1, "", False)
    assert event_line(event).items() >= {("type", "restore"), ("number", 0), ("frame", 1), ("is_refused", False)}


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        pytest.param([RestoreTemplate(0)], "there is no target", id="before a target"),
        pytest.param([Select(BOX), Stop(), RestoreTemplate(0)], "there is no target", id="after a stop"),
        pytest.param([Select(BOX), RestoreTemplate(9)], "there is no template 9: the log holds 0 to 1", id="none"),
    ],
)
def test_a_template_that_cannot_be_restored_is_refused_with_the_reason(
    flight: Flight, script: list[object], reason: str
) -> None:
    flight.scripted(live_frame(0), *script, live_frame(1))
    assert [(event.reason, event.is_refused) for event in flight.heard.of(RestoreEvent)] == [(reason, True)]
