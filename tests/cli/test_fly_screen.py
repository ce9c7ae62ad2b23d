from __future__ import annotations

import pytest

from eatrack_edge.cli.fly_screen import Screen
from eatrack_edge.session.events import SelectionEvent, SourceFoundEvent, SourceLostEvent


def test_a_source_that_was_never_there_is_not_called_lost(capsys: pytest.CaptureFixture[str]) -> None:
    screen = Screen("udp://0.0.0.0:5000")
    for event in (
        SourceLostEvent("nothing came for 5 s", 1, was_found=False),
        SourceFoundEvent("PyAV", 5.7, 2, (640, 360), was_found=False),
        SourceLostEvent("the stream ended", 3),
        SourceFoundEvent("PyAV", 2.0, 4, (960, 540)),
    ):
        screen.take(event)
    assert [line.partition(" s  ")[2] for line in capsys.readouterr().out.splitlines()] == [
        "SOURCE NOT FOUND  udp://0.0.0.0:5000: nothing came for 5 s; trying again",
        "SOURCE FOUND  640x360  PyAV",
        "SOURCE LOST  the stream ended; trying again",
        "SOURCE FOUND  after 2.0 s  960x540  PyAV",
    ]


def test_a_box_outside_the_frames_of_a_camera_is_said_to_be_refused(capsys: pytest.CaptureFixture[str]) -> None:
    Screen("rtsp://drone").take(SelectionEvent(0, "the box lies outside the frame", True, 1))
    assert capsys.readouterr().out.endswith(" s  selection refused: the box lies outside the frame\n")
