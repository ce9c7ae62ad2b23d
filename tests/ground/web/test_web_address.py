from __future__ import annotations

import socket

import pytest

from eatrack_edge.core.errors import MachineError, UsageError
from eatrack_edge.ground.web.web_address import (
    WebAddress,
    allowed_hosts,
    choose_token,
    listen,
    page_link,
    parse_address,
)


@pytest.mark.parametrize(
    ("text", "host", "port", "is_loopback"),
    [
        pytest.param("on", "127.0.0.1", 8080, True, id="on"),
        pytest.param("9000", "127.0.0.1", 9000, True, id="port"),
        pytest.param(":9000", "127.0.0.1", 9000, True, id="port with a colon"),
        pytest.param("localhost:9000", "localhost", 9000, True, id="localhost"),
        pytest.param("127.0.0.5", "127.0.0.5", 8080, True, id="another loopback address"),
        pytest.param("[::1]:9000", "::1", 9000, True, id="IPv6 loopback"),
        pytest.param("0.0.0.0:9000", "0.0.0.0", 9000, False, id="every address"),
        pytest.param("[::]", "::", 8080, False, id="every IPv6 address"),
        pytest.param("192.168.1.20", "192.168.1.20", 8080, False, id="one address"),
        pytest.param("drone-7.lan:80", "drone-7.lan", 80, False, id="a name"),
        pytest.param(
            "127.0.0.1.evil.example", "127.0.0.1.evil.example", 8080, False, id="a name that looks like loopback"
        ),
    ],
)
def test_an_address_is_loopback_unless_another_is_given(text: str, host: str, port: int, is_loopback: bool) -> None:
    address = parse_address(text)
    assert (address.host, address.port, address.is_loopback) == (host, port, is_loopback)


@pytest.mark.parametrize("text", ["", "video.mp4:x", "http://127.0.0.1:8080", "127.0.0.1:99999", "a b", "::1", "[::1"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_address(text)
    assert str(caught.value).startswith(f"--web: not an address: `{text}`\nhint: for example: --web on, --web 8080")


def test_loopback_needs_no_token_and_other_addresses_always_have_one() -> None:
    assert choose_token(parse_address("on"), "") == ""
    made = {choose_token(parse_address("0.0.0.0"), "") for _ in range(20)}
    assert len(made) == 20
    assert min(map(len, made)) >= 20


def test_a_token_that_is_given_is_taken_and_a_weak_one_is_refused() -> None:
    assert choose_token(parse_address("on"), "a-token-of-17-chars") == "a-token-of-17-chars"
    for weak in ("short", "has a space in the middle of it", "x" * 200):
        with pytest.raises(UsageError, match="the web token needs 16 to 128 letters"):
            choose_token(parse_address("0.0.0.0"), weak)


def test_a_port_in_use_is_said_before_the_flight() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(MachineError) as caught:
            listen(WebAddress("127.0.0.1", port))
    assert str(caught.value) == (
        f"--web 127.0.0.1:{port}: cannot listen: address already in use\nhint: choose another: --web 8081"
    )


def test_a_link_opens_the_page_with_its_token() -> None:
    assert page_link(parse_address("on"), "") == "http://127.0.0.1:8080/"
    assert page_link(parse_address("[::1]:90"), "") == "http://[::1]:90/"
    link = page_link(parse_address("0.0.0.0"), "abc")
    assert "0.0.0.0" not in link
    assert link.endswith(":8080/?token=abc")


def test_a_loopback_station_answers_to_loopback_names_alone() -> None:
    assert allowed_hosts(parse_address("on")) == {"localhost", "127.0.0.1", "::1"}
    assert {"drone-7.lan", socket.gethostname().lower()} <= allowed_hosts(parse_address("drone-7.lan"))
