"""Reports Dask workers that have fallen silent, so that an evaluation never waits without a word.

A worker that is stopped or frozen, or whose network is gone, keeps its job until the scheduler gives it up: after its
``worker-ttl``, five minutes by default. Then the job runs on another worker.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

SILENT_S = 30.0  # heartbeats come every few seconds, and never later than every minute on thousands of workers
_LOOK_S = 2.0
Note = Callable[[str], None]


class WorkerWatch:
    """Notes each worker that falls silent, once, and a cluster without workers.

    Args:
        note: Called with the text.
        silent_s: Seconds without a heartbeat after which a worker is noted.
    """

    def __init__(self, note: Note, silent_s: float) -> None:
        self._note, self._silent_s = note, silent_s
        self._heard: dict[str, tuple[float, float]] = {}  # last heartbeat by the scheduler's clock, and when it was new
        self._noted: set[str] = set()

    def look(self, last_seen: Mapping[str, float], now_s: float) -> None:
        """Compare with what was seen before.

        Args:
            last_seen: Last heartbeat of every worker by its address, by any clock.
            now_s: By the clock of this process.
        """
        # The scheduler's clock may differ from ours, so only that a value has changed counts.
        seen = last_seen or {"": 0.0}
        for address in seen.keys() | self._heard.keys():
            if address not in seen:
                del self._heard[address]
                self._noted.discard(address)
            elif self._heard.get(address, (None, 0))[0] != seen[address]:
                self._heard[address] = seen[address], now_s
                self._noted.discard(address)
            elif now_s - self._heard[address][1] >= self._silent_s and address not in self._noted:
                self._noted.add(address)
                self._note(_text(address, self._silent_s))


def _text(address: str, silent_s: float) -> str:
    if not address:
        return f"the Dask cluster has had no worker for {silent_s:g} s: the run goes on when one joins"
    return (
        f"the Dask worker {address} has been silent for {silent_s:g} s: its jobs run on another one when the scheduler "
        "gives it up, after its `worker-ttl`"
    )


@contextmanager
def watched(client: Any, note: Note) -> Iterator[None]:
    """Look after the workers of a client's cluster while the body runs.

    Args:
        client: A ``distributed.Client``.
        note: Called with the text, in a thread of its own.
    """
    is_over = threading.Event()
    watch = WorkerWatch(note, SILENT_S)

    def run() -> None:
        while not is_over.wait(_LOOK_S):
            try:
                workers = _workers(client)
            except Exception:  # the client is being closed, or has lost its scheduler: its jobs report that
                continue
            watch.look({address: worker["last_seen"] for address, worker in workers.items()}, time.monotonic())

    threading.Thread(target=run, name="worker watch", daemon=True).start()
    try:
        yield
    finally:
        is_over.set()


def _workers(client: Any) -> Mapping[str, Any]:
    try:
        info = client.scheduler_info(n_workers=-1)
    except TypeError:  # before 2025 it had no argument, and gave them all
        info = client.scheduler_info()
    workers: Mapping[str, Any] = info["workers"]
    return workers
