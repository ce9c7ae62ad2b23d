"""Choosing what may be a lost target on the page, in a real browser."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from eatrack_edge.core.boxes import Box
from eatrack_edge.session.commands import Select, SelectPoint
from eatrack_edge.tracking.reacquisition import Candidate
from ground.web.simulated_flight import Camera, Flight, wait_until
from ground.web.test_page import (
    CONTRASTS,
    DESKTOP,
    PHONE,
    Open,
    browser,
    contrast,
    drag,
    open_page,
    screen_place,
    text_of,
    touch,
    wait_for,
)

__all__ = ["browser", "open_page"]  # fixtures
SIZE = (640, 360)
FIRST, SECOND, TINY = (100.0, 80.0, 90.0, 60.0), (480.0, 250.0, 40.0, 30.0), (300.25, 200.5, 8.0, 6.0)
GROUND, LIGHT = 90, 140  # of the picture, and what no pixel of it is; a thin line is not as light as its colour
Tap = Callable[[Any, tuple[float, float]], None]


def click(page: Any, place: tuple[float, float]) -> None:
    page.mouse.click(*screen_place(page, place, SIZE))


def tap(page: Any, place: tuple[float, float]) -> None:
    page.touchscreen.tap(*screen_place(page, place, SIZE))


def flight_over_grey() -> Flight:
    """What is not grey in the picture was drawn by the page."""
    camera = Camera(SIZE, 10)
    camera.picture[:] = GROUND
    return Flight(feed=camera, history=600)


def lose(flight: Flight, page: Any, *boxes: Box) -> None:
    """Select a target, and lose it: these boxes may be it."""
    started = len(flight.tracker.inits)
    flight.session.commands.put(Select((10.0, 10.0, 40.0, 30.0)))
    wait_until(lambda: len(flight.tracker.inits) > started)
    probabilities = (0.62, 0.31, 0.08)
    flight.tracker.candidates = tuple(
        Candidate(box, probability, True) for box, probability in zip(boxes, probabilities, strict=False)
    )
    places = f"{len(boxes)} places look" if len(boxes) > 1 else "1 place looks"
    wait_for(page, f"document.getElementById('sentence').textContent.includes('{places}')")
    drawn_from = flight.station.hub.telemetry.frames + 1
    wait_for(page, f"+document.getElementById('picture').dataset.frame > {drawn_from}")


def command_of(flight: Flight, act: Callable[[], None]) -> Any:
    """What the page sends when something is done; the tracker has started on it when this returns."""
    sent, started = len(flight.commands), len(flight.tracker.inits)
    act()
    wait_until(lambda: len(flight.commands) > sent and len(flight.tracker.inits) > started)
    return flight.commands[-1]


def light_pixels(page: Any, box: Box, margin: float = 4) -> Any:
    """Which pixels of the canvas in and about a box of the frame the page drew light: (rows, columns)."""
    x, y, w, h = box
    values = page.evaluate(
        """([x, y, w, h]) => {
          const canvas = document.getElementById("picture");
          const ratio = canvas.width / canvas.clientWidth;
          const scale = Math.min(canvas.width / 640, canvas.height / 360);
          const [left, top] = [(canvas.width - 640 * scale) / 2, (canvas.height - 360 * scale) / 2];
          const area = [left + x * scale, top + y * scale, w * scale, h * scale].map(Math.round);
          const pixels = canvas.getContext("2d").getImageData(...area);
          return [pixels.width, pixels.height, [...pixels.data]];
        }""",
        [x - margin, y - margin, w + 2 * margin, h + 2 * margin],
    )
    width, height, data = values
    return np.array(data).reshape(height, width, 4)[:, :, :3].min(2) >= LIGHT


def is_outlined(page: Any, box: Box) -> bool:
    """Whether dashes lie along all four sides of a box, and nothing in it."""
    light = light_pixels(page, box)
    middle = light[light.shape[0] // 3 : -light.shape[0] // 3, light.shape[1] // 3 : -light.shape[1] // 3]
    sides = (light[: light.shape[0] // 4], light[-light.shape[0] // 4 :], light.T[: light.shape[1] // 4])
    shares = [side.any(0).mean() for side in (*sides, light.T[-light.shape[1] // 4 :])]
    return min(shares) > 0.3 and not middle.any()


@pytest.mark.parametrize(("size", "press"), [(DESKTOP, click), (PHONE, tap)], ids=["mouse", "touch"])
def test_a_tap_chooses_what_may_be_the_lost_target_on_the_frame_on_the_screen(
    open_page: Open, tmp_path: Path, size: tuple[int, int], press: Tap
) -> None:
    with flight_over_grey() as flight:
        page = open_page(flight.station.link, size)
        lose(flight, page, FIRST, SECOND)
        assert text_of(page, "sentence") == "The target is lost. 2 places look like it: tap one, or draw a box."
        assert [is_outlined(page, box) for box in (FIRST, SECOND)] == [True, True]
        page.screenshot(path=tmp_path / "lost.png")
        assert min(contrast(*pair) for pair in page.evaluate(CONTRASTS)) >= 4.5
        assert page.evaluate("document.documentElement.scrollWidth") == size[0]
        before = int(page.evaluate("document.getElementById('picture').dataset.frame"))
        tapped = command_of(flight, lambda: press(page, (500, 265)))
        wait_for(page, "document.getElementById('word').textContent === 'TRACKING'")
        after = int(page.evaluate("document.getElementById('picture').dataset.frame"))
        wait_for(page, f"+document.getElementById('picture').dataset.frame > {after + 1}")
        assert not light_pixels(page, FIRST).any()  # no candidate is drawn of a target that is tracked
        lose(flight, page, FIRST, SECOND)
        page.keyboard.press("3")  # there is none
        by_key = command_of(flight, lambda: page.keyboard.press("1"))
        lose(flight, page, FIRST)
        beside = command_of(flight, lambda: press(page, (400, 100)))
        lose(flight, page, FIRST)
        draw = drag if size == DESKTOP else touch
        drawn = command_of(flight, lambda: draw(page, (120, 90, 30, 20), SIZE))  # a box within a candidate
    assert len(flight.commands) == 4
    assert np.abs(np.subtract(tapped.box, SECOND)).max() <= 0.01
    assert np.abs(np.subtract(by_key.box, FIRST)).max() <= 0.01
    assert np.abs(np.subtract(drawn.box, (120, 90, 30, 20))).max() <= 1.5
    assert tapped.frame is not None
    assert before <= tapped.frame <= after
    assert by_key.frame is not None
    assert by_key.frame > after
    assert isinstance(beside, SelectPoint)


def test_a_small_candidate_has_a_target_of_44_px_and_its_label_chooses_it_too(open_page: Open) -> None:
    with flight_over_grey() as flight:
        page = open_page(flight.station.link, PHONE)
        scale = PHONE[0] / SIZE[0]
        centre = (TINY[0] + TINY[2] / 2, TINY[1] + TINY[3] / 2)
        # To the left of a tiny one within its 44 px and beyond them; on its label; and nearer to one than to another.
        inside, outside = (21 / scale, 0), (24 / scale, 0)
        for boxes, place, chosen in (
            ((TINY,), (centre[0] - inside[0], centre[1]), TINY),
            ((TINY,), (centre[0] - outside[0], centre[1]), None),
            ((TINY,), (centre[0] + 20 / scale, centre[1] - 25 / scale), TINY),
            ((FIRST, (130.0, 100.0, 8.0, 6.0)), (133, 104), (130, 100, 8, 6)),
            ((FIRST, (201.0, 100.0, 8.0, 6.0)), (180, 103), FIRST),  # a finger's width of the second, but in the first
        ):
            lose(flight, page, *boxes)
            command = command_of(flight, lambda place=place: tap(page, place))
            assert isinstance(command, SelectPoint if chosen is None else Select)
            if chosen is not None:
                assert np.abs(np.subtract(command.box, chosen)).max() <= 0.01


def test_who_does_not_command_sees_the_candidates_and_chooses_none(open_page: Open) -> None:
    with flight_over_grey() as flight:
        open_page(flight.station.link)
        other = open_page(flight.station.link)
        lose(flight, other, FIRST, SECOND)
        assert is_outlined(other, SECOND)
        for act in (lambda: click(other, (500, 265)), lambda: other.keyboard.press("1")):
            act()
            wait_for(other, "!document.getElementById('toast').hidden")
            assert re.match("Another viewer commands", text_of(other, "toast"))
            other.evaluate("document.getElementById('toast').hidden = true")
        seen = flight.station.hub.telemetry.frames
        wait_until(lambda: flight.station.hub.telemetry.frames > seen + 5)
        assert flight.commands == []
        assert flight.tracker.candidates
