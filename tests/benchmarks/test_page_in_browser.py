"""The page of a result in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from benchmarks.test_page import projection, result
from chromium import chromium
from eatrack_edge.benchmarks.page import write_page


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as browser:
        yield browser


@pytest.fixture
def window(browser: Any, tmp_path: Path) -> Iterator[Any]:
    """The page of a result with a projection, and in `console` what it wrote there."""
    write_page(result(projection=projection()), tmp_path / "page.html")
    window = browser.new_page(viewport={"width": 1040, "height": 2600})
    window.console = []
    window.on("console", lambda message: window.console.append(message.text))
    window.on("pageerror", lambda error: window.console.append(str(error)))
    window.goto((tmp_path / "page.html").as_uri())
    yield window
    window.close()


def test_a_browser_draws_the_page(window: Any) -> None:
    drawn = cv2.imdecode(np.frombuffer(window.screenshot(), np.uint8), cv2.IMREAD_COLOR)
    blue = (abs(drawn.astype(int) - (0xB2, 0x72, 0x00)).sum(axis=2) < 12).sum()
    purple = (abs(drawn.astype(int) - (0xA7, 0x79, 0xCC)).sum(axis=2) < 12).sum()
    assert blue > 5000  # bars of what was measured
    assert purple > 500  # outlines of what was projected


def test_a_browser_shows_the_table_and_every_chart_without_console_messages(window: Any) -> None:
    # `innerText` leaves out whatever is hidden.
    shown, hidden = window.evaluate("[...document.querySelectorAll('table')].map(one => one.innerText)")
    assert [line.split("\t") for line in shown.splitlines()][2][:4] == ["kcf <1>", "5.00", "6.00", "0.50"]
    assert hidden == "", "the projection's table is folded away"
    heights = window.evaluate("[...document.querySelectorAll('svg')].map(one => one.getBoundingClientRect().height)")
    assert len(heights) == 8
    assert min(heights) > 20
    assert not window.evaluate("document.documentElement.scrollWidth > window.innerWidth")
    assert not window.console
