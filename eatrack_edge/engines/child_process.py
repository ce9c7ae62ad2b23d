"""Runs a build in a process of its own, so that one that the kernel kills becomes an error that can be read."""

from __future__ import annotations

import multiprocessing
import signal
import time
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any, TypeVar

from eatrack_edge.core.errors import EATrackError, MachineError
from eatrack_edge.engines.build_progress import Report, Step

Job = TypeVar("Job")
Result = TypeVar("Result")
Work = Callable[[Job, Report], Result]

_GRACE_S = 5.0  # for a child that has answered or was told to stop


def run_in_child(work: Work[Job, Result], job: Job, report: Report, *, what: str) -> Result:
    """Call ``work(job, report)`` in a fresh process.

    A fresh one rather than a fork: CUDA does not survive a fork, and the parent may have used it.

    Args:
        work: A function of a module; it and ``job`` are sent to the child.
        job: Its argument.
        report: Called here for each step that the child reports.
        what: What is being done, to begin the sentence "... was killed".

    Raises:
        EATrackError: What ``work`` raised.
        MachineError: The child was killed or crashed.
    """
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    child = context.Process(target=_serve, args=(work, job, theirs), daemon=True)
    start = time.monotonic()
    child.start()
    theirs.close()
    try:
        return _listen(ours, report)  # type: ignore[no-any-return]
    except EOFError:
        child.join()
        raise _died(what, child.exitcode or 0, time.monotonic() - start) from None
    except KeyboardInterrupt:
        child.terminate()
        raise
    finally:
        ours.close()
        child.join(_GRACE_S)
        if child.is_alive():
            child.kill()


def _listen(connection: Connection, report: Report) -> Any:
    while True:
        kind, value = connection.recv()
        if kind == "done":
            return value
        if kind == "error":
            raise value
        report(value)


def _serve(work: Work[Any, Any], job: Any, connection: Connection) -> None:
    def report(step: Step) -> None:
        connection.send(("step", step))

    # Ctrl-C reaches the whole group; the parent answers it and ends this process.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with suppress(BrokenPipeError):  # the parent is gone
        try:
            connection.send(("done", work(job, report)))
        except EATrackError as error:
            connection.send(("error", error))
        except Exception as error:
            connection.send(("error", MachineError(f"the build failed: {type(error).__name__}: {error}")))


def _died(what: str, code: int, seconds: float) -> MachineError:
    if code == -signal.SIGKILL:
        return MachineError(
            f"{what} was killed after {seconds:.0f} s, most likely because memory ran out",
            hint="close the desktop: sudo systemctl isolate multi-user.target; or add swap; then build again",
        )
    name = signal.Signals(-code).name if code < 0 else f"exit code {code}"
    return MachineError(f"{what} crashed after {seconds:.0f} s: {name}", hint="see: eatrack-edge doctor")
