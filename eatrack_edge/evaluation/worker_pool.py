"""Runs tasks in worker processes that end with the process that started them, however it ends."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Generator, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import connection as mp_connection
from multiprocessing import get_context, parent_process
from typing import Any, TypeVar

Task = TypeVar("Task")
Result = TypeVar("Result")
# Called in a worker with a task, and with what to call after every frame.
Work = Callable[[Task, Callable[[], None]], Result]

_POLL_S = 0.2  # between two looks at the workers' frame counts
_SPAWN = get_context("spawn")


def frame_counts(tasks: int) -> Any:
    """Numbers of frames done, one for each task, that processes share."""
    # Written by the process that runs the task alone: a dead worker could leave a lock locked.
    return _SPAWN.RawArray("q", tasks or 1)


def run_in_pool(
    work: Work[Task, Result],
    tasks: Sequence[Task],
    waiting: list[int],
    workers: int,
    counts: Any,
    on_frames: Callable[[int], None],
) -> Generator[Result, None, list[int]]:
    """Run waiting tasks, removing each from the list as it starts, until all are done or a worker dies.

    No more tasks than workers run at a time, so that the tasks of a dying worker are known. Where the run is
    interrupted, the workers are killed: what they have not finished is lost.

    Args:
        work: Does one task.
        tasks: All of them.
        waiting: Indices of those to run.
        workers: Number of processes.
        counts: From ``frame_counts``.
        on_frames: Called with the number of frames done so far.

    Returns:
        Tasks that were running when a worker died; none otherwise.
    """
    running: dict[Future[Result], int] = {}
    pool = ProcessPoolExecutor(workers, _SPAWN, initializer=_start_worker, initargs=(counts,))
    try:
        while waiting or running:
            while waiting and len(running) < workers:
                index = waiting.pop(0)
                with _interrupts_ignored():
                    running[pool.submit(_run_counted, work, tasks[index], index)] = index
            finished, _ = wait(running, timeout=_POLL_S, return_when=FIRST_COMPLETED)
            on_frames(sum(counts))
            for future in finished:
                if isinstance(future.exception(), BrokenProcessPool):
                    return list(running.values())
                yield future.result()
                del running[future]
        return []
    finally:
        if running:
            for process in list((getattr(pool, "_processes", None) or {}).values()):
                process.kill()
        pool.shutdown(cancel_futures=True)


@contextmanager
def _interrupts_ignored() -> Iterator[None]:
    """Let a process that is started meanwhile ignore Ctrl-C, from its first moment: its parent kills it."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


_counts: Any = None  # in a worker: the frames done, one number for each task


def _start_worker(counts: Any) -> None:
    global _counts
    _counts = counts
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """Wait for the end of the parent, which may have been killed, and end at once."""
    parent = parent_process()
    if parent is not None:
        mp_connection.wait([parent.sentinel])
        os._exit(1)


def _run_counted(work: Work[Task, Result], task: Task, index: int) -> Result:
    _counts[index] = 0

    def count() -> None:
        _counts[index] += 1

    return work(task, count)
