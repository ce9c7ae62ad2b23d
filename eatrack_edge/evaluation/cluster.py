"""Runs evaluation jobs on a Dask cluster; the jobs of a worker that dies or falls silent run again on another worker.

Workers need this package and the frames under the same paths. Results come back over the network and are written here.
A job carries all its settings, so its track does not depend on the worker.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from eatrack_edge.core.errors import MachineError
from eatrack_edge.core.imports import require
from eatrack_edge.evaluation.evaluate import Run
from eatrack_edge.evaluation.runner import FrameCount, Job, Outcome, run_job
from eatrack_edge.evaluation.worker_watch import Note, watched

LOCAL = "local"
_CONNECT_S = 30
_LOCAL_TTL = "60s"  # after which a worker of ours that is stopped is replaced


def on_cluster(address: str, workers: int, note: Note = lambda _: None) -> Run:
    """Make a function that runs jobs on a cluster.

    Args:
        address: Address of the scheduler, such as ``tcp://10.0.0.2:8786``; ``local`` starts a cluster on this machine.
        workers: Number of processes of a local cluster, one thread each.
        note: Called, in another thread, where a worker has fallen silent or none is left.

    Raises:
        MissingExtra: Dask's ``distributed`` is not installed.
    """
    require("distributed", to="run on a cluster")

    def run(jobs: list[Job], on_frames: FrameCount) -> Iterator[Outcome]:
        with _connected(address, workers) as client, watched(client, note):
            yield from _run(client, jobs, on_frames)

    return run


def _run(client: Any, jobs: list[Job], on_frames: FrameCount) -> Iterator[Outcome]:
    distributed = require("distributed", to="run on a cluster")
    # Not pure: Dask must run each job, not return the cached result of an earlier evaluation.
    futures = {client.submit(run_job, job, pure=False): job for job in jobs}
    frames = 0
    for future in distributed.as_completed(futures):
        job = futures[future]
        try:
            outcome: Outcome = future.result()
        except Exception as error:  # Dask's own errors, such as a job whose workers died repeatedly
            outcome = Outcome(job, None, f"{type(error).__name__}: {str(error).splitlines()[0] if str(error) else ''}")
        frames += len(job.sequence)
        on_frames(frames)
        # Dask's copy of the job would hold this process's arrays twice.
        yield Outcome(job, outcome.track, outcome.reason)


@contextmanager
def _connected(address: str, workers: int) -> Iterator[Any]:
    distributed = require("distributed", to="run on a cluster")
    if address == LOCAL:
        with (
            require("dask", to="run on a cluster").config.set({"distributed.scheduler.worker-ttl": _LOCAL_TTL}),
            distributed.LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=None) as cluster,
            distributed.Client(cluster) as client,
        ):
            yield client
        return
    try:
        client = distributed.Client(address, timeout=_CONNECT_S)
    except (OSError, TimeoutError, ValueError) as error:
        raise MachineError(
            f"no Dask scheduler answers at {address}",
            hint="start one: dask scheduler; then on every machine: dask worker ADDRESS --nworkers CORES --nthreads 1",
        ) from error
    with client:
        yield client
