"""The server through real sockets: what it serves, whom it refuses, and what a bad viewer costs."""

from __future__ import annotations

import asyncio
import json
import random
import socket
import struct
import time
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import psutil
import pytest
from prometheus_client.parser import text_string_to_metric_families
from websockets.exceptions import ConnectionClosed, InvalidStatus

from eatrack_edge.core.errors import MachineError
from eatrack_edge.ground.web.messages import MAX_BYTES
from eatrack_edge.ground.web.pictures import Pictures
from eatrack_edge.ground.web.station import WebStation
from eatrack_edge.ground.web.viewers import MOST_PAGES, MOST_PLAYERS
from eatrack_edge.ground.web.web_address import WebAddress
from eatrack_edge.outputs.overlay import annotate
from eatrack_edge.session.commands import KEEP_S, RestoreTemplate, Select, SelectPoint, Stop
from eatrack_edge.tracking.reacquisition import Candidate
from ground.web.simulated_flight import TOKEN, Flight, Page, wait_until


def picture_of(page: Page) -> tuple[dict[str, object], bytes]:
    while True:
        message, jpeg = page.receive()
        if message["type"] == "picture":
            return message, jpeg


def test_a_picture_carries_its_frame_number_age_and_size() -> None:
    with Flight(size=(1920, 1080)) as flight, flight.open() as page:
        page.send("view", width=4000)
        page.wait_for("welcome")
        for _ in range(5):
            header, jpeg = picture_of(page)
            page.send("ack", picture=header["picture"], age_ms=1.0)
        decoded = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert header["size"] == [1920, 1080]
    assert header["picture_size"] == [1280, 720]
    assert decoded.shape == (720, 1280, 3)
    assert 0 < float(str(header["age_ms"])) < 10_000
    assert (header["state"], header["box"], header["confidence"]) == ("WAITING", None, None)


def test_a_box_reaches_the_tracker_on_the_frame_that_it_was_drawn_on() -> None:
    with Flight() as flight, flight.open() as page:
        header = page.wait_for("picture")
        for _ in range(10):  # meanwhile newer frames come
            page.wait_for("picture")
        page.send("select", box=[100, 50, 40, 30], frame=header["frame"])
        selection = page.wait_for("selection")
        state = page.wait_for("telemetry", state="TRACKING")
        page.send("stop")
        page.wait_for("telemetry", state="WAITING")
    assert (selection["frame"], selection["is_refused"], selection["reason"]) == (header["frame"], False, "")
    assert [box for _, box in flight.tracker.inits] == [(100, 50, 40, 30)]
    select, stop = flight.commands
    assert isinstance(select, Select)
    assert (select.box, select.frame, stop) == ((100, 50, 40, 30), header["frame"], Stop())
    assert state["templates"] == {"version": 1, "count": 2}


def test_a_selection_that_the_tracker_refuses_is_said_to_every_page() -> None:
    with Flight(size=(640, 360)) as flight, flight.open() as one, flight.open() as other:
        header = one.wait_for("picture")
        one.send("select", box=[10, 10, 0.5, 5], frame=header["frame"])
        assert one.wait_for("refused")["reason"] == "the box is empty"
        one.send("select", box=[10, 10, 5, 5], frame=10**9)
        assert one.wait_for("refused")["reason"] == "frame 1000000000 was not shown here lately"
        one.send("select", box=[10, 10, 20, 20], frame=header["frame"])
        assert other.wait_for("selection")["is_refused"] is False
    assert len(flight.commands) == 1


def test_a_box_on_a_frame_that_is_kept_is_taken_there_and_one_on_a_frame_that_is_gone_is_refused() -> None:
    with Flight(history=5) as flight, flight.open() as page, flight.open() as other:
        assert page.wait_for("welcome")["keep_s"] == KEEP_S
        gone, kept = (page.wait_for("picture")["frame"] for _ in range(2))
        other.wait_for("picture", frame=kept)
        other.send("keep", frame=kept)
        assert other.wait_for("refused")["reason"].endswith("take control first")
        page.send("keep", frame=10**9)
        assert page.wait_for("refused")["reason"] == "frame 1000000000 was not shown here lately"
        page.send("keep", frame=kept)
        while page.wait_for("picture")["frame"] < kept + 30:
            pass
        page.send("select", box=[10, 10, 20, 20], frame=gone, id=1)
        answer = other.wait_for("selection", id=1)
        assert (answer["frame"], answer["box"], answer["is_refused"]) == (gone, None, True)
        assert answer["reason"] == f"frame {gone} is not held any more: select again on the live picture"
        page.send("select", box=[10, 10, 20, 20], frame=kept, id=2)
        answer = other.wait_for("selection", id=2)
        assert (answer["frame"], answer["is_refused"], answer["reason"]) == (kept, False, "")
    assert flight.kept == [kept]


def test_a_click_on_the_far_edges_is_one_on_the_last_pixel() -> None:
    with Flight(size=(640, 360)) as flight, flight.open() as page:
        page.send("point", x=640, y=360, frame=page.wait_for("picture")["frame"])
        assert page.wait_for("selection")["is_refused"] is False
    (point,) = flight.commands
    assert isinstance(point, SelectPoint)
    assert (point.x, point.y) == (639, 359)


def test_each_answer_names_its_viewer_and_its_selection() -> None:
    with Flight() as flight, flight.open() as one, flight.open() as other:
        you, frame = one.wait_for("welcome")["you"], one.wait_for("picture")["frame"]
        one.send("select", box=[0, 0, 0.5, 5], frame=frame, id=7)
        assert one.wait_for("refused")["id"] == 7
        flight.session.commands.put(Select((1.0, 1.0, 20.0, 20.0)))  # by MAVLink, or from a file
        assert one.wait_for("selection")["viewer"] is None
        for number in (8, 9):  # in quick succession
            one.send("select", box=[10 * number, 10, 20, 20], frame=frame, id=number)
        for number in (8, 9):
            answer = other.wait_for("selection", viewer=you)
            assert (answer["id"], answer["box"]) == (number, [10 * number, 10, 20, 20])
        one.send("select", box=[10, 10, 20, 20], frame=frame)  # a client that gives no id
        assert one.wait_for("selection", viewer=you, id=0)["box"] == [10, 10, 20, 20]
    assert not flight.station.hub._asked


def test_a_template_is_restored_for_the_target_that_it_is_of_alone() -> None:
    with Flight() as flight, flight.open() as page, flight.open() as other:
        frame = page.wait_for("picture")["frame"]
        for _ in range(2):
            page.send("select", box=[10, 10, 20, 20], frame=frame)
            page.wait_for("selection")
        table = json.loads(flight.get("/api/templates")[1])
        assert (table["target"], table["slots"]) == (2, [0, 1])
        assert [row["number"] for row in table["templates"]] == [0, 1]
        assert table["templates"][0]["reason"] == "given to init"
        page.send("restore", number=0, target=1)
        assert page.wait_for("refused")["reason"] == "this template is of an earlier target"
        page.send("restore", number=5, target=2)
        assert page.wait_for("refused")["reason"] == "template 5 is not held any more"
        other.send("restore", number=0, target=2)
        assert other.wait_for("refused")["reason"].endswith("take control first")
        page.send("restore", number=0, target=2)
        answer = other.wait_for("restored")
        assert (answer["number"], answer["is_refused"], answer["reason"]) == (0, False, "")
        assert json.loads(flight.get("/api/templates")[1])["slots"] == [0, 0]
        assert page.wait_for("telemetry", templates={"version": 3, "count": 2})
    assert flight.commands[2:] == [RestoreTemplate(0)]


def test_one_commands_at_a_time_and_everyone_sees_who() -> None:
    with Flight() as flight, flight.open() as one, flight.open() as other:
        first, second = one.wait_for("welcome")["you"], other.wait_for("welcome")["you"]
        frame = other.wait_for("picture")["frame"]
        other.send("select", box=[10, 10, 20, 20], frame=frame)
        assert other.wait_for("refused")["reason"] == f"viewer {first} commands: take control first"
        other.send("stop")
        other.wait_for("refused")
        other.send("take")
        wait_until(lambda: one.wait_for("telemetry")["viewers"]["commander"] == second)
        one.send("stop")
        assert one.wait_for("refused")["reason"] == f"viewer {second} commands: take control first"
        other.send("release")
        wait_until(lambda: one.wait_for("telemetry")["viewers"]["commander"] is None)
        one.send("stop")
        assert one.wait_for("refused")["reason"] == "nobody commands: take control first"
        one.send("take")
        wait_until(lambda: one.wait_for("telemetry")["viewers"]["commander"] == first)
    assert flight.commands == []


def test_control_is_free_when_its_holder_leaves() -> None:
    with Flight() as flight, flight.open() as stays:
        stays.wait_for("welcome")
        stays.send("release")
        with flight.open() as leaves:
            leaves.wait_for("telemetry")
            leaves.send("take")
            wait_until(lambda: flight.station.hub.viewers.commander is not None)
        wait_until(lambda: flight.station.hub.viewers.commander is None)


def test_commands_come_no_faster_than_a_person_gives_them() -> None:
    with Flight() as flight, flight.open() as page:
        page.wait_for("welcome")
        for _ in range(200):
            page.send("stop")
        assert page.wait_for("refused")["reason"] == "too many commands at once"
        page.wait_for("telemetry")
    assert 10 <= len(flight.commands) < 60


def test_a_viewer_that_never_acknowledges_gets_two_pictures_and_the_numbers() -> None:
    with Flight() as flight, flight.open() as page, flight.open() as other:
        pictures, numbers, deadline = 0, 0, time.monotonic() + 3
        while time.monotonic() < deadline:
            message, _ = page.receive()
            pictures += message["type"] == "picture"
            numbers += message["type"] == "telemetry"
        assert (pictures, numbers >= 5) == (2, True)
        before = other.wait_for("picture")["frame"]  # nobody else is held up
        assert other.wait_for("picture")["frame"] > before


def test_viewers_that_stop_reading_cost_nothing() -> None:
    """Four pages and four players that never read: memory stays, and the session and other pages go on."""
    with Flight(size=(1280, 720), fps=60) as flight, flight.open() as good:
        stuck = [_raw_connection(flight.port, path) for path in ("/ws", "/stream.mjpg") for _ in range(4)]
        while flight.station.hub.telemetry.frames < 150:  # by now the session holds all the frames that it ever will
            good.wait_for("picture")
        process = psutil.Process()
        before = process.memory_info().rss
        deadline = time.monotonic() + 5
        while time.monotonic() < deadline:
            good.wait_for("picture")
        grown = process.memory_info().rss - before
        frames = flight.station.hub.telemetry.frames
        good.wait_for("telemetry")
        wait_until(lambda: flight.station.hub.telemetry.frames > frames)
        for connection in stuck:
            connection.close()
        wait_until(lambda: len(flight.station.hub.viewers.pages) == 1 and not flight.station.hub.viewers.players)
    assert grown < 24 * 2**20, f"{grown / 2**20:.1f} MiB"


def _raw_connection(port: int, path: str, host: str = "localhost") -> socket.socket:
    connection = socket.create_connection(("127.0.0.1", port))
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    request = f"GET {path} HTTP/1.1\r\nHost: {host}\r\n"
    if path == "/ws":
        request += "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        request += "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
    connection.sendall(request.encode() + b"\r\n")
    return connection


def test_ten_thousand_random_messages_select_nothing_and_leave_nothing_behind() -> None:
    chance = random.Random(18)
    with Flight() as flight, flight.open() as page:
        page.wait_for("picture")
        process = psutil.Process()
        _send_random(page, chance, 2000)
        before = process.memory_info().rss
        _send_random(page, chance, 8000)
        grown = process.memory_info().rss - before
        assert not [command for command in flight.commands if isinstance(command, Select)]
        # And it still does what it is asked.
        frame = page.wait_for("picture")["frame"]
        wait_until(lambda: page.send("take") or flight.station.hub.viewers.commander is not None)
        time.sleep(0.5)  # commands that chance sent count too
        page.send("select", box=[10, 10, 20, 20], frame=frame)
        page.wait_for("selection")
    (select,) = (command for command in flight.commands if isinstance(command, Select))
    assert (select.box, select.frame) == ((10, 10, 20, 20), frame)
    assert grown < 16 * 2**20, f"{grown / 2**20:.1f} MiB"


def _send_random(page: Page, chance: random.Random, count: int) -> None:
    """Bytes, texts, and messages that are almost right: no selection among them is one."""
    for number in range(count):
        page.connection.send(_random_message(chance))
        if number % 100 == 99:
            page.wait_for("telemetry")  # read, so that the server is the one that is tested


def _random_message(chance: random.Random) -> str | bytes:
    kind = chance.randrange(4)
    if kind == 0:
        return chance.randbytes(chance.randrange(200))
    if kind == 1:
        return "".join(
            chr(chance.choice((chance.randrange(32, 127), chance.randrange(0x4E00, 0x9000)))) for _ in range(80)
        )
    wrong = [-1, 1e308, None, "x", [], 2**60, -(2**60), True]
    if kind == 2:  # a selection on a frame that does not exist, or of no box
        frame = chance.choice([*wrong, 10**6 + chance.randrange(1000)])
        return json.dumps({"type": chance.choice(["select", "point"]), "box": [1, 2, 30, 40], "x": 3, "frame": frame})
    message = {"type": chance.choice(["ack", "ping", "view", "take", "release", "stop", "select", "quit", "", 3])}
    keys = ("picture", "at", "width", "box", "frame", "age_ms")
    message |= {key: chance.choice([*wrong, chance.random()]) for key in chance.sample(keys, chance.randrange(3))}
    return json.dumps(message)[: chance.choice((None, None, 5, 20))]


def test_a_message_that_is_too_long_ends_the_connection_alone() -> None:
    with Flight() as flight, flight.open() as page, flight.open() as other:
        page.connection.send("x" * (MAX_BYTES + 1))
        with pytest.raises(ConnectionClosed):
            page.wait_for("nothing")
        assert page.connection.close_code == 1009
        other.wait_for("telemetry")


def test_too_many_pages_are_told_so() -> None:
    with Flight() as flight:
        pages = [flight.open() for _ in range(MOST_PAGES)]
        for page in pages:
            page.__enter__()
        with flight.open() as more:
            assert more.receive()[0] == {"type": "full", "reason": "too many pages are open: close one"}
        for page in pages:
            page.__exit__()
        wait_until(lambda: not flight.station.hub.viewers.pages)


def test_foreign_hosts_and_origins_are_refused_on_http_and_on_the_websocket() -> None:
    with Flight() as flight:
        own = f"http://127.0.0.1:{flight.port}"
        for headers, expected in (
            ({}, 200), ({"Origin": own}, 200), ({"Origin": "http://evil.example"}, 403), ({"Host": "evil.example"}, 421),
        ):  # fmt: skip
            response, _ = flight.get("/", **headers)
            assert response.status == expected, headers
        with flight.open(origin=own) as page:
            page.wait_for("welcome")
        with pytest.raises(InvalidStatus) as caught, flight.open(origin="http://evil.example"):
            pass
        assert caught.value.response.status_code == 403
        with _raw_connection(flight.port, "/ws", host="evil.example") as rebound:
            assert rebound.recv(100).startswith(b"HTTP/1.1 403")
        assert not flight.station.hub.viewers.pages


def test_with_a_token_nothing_is_served_without_it() -> None:
    with Flight(token=TOKEN) as flight:
        assert flight.station.link == f"http://127.0.0.1:{flight.port}/?token={TOKEN}"
        for path in (
            "/",
            "/style.css",
            "/stream.mjpg",
            "/metrics",
            "/api",
            "/api/status",
            "/api/log",
            "/api/templates",
            "/api/templates/0.jpg",
        ):
            response, content = flight.get(path)
            assert (response.status, content[:4]) == (401, b"This"), path
        with pytest.raises(InvalidStatus), flight.open():
            pass
        response, _ = flight.get(f"/?token={TOKEN}")
        cookie = str(response.getheader("Set-Cookie"))
        assert cookie == f"eatrack_{flight.port}={TOKEN}; Path=/; HttpOnly; SameSite=Strict"
        assert flight.get("/api/status", Cookie=cookie.partition(";")[0])[0].status == 200
        assert flight.get("/metrics", Authorization=f"Bearer {TOKEN}")[0].status == 200
        with flight.open(additional_headers={"Cookie": cookie.partition(";")[0]}) as page:
            page.wait_for("welcome")


@pytest.mark.parametrize(
    "path",
    ["/../pyproject.toml", "/..%2f..%2fpyproject.toml", "/%2e%2e/station.py", "/index.html/../../app.py", "//etc/passwd",
     "/page/", "/api/templates/..%2f0.jpg", "/api/templates/-1.jpg", "/api/log/../../../etc/passwd", "/\x00".replace("\x00", "%00")],
)  # fmt: skip
def test_no_path_leads_to_a_file_of_the_disk(path: str) -> None:
    with Flight() as flight:
        response, content = flight.get(path)
        assert response.status == 404
        assert b"import" not in content


def test_every_answer_has_the_security_headers_and_the_page_is_of_one_piece() -> None:
    with Flight() as flight:
        for path, kind in (
            ("/", "text/html"),
            ("/style.css", "text/css"),
            ("/station.js", "text/javascript"),
            ("/none", "text/plain"),
        ):
            response, content = flight.get(path)
            policy = str(response.getheader("Content-Security-Policy"))
            assert "default-src 'none'" in policy
            assert "unsafe" not in policy
            assert response.getheader("X-Content-Type-Options") == "nosniff"
            assert str(response.getheader("Content-Type")).startswith(kind)
            assert b"http://" not in content.replace(b"http://www.w3.org", b"")
            assert b"https://" not in content
        html = flight.get("/")[1].decode()
        assert "style=" not in html
        assert "<script>" not in html
        assert "onclick" not in html


def test_large_and_broken_requests_are_refused() -> None:
    with Flight() as flight:
        assert flight.get("/" + "x" * 3000)[0].status == 414
        assert flight.get("/", "POST", b"x" * 100)[0].status == 405
        assert flight.get("/", X_Long="x" * 40_000)[0].status == 431
        with socket.create_connection(("127.0.0.1", flight.port)) as connection:
            connection.sendall(b"\x16\x03\x01 not http at all\r\n\r\n")
            assert connection.recv(100).startswith(b"HTTP/1.1 400")
        assert flight.get("/healthz")[1] == b"ok\n"


def test_the_stream_shows_the_newest_picture_with_the_box() -> None:
    with Flight(size=(1280, 720)) as flight, socket.create_connection(("127.0.0.1", flight.port)) as player:
        flight.session.commands.put(Select((300.0, 200.0, 200.0, 150.0), None))
        wait_until(lambda: flight.tracker.updates)
        player.sendall(f"GET /stream.mjpg HTTP/1.0\r\nHost: 127.0.0.1:{flight.port}\r\n\r\n".encode())
        data = b""
        while data.count(b"--eatrack") < 3:
            data += player.recv(65536)
        jpeg = data.split(b"--eatrack")[2].partition(b"\r\n\r\n")[2]
        picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
        plain = cv2.resize(flight.session._feed.picture, (960, 540))
    assert picture.shape == (540, 960, 3)
    assert int(cv2.absdiff(picture, plain)[150:263, 225:375].max()) > 100  # a line where the box is


def test_what_may_be_a_lost_target_is_in_the_header_in_the_status_and_in_the_stream() -> None:
    with Flight(size=(1280, 720)) as flight, flight.open() as page:
        flight.session._feed.picture[:] = 90  # one grey, of which JPEG loses nothing
        flight.session.commands.put(Select((800.0, 500.0, 200.0, 150.0)))
        wait_until(lambda: flight.tracker.updates)
        flight.tracker.candidates = (Candidate((400.0, 200.0, 120.0, 80.0), 0.62, True),)
        header = page.wait_for("picture", state="LOST")
        expected = [{"box": [400, 200, 120, 80], "probability": 0.62}]
        assert (header["box"], header["candidates"]) == (None, expected)
        assert json.loads(flight.get("/api/status")[1])["candidates"] == expected
        event = flight.station.hub.newest
        assert event is not None
        jpeg = asyncio.run(Pictures().of(event, 960, is_annotated=True)).jpeg
    # At three quarters of the frame's size: the candidate, and where the target was seen last.
    boxes = {"candidates": [((300, 150, 90, 60), 0.62)], "last_reliable_box": (600, 375, 150, 112.5)}
    wanted = annotate(np.full((540, 960, 3), 90, np.uint8), replace(event.record, **boxes))
    picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_GRAYSCALE)
    difference = cv2.absdiff(picture, cv2.cvtColor(wanted, cv2.COLOR_BGR2GRAY))
    assert (difference > 40).mean() < 1e-4  # smoothed edges; a box in another place is hundreds of pixels


def test_players_are_limited_and_leave_no_trace() -> None:
    with Flight() as flight:
        players = [_raw_connection(flight.port, "/stream.mjpg") for _ in range(MOST_PLAYERS)]
        wait_until(lambda: len(flight.station.hub.viewers.players) == MOST_PLAYERS)
        assert flight.get("/stream.mjpg")[0].status == 503
        for player in players:
            player.close()
        wait_until(lambda: not flight.station.hub.viewers.players)


def test_the_log_is_served_as_far_as_it_is_written(tmp_path: Path) -> None:
    log = tmp_path / "my flight.jsonl"
    log.write_text('{"type":"header"}\n' * 1000)
    with Flight(log=log) as flight:
        response, content = flight.get("/api/log")
        assert response.getheader("Content-Disposition") == 'attachment; filename="my_flight.jsonl"'
        assert content == log.read_bytes()
    with Flight() as flight:
        assert flight.get("/api/log")[0].status == 404


def test_the_api_lists_itself_and_answers() -> None:
    with Flight() as flight, flight.open() as page:
        frame = page.wait_for("picture")["frame"]
        page.send("select", box=[10, 10, 20, 20], frame=frame)
        page.wait_for("telemetry", state="TRACKING")
        listing = json.loads(flight.get("/api")[1])["paths"]
        assert {"/healthz", "/metrics", "/stream.mjpg", "/api/status", "/api/log"} <= listing.keys()
        status = json.loads(flight.get("/api/status")[1])
        assert (status["state"], status["source"]["name"]) == ("TRACKING", "camera")
        points = json.loads(flight.get("/api/trend")[1])["points"]
        assert points[-1].keys() == {"seconds", "confidence", "age_ms", "state"}
        crop = cv2.imdecode(np.frombuffer(flight.get("/api/templates/1.jpg")[1], np.uint8), cv2.IMREAD_COLOR)
        assert (crop.shape, int(crop.mean())) == ((32, 32, 3), 90)
        assert flight.get("/api/templates/2.jpg")[0].status == 404
        names = {family.name for family in text_string_to_metric_families(flight.get("/metrics")[1].decode())}
        assert {"eatrack_frames", "eatrack_state", "eatrack_page_age_seconds"} <= names


def test_the_end_of_the_session_is_said_and_health_is_gone() -> None:
    with Flight() as flight, flight.open() as page:
        page.wait_for("telemetry")
        assert flight.get("/healthz")[0].status == 200
        flight.is_stopped = True
        assert page.wait_for("end")["ended"] == "interrupted"
        assert flight.get("/healthz")[0].status == 503


def test_an_address_of_another_machine_is_an_error_before_the_flight() -> None:
    with pytest.raises(MachineError, match=r"--web 192\.0\.2\.1:80: cannot listen"):
        WebStation(WebAddress("192.0.2.1", 80), TOKEN, print, print)


def test_a_header_has_the_length_that_it_says() -> None:
    with Flight() as flight, flight.open() as page:
        data = ""
        while isinstance(data, str):
            data = page.connection.recv(10)
    (length,) = struct.unpack_from("<I", data)
    assert json.loads(data[4 : 4 + length])["frame"] >= 0
    assert data[4 + length : 6 + length] == b"\xff\xd8"
