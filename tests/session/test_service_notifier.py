from __future__ import annotations

import os
import select
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from eatrack_edge.session.commands import Select
from eatrack_edge.session.events import EndEvent
from eatrack_edge.session.live import LiveSession
from eatrack_edge.session.service_notifier import ServiceNotifier
from eatrack_edge.sources.feed import LinkFound, LinkLost
from session.simulated_sessions import BOX, Feed, SimulatedTracker, live_frame


class Manager:
    """The end of systemd."""

    def __init__(self, address: str) -> None:
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind("\0" + address[1:] if address.startswith("@") else address)
        self.environment = {"NOTIFY_SOCKET": address, "WATCHDOG_USEC": "30000", "WATCHDOG_PID": str(os.getpid())}

    def received(self) -> list[str]:
        messages = []
        while select.select([self.socket], [], [], 0)[0]:
            messages.append(self.socket.recv(4096).decode())
        return messages


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Manager]:
    made = Manager(str(tmp_path / "notify") if request.param == "path" else f"@eatrack-{os.getpid()}")
    yield made
    made.socket.close()


def test_the_messages_of_a_session_come_in_order(manager: Manager) -> None:
    notifier = ServiceNotifier(manager.environment)
    feed = Feed(
        [LinkLost("refused", 0), LinkFound("PyAV", 1, 0.5), live_frame(0), live_frame(1), LinkLost("unplugged", 2)]
    )
    session = LiveSession(SimulatedTracker(), feed)
    session.listeners.append(notifier)
    session.commands.put(Select(BOX))
    notifier.ready()
    session.run()
    session.emit(EndEvent({}))
    notifier.close()
    ready, absent, found, status, lost, stopping = manager.received()
    assert ready == "READY=1\nSTATUS=waiting for the source"
    assert absent == "STATUS=SOURCE NOT FOUND refused; trying again"
    assert found == "STATUS=SOURCE FOUND"
    assert status.startswith("STATUS=TRACKING frame 0 age ")
    assert lost == "STATUS=SOURCE LOST unplugged; trying again"
    assert stopping == "STOPPING=1"


def test_the_watchdog_is_fed_by_the_loop_while_no_frame_comes(manager: Manager) -> None:
    notifier, end = ServiceNotifier(manager.environment), time.monotonic() + 0.2

    class Silent:
        def next(self, timeout: float) -> None:
            time.sleep(min(timeout, 0.002))

    def is_stopped() -> bool:
        notifier.turn()
        return time.monotonic() > end

    LiveSession(SimulatedTracker(), Silent()).run(is_stopped=is_stopped)
    notifier.close()
    assert 5 <= manager.received().count("WATCHDOG=1") <= 21  # every 10 ms, a third of what systemd allows


def test_a_watchdog_of_another_process_is_not_fed(manager: Manager) -> None:
    notifier = ServiceNotifier({**manager.environment, "WATCHDOG_PID": "1"})
    notifier.turn()
    notifier.close()
    assert manager.received() == []


def test_a_manager_that_is_gone_or_absent_is_no_failure(tmp_path: Path) -> None:
    for environment in ({}, {"NOTIFY_SOCKET": str(tmp_path / "gone")}):
        notifier = ServiceNotifier(environment)
        notifier.ready()
        notifier.turn()
        notifier.close()
