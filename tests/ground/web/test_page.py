"""The page in a real browser: Debian's Chromium, driven by Playwright. Screenshots are kept in pytest's folder."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from chromium import chromium
from eatrack_edge.core.boxes import iou
from eatrack_edge.scene.render import Scene
from eatrack_edge.session.commands import Select, SelectPoint, Stop
from eatrack_edge.session.events import SelectionEvent
from ground.web.simulated_flight import TOKEN, Flight, wait_until

DESKTOP, PHONE = (1440, 900), (390, 844)
Open = Callable[..., Any]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with chromium() as browser:
        yield browser


def is_complaint(message: Any) -> bool:
    """An error of the page's own; that a flight has ended is none."""
    return message.type == "error" and "ERR_CONNECTION" not in message.text


@pytest.fixture
def open_page(browser: Any) -> Iterator[Open]:
    """Open a link in a window or a phone of its own; errors on its console fail the test."""
    contexts, complaints = [], []

    def open_page(link: str, size: tuple[int, int] = DESKTOP) -> Any:
        is_phone = size == PHONE
        context = browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            has_touch=is_phone,
            is_mobile=is_phone,
            device_scale_factor=2 if is_phone else 1,
        )
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text) if is_complaint(message) else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(link)
        wait_for(page, "document.getElementById('picture').dataset.frame !== undefined")
        wait_for(page, "document.getElementById('commander').textContent")  # it knows who commands
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not complaints


def wait_for(page: Any, expression: str, within_s: float = 60) -> Any:
    """Poll, since the page's policy forbids Playwright's own way of waiting."""
    deadline = time.monotonic() + within_s
    while not (value := page.evaluate(expression)):
        assert time.monotonic() < deadline, expression
        time.sleep(0.05)
    return value


def text_of(page: Any, name: str) -> str:
    return str(page.evaluate(f"document.getElementById('{name}').textContent"))


def screen_place(page: Any, point: tuple[float, float], frame_size: tuple[int, int]) -> tuple[float, float]:
    """Where a point of the frame is on the screen, by arithmetic of our own: the frame fits into the canvas, centred."""
    left, top, width, height = page.evaluate(
        "(() => { const r = document.getElementById('picture').getBoundingClientRect(); return [r.left, r.top, r.width, r.height] })()"
    )
    scale = min(width / frame_size[0], height / frame_size[1])
    return (
        left + (width - frame_size[0] * scale) / 2 + point[0] * scale,
        top + (height - frame_size[1] * scale) / 2 + point[1] * scale,
    )


def drag(page: Any, box: tuple[float, float, float, float], frame_size: tuple[int, int]) -> None:
    x, y, w, h = box
    page.mouse.move(*screen_place(page, (x, y), frame_size))
    page.mouse.down()
    page.mouse.move(*screen_place(page, (x + w / 2, y + h / 2), frame_size))
    page.mouse.move(*screen_place(page, (x + w, y + h), frame_size))
    page.mouse.up()


def touch(page: Any, box: tuple[float, float, float, float], frame_size: tuple[int, int]) -> None:
    """A finger that is drawn over the picture, as the browser's own touch events."""
    session = page.context.new_cdp_session(page)
    x, y, w, h = box
    for kind, share in (("touchStart", 0.0), ("touchMove", 0.5), ("touchMove", 1.0), ("touchEnd", None)):
        place = None if share is None else screen_place(page, (x + share * w, y + share * h), frame_size)
        points = [] if place is None else [{"x": place[0], "y": place[1]}]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})


def selections(flight: Flight) -> list[Select]:
    return [command for command in flight.commands if isinstance(command, Select)]


@pytest.mark.parametrize(("size", "draw"), [(DESKTOP, drag), (PHONE, touch)], ids=["mouse", "touch"])
@pytest.mark.parametrize("frame_size", [(960, 540), (640, 480)], ids=str)
def test_a_box_is_drawn_to_within_a_pixel_and_names_the_frame_on_the_screen(
    open_page: Open, tmp_path: Path, size: tuple[int, int], draw: Any, frame_size: tuple[int, int]
) -> None:
    width, height = frame_size
    box = (0.3 * width, 0.25 * height, 0.2 * width, 0.35 * height)
    with Flight(size=frame_size, fps=10, history=300) as flight:
        page = open_page(flight.station.link, size)
        before = int(page.evaluate("document.getElementById('picture').dataset.frame"))
        draw(page, box, frame_size)
        wait_for(page, "document.getElementById('word').textContent === 'TRACKING'")
        after = int(page.evaluate("document.getElementById('picture').dataset.frame"))
        wait_until(lambda: flight.tracker.updates)
        page.screenshot(path=tmp_path / "tracking.png")
        assert (tmp_path / "tracking.png").stat().st_size > 10_000
    (select,) = selections(flight)
    assert np.abs(np.subtract(select.box, box)).max() <= 1
    assert select.frame is not None
    assert before <= select.frame <= after
    assert [box for _, box in flight.tracker.inits] == [select.box]
    assert [event.frame for event in flight.heard.of(SelectionEvent)] == [select.frame]


def test_a_drag_over_the_border_is_cut_off_there_and_a_click_names_its_point(open_page: Open) -> None:
    with Flight(size=(640, 360), history=300) as flight:
        page = open_page(flight.station.link)
        x, y = screen_place(page, (600, 300), (640, 360))
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(1439, 899)
        page.mouse.up()
        wait_until(lambda: len(selections(flight)) == 1)
        page.mouse.click(*screen_place(page, (200, 100), (640, 360)))
        wait_until(lambda: len(flight.commands) == 2)
    point = flight.commands[1]
    assert isinstance(point, SelectPoint)
    assert np.abs(np.subtract((point.x, point.y), (200, 100))).max() <= 1
    assert np.abs(np.subtract(selections(flight)[0].box, (600, 300, 40, 60))).max() <= 1


def test_keys_stop_pause_and_select_again(open_page: Open, tmp_path: Path) -> None:
    with Flight(size=(640, 360), history=600) as flight:
        page = open_page(flight.station.link)
        drag(page, (100, 100, 80, 60), (640, 360))
        wait_for(page, "document.getElementById('word').textContent === 'TRACKING'")
        page.keyboard.press("Escape")
        wait_for(page, "document.getElementById('word').textContent === 'WAITING'")
        page.keyboard.press("r")
        wait_for(page, "document.getElementById('word').textContent === 'TRACKING'")
        page.keyboard.press(" ")
        wait_for(page, "!document.getElementById('banner').hidden")
        assert text_of(page, "banner").startswith("Paused on frame ")
        held = page.evaluate("document.getElementById('picture').dataset.frame")
        time.sleep(0.7)
        assert page.evaluate("document.getElementById('picture').dataset.frame") == held
        page.screenshot(path=tmp_path / "paused.png")
        drag(page, (300, 200, 50, 40), (640, 360))  # on the picture that is held
        wait_for(page, f"document.getElementById('picture').dataset.frame !== '{held}'")
        wait_until(lambda: len(flight.tracker.inits) == 3)
        # A drag that is broken off selects nothing, and does not stop the tracker either.
        page.mouse.move(*screen_place(page, (100, 100), (640, 360)))
        page.mouse.down()
        page.mouse.move(*screen_place(page, (200, 200), (640, 360)))
        page.keyboard.press("Escape")
        page.mouse.up()
        time.sleep(0.5)
    first, again, on_pause = selections(flight)
    assert [type(command) for command in flight.commands] == [Select, Stop, Select, Select]
    assert again.frame is not None
    assert first.frame is not None
    assert again.frame > first.frame
    assert on_pause.frame == int(held)
    assert np.abs(np.subtract(on_pause.box, (300, 200, 50, 40))).max() <= 1


def test_a_paused_picture_can_be_drawn_on_for_as_long_as_the_page_says(
    open_page: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("eatrack_edge.session.live", "eatrack_edge.ground.web.conversation"):
        monkeypatch.setattr(f"{module}.KEEP_S", 4.0)
    with Flight(size=(640, 360), history=10) as flight:  # 0.4 s
        page = open_page(flight.station.link)
        for is_over in (False, True):
            before = page.evaluate("document.getElementById('picture').dataset.frame")
            wait_for(page, f"document.getElementById('picture').dataset.frame !== '{before}'")
            page.keyboard.press(" ")
            wait_for(page, "/Draw on it within [1-4] s/.test(document.getElementById('banner').textContent)")
            if is_over:
                wait_for(page, "/too old to draw on/.test(document.getElementById('banner').textContent)")
                time.sleep(0.5)
            else:
                time.sleep(1.5)
            paused = int(page.evaluate("document.getElementById('picture').dataset.frame"))
            drag(page, (300, 200, 50, 40), (640, 360))
            wait_until(lambda: len(flight.heard.of(SelectionEvent)) == 1 + is_over)  # noqa: B023
            answer = flight.heard.of(SelectionEvent)[-1]
            assert (answer.frame, answer.is_refused) == (paused, is_over)
        assert set(flight.kept) == {event.frame for event in flight.heard.of(SelectionEvent)}
        wait_for(page, "/^Selection refused: frame .* select again/.test(document.getElementById('toast').textContent)")
    assert len(flight.tracker.inits) == 1


def test_a_second_viewer_watches_until_it_takes_control(open_page: Open, tmp_path: Path) -> None:
    with Flight(size=(640, 360), history=300) as flight:
        one, other = open_page(flight.station.link), open_page(flight.station.link, PHONE)
        wait_for(other, "document.getElementById('commander').textContent === 'Viewer 1 commands'")
        assert text_of(one, "commander") == "You command"
        assert other.evaluate("document.documentElement.scrollWidth") == PHONE[0]
        touch(other, (100, 100, 200, 100), (640, 360))
        wait_for(other, "!document.getElementById('toast').hidden")
        assert text_of(other, "toast") == "Another viewer commands. Take control first."
        other.screenshot(path=tmp_path / "second_viewer.png")
        assert flight.commands == []
        other.tap("#control")  # once: a tap is never lost, not even one that follows a flick over the picture
        wait_for(one, "document.getElementById('commander').textContent === 'Viewer 2 commands'")
        wait_for(other, "document.getElementById('commander').textContent === 'You command'")
        touch(other, (100, 100, 200, 100), (640, 360))
        wait_for(one, "document.getElementById('word').textContent === 'TRACKING'")
        assert one.evaluate("document.getElementById('stop').disabled")
        other.tap("#stop")
        wait_for(one, "document.getElementById('word').textContent === 'WAITING'")
    assert [type(command) for command in flight.commands] == [Select, Stop]


def test_a_tap_right_after_a_flick_is_not_lost(open_page: Open) -> None:
    """Chromium gives no click for it: it takes the tap for the end of the flick."""
    with Flight(size=(640, 360), history=300) as flight:
        open_page(flight.station.link)
        page = open_page(flight.station.link, PHONE)
        viewers = flight.station.hub.viewers
        left, top, width, height = page.evaluate(
            "(() => { const r = document.getElementById('control').getBoundingClientRect(); return [r.left, r.top, r.width, r.height] })()"
        )
        session = page.context.new_cdp_session(page)
        for turn in range(12):
            before = viewers.commander
            touch(page, (100, 100, 200, 100), (640, 360))
            for kind, points in (("touchStart", [{"x": left + width / 2, "y": top + height / 2}]), ("touchEnd", [])):
                session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
            wait_until(lambda before=before: viewers.commander is not before)
            is_taken = "true" if turn % 2 == 0 else "false"
            wait_for(page, f"(document.getElementById('commander').textContent === 'You command') === {is_taken}")


def test_the_token_opens_the_page_once_and_leaves_the_address_bar(open_page: Open, browser: Any) -> None:
    with Flight(token=TOKEN) as flight:
        page = open_page(flight.station.link)
        assert page.url == f"http://127.0.0.1:{flight.port}/"
        page.reload()  # by the cookie
        wait_for(page, "document.getElementById('picture').dataset.frame !== undefined")
        assert TOKEN not in str(page.evaluate("document.cookie"))
        stranger = browser.new_page()
        assert stranger.goto(f"http://127.0.0.1:{flight.port}/").status == 401
        stranger.close()


def test_another_site_can_neither_connect_nor_embed(browser: Any) -> None:
    """A page of another origin, as a browser that the pilot has open: its script is refused."""
    with Flight(size=(320, 240)) as flight, Flight(size=(320, 240)) as other_site:
        page = browser.new_page()
        page.goto(f"http://127.0.0.1:{other_site.port}/api")  # no policy of a page of ours: plain JSON
        page.goto("about:blank")
        result = page.evaluate(
            """async (port) => {
              const socket = new WebSocket(`ws://127.0.0.1:${port}/ws`);
              const opened = await new Promise((done) => { socket.onopen = () => done(true); socket.onerror = () => done(false); });
              const image = new Image();
              image.src = `http://127.0.0.1:${port}/stream.mjpg`;
              const loaded = await new Promise((done) => { image.onload = () => done(true); image.onerror = () => done(false); });
              return [opened, loaded];
            }""",
            flight.port,
        )
        page.close()
        assert result == [False, False]
        assert not flight.station.hub.viewers.pages


def test_a_link_that_is_lost_is_said_and_found_again(open_page: Open, tmp_path: Path) -> None:
    with Flight(size=(640, 360)) as flight:
        page = open_page(flight.station.link)
        wait_for(page, "document.body.dataset.link === 'live'")
    wait_for(page, "document.body.dataset.commands === 'no'")
    page.screenshot(path=tmp_path / "lost.png")
    assert text_of(page, "banner") in ("No link to the tracker. Trying again.", "The session has ended: interrupted")
    assert page.evaluate("document.getElementById('stop').disabled")
    with Flight(size=(640, 360), port=flight.port):
        wait_for(page, "document.body.dataset.link === 'live' && document.body.dataset.commands === 'yes'")
        wait_for(page, "document.getElementById('banner').hidden")


def test_what_must_be_readable_has_enough_contrast_and_what_is_touched_is_large_enough(open_page: Open) -> None:
    """WCAG 2.2 AA: 4.5:1 for text, 44 px for fingers; computed from what the browser shows."""
    with Flight(size=(640, 360), history=300) as flight:
        page = open_page(flight.station.link, PHONE)
        touch(page, (100, 100, 200, 100), (640, 360))
        wait_for(page, "document.getElementById('word').textContent === 'TRACKING'")
        for state in ("TRACKING", "UNCERTAIN", "LOST", "REACQUIRED", "WAITING", "SEARCHING"):
            page.evaluate(f"document.getElementById('state').dataset.state = '{state}'")
            colours = page.evaluate(CONTRASTS)
            assert min(contrast(*pair) for pair in colours) >= 4.5, state
        heights = page.evaluate(
            "[...document.querySelectorAll('button')].filter(b => b.offsetParent).map(b => b.offsetHeight)"
        )
        assert min(heights) >= 44


CONTRASTS = """(() => {
  const found = [];
  for (const element of document.querySelectorAll('h1, p, dt, dd, figcaption, output, strong, span, h2, li, small')) {
    if (!element.offsetParent || !element.textContent.trim()) continue;
    let ground = element;
    while (ground && /rgba\\(.*, 0\\)/.test(getComputedStyle(ground).backgroundColor)) ground = ground.parentElement;
    found.push([getComputedStyle(element).color, getComputedStyle(ground ?? document.documentElement).backgroundColor]);
  }
  return found;
})()"""


def contrast(one: str, other: str) -> float:
    """The ratio of WCAG 2.2."""

    def luminance(colour: str) -> float:
        channels = np.array([float(value) for value in re.findall(r"[\d.]+", colour)[:3]]) / 255
        linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
        return float(linear @ (0.2126, 0.7152, 0.0722))

    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def test_a_box_that_is_drawn_in_the_browser_is_tracked_by_the_real_model(open_page: Open, tmp_path: Path) -> None:
    """The whole chain: `eatrack-edge fly --web`, a box drawn in Chromium, and the tracker's box on the true one."""
    scene = Scene(0, 900, (640, 360), 10.0)
    (tmp_path / "fly.toml").write_text("history = 600\n")  # the browser is slow on a shared machine
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3]), "PYTHONUNBUFFERED": "1"}
    source = "test://?width=640&height=360&frames=900&fps=10"
    command = [
        sys.executable,
        "-m",
        "eatrack_edge",
        "fly",
        source,
        "--select",
        "none",
        "--realtime",
        "--web",
        "0",
        "--config",
        tmp_path / "fly.toml",
    ]
    flight = subprocess.Popen(
        [*command, "--jsonl", tmp_path / "fly.jsonl"], stdout=subprocess.PIPE, text=True, env=environment
    )
    try:
        assert flight.stdout is not None
        link = next(match[0] for line in flight.stdout if (match := re.search(r"http://\S+", line)))
        page = open_page(link)
        wait_for(page, "+document.getElementById('picture').dataset.frame > 5")
        page.keyboard.press(" ")  # the true box is of the frame that is held
        time.sleep(0.3)
        frame = int(page.evaluate("document.getElementById('picture').dataset.frame"))
        x, y, w, h = scene.truth[frame].tolist()
        drag(page, (x, y, w, h), (640, 360))
        wait_for(page, "document.getElementById('word').textContent === 'TRACKING'", 60)
        wait_for(page, "+document.getElementById('confidence').textContent > 0")
        page.screenshot(path=tmp_path / "real_model.png")
        log = page.context.request.get(f"{link}api/log").text().splitlines()
    finally:
        flight.send_signal(signal.SIGTERM)
        flight.communicate(timeout=30)
    lines = [json.loads(line) for line in log]
    (selected,) = [line for line in lines if line["type"] == "selection"]
    assert (selected["frame"], selected["is_refused"]) == (frame, False)
    tracked = [line for line in lines if line["type"] == "frame" and line["box"] and line["frame"] > frame]
    visible = [line for line in tracked if scene.visible[line["frame"]] > 0.9]  # it drives under trees
    assert visible
    overlaps = iou(np.float32([line["box"] for line in visible]), scene.truth[[line["frame"] for line in visible]])
    assert np.median(overlaps) > 0.5
