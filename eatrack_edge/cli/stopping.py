"""What a command does when it is stopped, by Ctrl-C or by the system: it says what is kept, and how to go on."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

from eatrack_edge.core.errors import EATrackError


class Stopped(EATrackError):
    """The command was stopped, and has kept what it could."""

    exit_code = 130  # as shells have it for Ctrl-C

    def __init__(self, kept: str) -> None:
        super().__init__(f"stopped: {kept}")


@contextmanager
def stopping_as_interrupt() -> Iterator[None]:
    """Within this, SIGTERM raises ``KeyboardInterrupt``, as Ctrl-C does, so that both leave the same behind."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    # Ctrl-C too: a shell starts what it puts into the background with SIGINT ignored.
    before = {number: signal.signal(number, interrupt) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def stop_requests() -> Iterator[Callable[[], bool]]:
    """Within this, Ctrl-C or SIGTERM is a request that the work looks at where it can stop; a second one interrupts.

    Yields:
        Whether there was one.
    """
    requests: list[int] = []

    def request(number: int, _frame: FrameType | None) -> None:
        if requests:
            raise KeyboardInterrupt
        requests.append(number)

    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    before = {number: signal.signal(number, request) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield lambda: bool(requests)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
