"""What the page says and draws once nothing newer comes, in a real browser."""

from __future__ import annotations

from typing import Any

import pytest

from eatrack_edge.session.commands import Select
from ground.web.simulated_flight import Camera, Flight
from ground.web.test_page import Open, browser, open_page, screen_place, text_of, wait_for

__all__ = ["browser", "open_page"]  # fixtures
GROUND = 90
GREEN, GREY = (0x63, 0xD6, 0x8F), (0xA3, 0xB3, 0xBD)


class Log:
    name, dropped = "fly.jsonl", 0


def pixels_of(page: Any, colour: tuple[int, int, int]) -> int:
    """How many pixels of the canvas have a colour, to within what smoothing changes."""
    count = page.evaluate(
        """(colour) => {
          const canvas = document.getElementById("picture");
          const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
          let count = 0;
          for (let at = 0; at < data.length; at += 4) count += colour.every((part, place) => Math.abs(data[at + place] - part) < 12);
          return count;
        }""",
        list(colour),
    )
    return int(count)


def tracked(open_page: Open, flight: Flight) -> Any:
    page = open_page(flight.station.link, (700, 900))
    flight.session.commands.put(Select((200.0, 100.0, 160.0, 120.0)))
    wait_for(page, "document.getElementById('word').textContent === 'TRACKING'")
    wait_until_drawn(page, GREEN)
    return page


def wait_until_drawn(page: Any, colour: tuple[int, int, int]) -> None:
    """In this colour, and in no other of the two."""
    other = GREY if colour == GREEN else GREEN
    for _ in range(40):
        if pixels_of(page, colour) > 100 and pixels_of(page, other) < 20:
            return
        page.wait_for_timeout(250)
    raise AssertionError(f"the box was not drawn in {colour}: {pixels_of(page, GREEN)}, {pixels_of(page, GREY)} pixels")


@pytest.fixture
def flight() -> Flight:
    camera = Camera((640, 360), 10)
    camera.picture[:] = GROUND  # what is not grey was drawn by the page
    return Flight(feed=camera, history=600, outputs=[Log()])


def test_a_box_on_a_paused_picture_does_not_look_live(open_page: Open, flight: Flight) -> None:
    with flight:
        page = tracked(open_page, flight)
        page.keyboard.press(" ")
        wait_until_drawn(page, GREY)
        page.keyboard.press(" ")
        wait_until_drawn(page, GREEN)


def test_after_the_end_neither_the_panel_nor_the_box_looks_live(open_page: Open, flight: Flight) -> None:
    with flight:
        page = tracked(open_page, flight)
        assert text_of(page, "outputs") == "fly.jsonlWriting"
        flight.is_stopped = True
        wait_for(page, "document.getElementById('word').textContent === 'ENDED'")
        assert text_of(page, "sentence") == "The session has ended: nothing is tracked."
        assert text_of(page, "outputs") == "fly.jsonlEnded"
        assert text_of(page, "since") == ""
        wait_until_drawn(page, GREY)
    wait_for(page, "document.body.dataset.commands === 'no'")
    assert text_of(page, "word") == "ENDED"  # also when the server is gone


def test_a_press_after_the_end_says_that_the_session_has_ended(open_page: Open, flight: Flight) -> None:
    with flight:
        page = tracked(open_page, flight)
        flight.is_stopped = True
        wait_for(page, "document.getElementById('word').textContent === 'ENDED'")
        assert_presses_say(page, "The session has ended: nothing is tracked.")
        sent = len(flight.commands)
    wait_for(page, "document.getElementById('control').hidden")  # the server is gone, too
    assert_presses_say(page, "The session has ended: nothing is tracked.")
    assert len(flight.commands) == sent


def assert_presses_say(page: Any, text: str) -> None:
    place = screen_place(page, (100, 100), (640, 360))
    for press in (
        lambda: page.mouse.click(*place),
        lambda: page.keyboard.press("Escape"),
        lambda: page.keyboard.press("r"),
    ):
        page.evaluate("document.getElementById('toast').textContent = ''")
        press()
        assert text_of(page, "toast") == text


def test_without_a_link_the_state_is_said_to_be_an_old_one(open_page: Open, flight: Flight) -> None:
    with flight:
        page = tracked(open_page, flight)
        flight.station.close()
        wait_for(
            page, "document.getElementById('sentence').textContent === 'This was the state when the link was lost.'"
        )
        assert text_of(page, "outputs") == "fly.jsonlNo link"
        wait_until_drawn(page, GREY)
