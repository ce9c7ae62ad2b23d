"""The window of a live session, on a simulated screen: OpenCV's headless build has none."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest

from eatrack_edge.core.errors import MachineError
from eatrack_edge.outputs.base import FrameRecord
from eatrack_edge.session.commands import Command, KeepFrame, Quit, Select
from eatrack_edge.session.events import FrameEvent, SourceLostEvent
from eatrack_edge.session.live_window import LiveWindow
from session.simulated_sessions import live_frame


class Screen:
    """What was shown, the key that is pressed next, and the mouse."""

    def __init__(self) -> None:
        self.pictures: list[Any] = []
        self.key = -1
        self.mouse: Callable[..., None] = lambda *_: None
        self.is_open = False


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> Screen:
    made = Screen()
    simulated = {
        "namedWindow": lambda *_: setattr(made, "is_open", True),
        "destroyWindow": lambda *_: setattr(made, "is_open", False),
        "imshow": lambda _, picture: made.pictures.append(picture),
        "waitKey": lambda _: made.key,
        "getWindowProperty": lambda *_: 1.0,
        "setMouseCallback": lambda _, callback: setattr(made, "mouse", callback),
    }
    for name, function in simulated.items():
        monkeypatch.setattr(cv2, name, function)
    return made


def frame_event(number: int) -> FrameEvent:
    return FrameEvent(live_frame(number), FrameRecord(number, 0.0, None, math.nan, "WAITING"), 0.0)


def test_the_mouse_selects_on_the_frame_where_the_button_was_pressed(screen: Screen) -> None:
    commands: list[Command] = []
    window = LiveWindow("x", commands.append)
    window.take(frame_event(7))
    screen.mouse(cv2.EVENT_LBUTTONDOWN, 40, 30, 0, None)
    window.take(frame_event(8))
    screen.mouse(cv2.EVENT_MOUSEMOVE, 20, 20, 0, None)
    screen.mouse(cv2.EVENT_LBUTTONUP, 10, 12, 0, None)
    assert commands == [KeepFrame(7), Select((10.0, 12.0, 30.0, 18.0), 7)]
    screen.mouse(cv2.EVENT_LBUTTONDOWN, 40, 30, 0, None)
    screen.mouse(cv2.EVENT_LBUTTONUP, 41, 30, 0, None)
    assert commands[2:] == [KeepFrame(8)]  # a click selects nothing


def test_a_key_ends_the_session_once(screen: Screen) -> None:
    commands: list[Command] = []
    window = LiveWindow("x", commands.append)
    window.take(SourceLostEvent("gone", 1))
    assert not screen.is_open
    window.take(frame_event(0))
    screen.key = ord("q")
    window.take(frame_event(1))
    window.take(frame_event(2))
    assert commands == [Quit()]
    assert len(screen.pictures) == 2
    window.finish(None)
    assert not screen.is_open


def test_the_frame_that_the_tracker_has_is_not_drawn_on(screen: Screen) -> None:
    event = frame_event(3)
    before = event.shown.frame.copy()
    LiveWindow("x", print).take(event)
    assert (event.shown.frame == before).all()
    assert not np.array_equal(screen.pictures[0], before)


def test_without_a_screen_the_way_out_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise cv2.error("no screen")

    monkeypatch.setattr(cv2, "namedWindow", refuse)
    with pytest.raises(MachineError, match="--show needs an OpenCV with windows and a screen"):
        LiveWindow("x", print).take(frame_event(0))
