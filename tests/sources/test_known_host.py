from __future__ import annotations

import socket
from typing import Any

import pytest

from eatrack_edge.core.errors import SourceLost
from eatrack_edge.sources import network
from eatrack_edge.sources.known_host import with_known_host
from eatrack_edge.sources.link import Link, LinkError
from eatrack_edge.sources.live_options import LiveOptions
from eatrack_edge.sources.registry import open_source


@pytest.fixture(autouse=True)
def without_names(monkeypatch: pytest.MonkeyPatch) -> None:
    """A network without a name server, and without a proxy."""

    def look_up(host: str, *arguments: object, **options: Any) -> object:
        if host.endswith(".lan"):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return known(host, *arguments, **options)

    known = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    for name in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)


def opened() -> Link:
    raise LinkError("the opener was asked")


@pytest.mark.parametrize("reader", ["pyav", "gstreamer"])
@pytest.mark.parametrize(
    "uri", ["rtsp://pilot:s@cret@drone.lan:8554/main", "http://drone.lan/camera", "rtsp://drone.lan"]
)
def test_a_host_that_is_not_known_is_said_to_be_so_by_both_readers(
    uri: str, reader: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(network, "pipeline_opener", lambda *_: opened)
    with (
        open_source(uri, live=LiveOptions(reader=reader)) as source,
        pytest.raises(SourceLost, match=r": the host `drone\.lan` is not known: name or service not known"),
    ):
        list(source)


@pytest.mark.parametrize(
    "uri", ["rtsp://127.0.0.1/main", "rtsp://[::1]:8554/main", "udp://@:5000", "rtp:///a.sdp", "-"]
)
def test_an_address_or_none_is_left_to_the_reader(uri: str) -> None:
    with pytest.raises(LinkError, match="the opener was asked"):
        with_known_host(uri, opened)()


def test_behind_a_proxy_a_web_camera_is_left_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://10.0.0.1:3128")
    with pytest.raises(LinkError, match="the opener was asked"):
        with_known_host("http://drone.lan/camera", opened)()
    with pytest.raises(LinkError, match="is not known"):
        with_known_host("rtsp://drone.lan/main", opened)()


def test_a_list_of_hosts_without_a_proxy_is_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("no_proxy", "localhost")
    with pytest.raises(LinkError, match="is not known"):
        with_known_host("http://drone.lan/camera", opened)()


def test_a_name_that_no_host_can_have_is_said_to_be_one() -> None:
    with pytest.raises(LinkError, match=r"the host `x\.\.y` is not known: no host has such a name"):
        with_known_host("rtsp://x..y/main", opened)()
