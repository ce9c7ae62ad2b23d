from __future__ import annotations

import re

import pytest

from eatrack_edge.core.errors import InputError
from eatrack_edge.sources.live_uri import name_of, without_password
from eatrack_edge.sources.registry import open_source

SHOWN = [
    pytest.param("rtsp://user:p@ss@10.0.0.2/live", "rtsp://user:***@10.0.0.2/live", id="an @ in it"),
    pytest.param("rtsp://user:p:ss@10.0.0.2/live", "rtsp://user:***@10.0.0.2/live", id="a colon in it"),
    pytest.param("rtsp://user:p ss@10.0.0.2/live", "rtsp://user:***@10.0.0.2/live", id="a space in it"),
    pytest.param("rtsp://user:pa/ss@10.0.0.2/live", "rtsp://user:***@10.0.0.2/live", id="a slash in it"),
    pytest.param("rtsp://user:1#ss?@10.0.0.2/live", "rtsp://user:***@10.0.0.2/live", id="other signs in it"),
    pytest.param("rtsp://:pass@10.0.0.2/live", "rtsp://:***@10.0.0.2/live", id="no user"),
    pytest.param("http://h/x?user=a&password=pass", "http://h/x?user=a&password=***", id="query"),
    pytest.param("http://h/x?loginuse=a&loginpas=pass&c=1", "http://h/x?loginuse=a&loginpas=***&c=1", id="loginpas"),
    pytest.param("http://h/x?user=a&PWD=pa/ss#1&c=1", "http://h/x?user=a&PWD=***&c=1", id="pwd"),
    pytest.param("http://h/x?access_token=pass", "http://h/x?access_token=***", id="token"),
    pytest.param("http://h/x?api-key=pass", "http://h/x?api-key=***", id="key"),
    pytest.param("rtsp://h/user=a&password=pass&channel=1", "rtsp://h/user=a&password=***&channel=1", id="path"),
    pytest.param(
        "rtsp://h/user=a_password=pass_channel=1.sdp?x",
        "rtsp://h/user=a_password=***_channel=1.sdp?x",
        id="underscores",
    ),
    pytest.param("rtsp://u:pass@h/x?passwd=pass", "rtsp://u:***@h/x?passwd=***", id="both"),
    pytest.param(
        'rtspsrc location="rtsp://u:p ss@h/x?pwd=ss" latency=0 ! fakesink',
        'rtspsrc location="rtsp://u:***@h/x?pwd=***" latency=0 ! fakesink',
        id="pipeline",
    ),
    pytest.param(
        'gst://rtspsrc location=rtsp://h/x user-id=u user-pw="p ss" ! fakesink',
        "gst://rtspsrc location=rtsp://h/x user-id=u user-pw=*** ! fakesink",
        id="property of an element",
    ),
]


@pytest.mark.parametrize(("uri", "shown"), SHOWN)
def test_no_part_of_a_password_is_shown_or_in_a_name(uri: str, shown: str) -> None:
    assert without_password(uri) == shown
    assert not {"p", "ss", "pa", "pass"} & set(re.split(r"[^0-9A-Za-z]+", name_of(uri)))


@pytest.mark.parametrize(
    "uri",
    [
        "rtsp://192.168.144.25:8554/main@2",
        "rtsp://[fe80::1]:8554/main@2",
        "udp://@239.0.0.1:5000",
        "udp://0.0.0.0:5000?fifo_size=5@5",
        "http://h:80/?monitor=1&scale=100",
        "gst://videotestsrc is-live=true ! x264enc key-int-max=30 ! identity name=a@b",
        "/dev/video0",
    ],
)
def test_what_holds_no_password_is_shown_as_it_is(uri: str) -> None:
    assert without_password(uri) == uri


def test_errors_about_a_uri_hide_its_password() -> None:
    for uri in ("ftp://user:p@ss@10.0.0.2/live", "rtp://user:p@ss@10.0.0.2"):
        with pytest.raises(InputError) as caught:
            open_source(uri)
        assert "user:***@10.0.0.2" in str(caught.value)
        assert "ss@" not in str(caught.value)
