"""The guard alone; ``test_station.py`` and ``test_page.py`` meet it through real sockets and a real browser."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eatrack_edge.ground.web.guard import Guard
from ground.web.simulated_flight import TOKEN


async def nothing(*_: object) -> None:
    raise AssertionError("not called here")


def guard(*, token: str = "", is_loopback: bool = True) -> Guard:
    hosts = frozenset({"localhost", "127.0.0.1", "::1"} | (set() if is_loopback else {"drone"}))
    return Guard(nothing, hosts, not is_loopback, token, "eatrack_8080")


def status(
    guard: Guard, path: str = "/", query: str = "", method: str = "GET", kind: str = "http", **headers: str
) -> int:
    """The status that refuses a request; 0 where it is let through."""
    headers = {"host": "127.0.0.1:8080", **{key.replace("_", "-"): value for key, value in headers.items()}}
    scope = {
        "type": kind, "path": path, "query_string": query.encode(), "method": method,
        "headers": [(key.encode(), value.encode("latin-1")) for key, value in headers.items()],
    }  # fmt: skip
    refusal = guard.refusal(scope)
    return refusal.status if refusal else 0


@pytest.mark.parametrize(
    ("host", "loopback", "network"),
    [
        ("127.0.0.1:8080", 0, 0),
        ("localhost:8080", 0, 0),
        ("LOCALHOST", 0, 0),
        ("localhost:9000", 0, 0),  # an SSH tunnel
        ("[::1]:8080", 0, 0),
        ("drone:8080", 421, 0),
        ("192.168.1.20:8080", 421, 0),  # a name can be rebound, an address cannot
        ("evil.example:8080", 421, 421),
        ("127.0.0.1.evil.example", 421, 421),
        ("localhost.evil.example:8080", 421, 421),
        ("", 421, 421),
        ("[::1", 421, 421),
        ("127.0.0.1@evil.example", 421, 421),
    ],
)
def test_a_foreign_host_is_refused(host: str, loopback: int, network: int) -> None:
    for kind in ("http", "websocket"):
        assert status(guard(), host=host, kind=kind) == loopback
        assert status(guard(token=TOKEN, is_loopback=False), query=f"token={TOKEN}", host=host, kind=kind) == network


@pytest.mark.parametrize(
    ("origin", "refused"),
    [
        ("http://127.0.0.1:8080", 0),
        ("https://127.0.0.1:8080", 0),
        ("http://127.0.0.1:8081", 403),
        ("http://localhost:8080", 403),
        ("http://evil.example", 403),
        ("http://127.0.0.1:8080.evil.example", 403),
        ("null", 403),
        ("", 403),
    ],
)
def test_a_foreign_origin_is_refused_on_every_route(origin: str, refused: int) -> None:
    for path, kind in (("/", "http"), ("/ws", "websocket"), ("/api/status", "http")):
        assert status(guard(), path, kind=kind, origin=origin) == refused


@pytest.mark.parametrize(
    ("path", "headers", "refused"),
    [
        pytest.param("/stream.mjpg", {"sec_fetch_site": "cross-site", "sec_fetch_mode": "no-cors", "sec_fetch_dest": "image"}, 403, id="embedded image"),
        pytest.param("/stream.mjpg", {"sec_fetch_site": "same-origin"}, 0, id="our own image"),
        pytest.param("/", {"sec_fetch_site": "cross-site", "sec_fetch_mode": "navigate", "sec_fetch_dest": "document"}, 0, id="a link to the page"),
        pytest.param("/", {"sec_fetch_site": "cross-site", "sec_fetch_mode": "navigate", "sec_fetch_dest": "iframe"}, 403, id="a frame"),
        pytest.param("/api/log", {"sec_fetch_site": "cross-site", "sec_fetch_mode": "navigate", "sec_fetch_dest": "document"}, 403, id="a link to the log"),
    ],
)  # fmt: skip
def test_other_sites_embed_nothing(path: str, headers: dict[str, str], refused: int) -> None:
    assert status(guard(), path, **headers) == refused


def test_requests_only_read_and_carry_no_body() -> None:
    assert [status(guard(), method=method) for method in ("GET", "HEAD")] == [0, 0]
    assert {status(guard(), method=method) for method in ("POST", "PUT", "DELETE", "OPTIONS", "TRACE")} == {405}
    assert status(guard(), content_length="5") == 413
    assert status(guard(), transfer_encoding="chunked") == 413
    assert status(guard(), query="x" * 2000) == 414


def test_a_token_is_taken_from_the_link_a_cookie_or_a_header_and_needed_everywhere_but_for_health() -> None:
    guarded = guard(token=TOKEN)
    assert status(guarded) == 401
    assert status(guarded, kind="websocket") == 401
    assert status(guarded, "/healthz") == 0
    assert status(guarded, query=f"token={TOKEN}") == 0
    assert status(guarded, authorization=f"Bearer {TOKEN}") == 0
    assert status(guarded, cookie=f"other=1; eatrack_8080={TOKEN}") == 0
    assert status(guarded, cookie=f"eatrack_8081={TOKEN}") == 401  # of another flight on the same machine
    for wrong in ("", TOKEN[:-1], TOKEN + "x", TOKEN.upper(), "é"):
        assert status(guarded, query=f"token={wrong}") == 401
        assert status(guarded, authorization=f"Bearer {wrong}") == 401
        assert status(guarded, cookie=f"eatrack_8080={wrong}") == 401


@given(
    query=st.binary(max_size=200),
    headers=st.lists(
        st.tuples(st.sampled_from([b"host", b"origin", b"cookie", b"authorization", b"content-length"]), st.binary(max_size=60)),
        max_size=4,
    ),
    path=st.text(max_size=40),
)  # fmt: skip
def test_no_request_gets_through_without_the_token_or_breaks_the_guard(
    query: bytes, headers: list[tuple[bytes, bytes]], path: str
) -> None:
    scope = {"type": "http", "path": path, "query_string": query, "method": "GET", "headers": headers}
    assert path == "/healthz" or guard(token=TOKEN).refusal(scope) is not None
