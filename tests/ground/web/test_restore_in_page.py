"""Restoring a template in the page, in a real browser and with the real tracker."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from eatrack_edge import Tracker, TrackerSettings
from eatrack_edge.scene.render import Scene
from eatrack_edge.session.commands import RestoreTemplate
from eatrack_edge.sources.feed import FeedItem, LiveFrame
from eatrack_edge.tracking.settings import TemplateSettings
from ground.web.simulated_flight import Flight, wait_until
from ground.web.test_page import CONTRASTS, DESKTOP, PHONE, Open, browser, contrast, drag, open_page, touch, wait_for

__all__ = ["browser", "open_page"]  # fixtures
SIZE = (640, 360)
SECOND = "document.querySelector('#slots figure:last-child figcaption').textContent"
NAMES = (
    "[...document.querySelectorAll('#restorable button')].map((one) => one.querySelector('.use').textContent).join()"
)


class SceneCamera:
    """The first frame of a scene again and again, until ``is_moving``: then the others, five a second."""

    def __init__(self) -> None:
        self.scene = Scene(0, 400, SIZE, 10.0)
        self.is_moving = False
        self._index, self._next_s, self._place = 0, time.monotonic(), 0

    def next(self, timeout: float) -> FeedItem | None:
        wait_s = self._next_s - time.monotonic()
        time.sleep(min(max(wait_s, 0), timeout))
        if wait_s > timeout:
            return None
        self._next_s = max(self._next_s + 0.2, time.monotonic())
        self._index += 1
        self._place += self.is_moving
        frame = self.scene.render(self._place)
        return LiveFrame(self._index - 1, self._index / 5, frame, captured_ns=time.monotonic_ns())


@pytest.mark.parametrize(("size", "draw"), [(DESKTOP, drag), (PHONE, touch)], ids=["mouse", "touch"])
def test_a_press_on_an_earlier_template_puts_it_into_the_second_slot(
    open_page: Open, tmp_path: Path, size: tuple[int, int], draw: Any
) -> None:
    settings = TrackerSettings(templates=TemplateSettings(interval=6))
    camera = SceneCamera()
    with Tracker(settings=settings) as tracker, Flight(tracker=tracker, feed=camera, history=300) as flight:
        page = open_page(flight.station.link, size)
        x, y, w, h = camera.scene.truth[0].tolist()
        draw(page, (x, y, w, h), SIZE)
        wait_until(lambda: tracker.templates.shown)
        camera.is_moving = True
        wait_for(
            page, f"document.querySelectorAll('#restorable button').length >= 3 && {SECOND} !== 'Second: the first'"
        )
        page.screenshot(path=tmp_path / "templates.png")
        assert tracker.templates.shown[1].number > 0
        first = page.locator("#restorable button").first
        assert np.min([first.bounding_box()[side] for side in ("width", "height")]) >= 44
        assert min(contrast(*pair) for pair in page.evaluate(CONTRASTS)) >= 4.5
        assert page.evaluate("document.documentElement.scrollWidth") == size[0]
        first.tap() if size == PHONE else first.click()
        wait_until(lambda: RestoreTemplate(0) in flight.commands)
        wait_for(
            page, "document.getElementById('toast').textContent === 'The first template is restored as the second'"
        )
        event = next(event for event in tracker.template_events if event.reason.startswith("restored"))
        assert event.reason == "restored template 0, of frame 0"
        assert event.is_replaced


def test_who_does_not_command_sees_the_templates_and_cannot_restore_one(open_page: Open) -> None:
    with Flight(size=SIZE, history=300) as flight:
        flight.tracker.template_count = 12  # more than fit side by side
        one, other = open_page(flight.station.link), open_page(flight.station.link, PHONE)
        drag(one, (100, 100, 80, 60), SIZE)
        for page in (one, other):
            wait_for(page, f"{NAMES} === 'Restore,{'Restore,' * 10}In use'")
            assert page.evaluate("document.documentElement.scrollWidth") == page.viewport_size["width"]
        assert other.evaluate("[...document.querySelectorAll('#restorable button')].every((one) => one.disabled)")
        # On the phone the strip scrolls away below the commands, never over them.
        assert (
            other.evaluate(
                "(() => { const r = document.getElementById('pause').getBoundingClientRect();"
                "return document.elementFromPoint(r.left + r.width / 2, r.top + 9).id })()"
            )
            == "pause"
        )
        one.locator("#restorable button").nth(3).click()
        wait_for(one, f"{SECOND} === 'Second: no. 3'")
        wait_for(other, f"{SECOND} === 'Second: no. 3'")
        assert [template.number for template in flight.tracker.templates.shown] == [0, 3]
        assert one.locator("#restorable button").nth(3).is_disabled()
        one.keyboard.press("Escape")
        wait_for(one, "document.getElementById('templates').hidden")
