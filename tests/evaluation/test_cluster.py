from __future__ import annotations

import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from eatrack_edge.core.errors import MachineError
from eatrack_edge.datasets.registry import open_dataset
from eatrack_edge.evaluation.cluster import on_cluster
from eatrack_edge.evaluation.evaluate import Evaluation, Plan, evaluate
from eatrack_edge.evaluation.protocol import PROTOCOLS
from eatrack_edge.evaluation.trackers import TrackerSpec

dask: Any = pytest.importorskip("dask", reason="dask is not installed here")
distributed: Any = pytest.importorskip("distributed", reason="dask distributed is not installed here")

pytestmark = [pytest.mark.usefixtures("importable"), pytest.mark.filterwarnings("ignore::DeprecationWarning")]


def plan(images: Path, output: Path) -> Plan:
    specs = (TrackerSpec("standing:Slow", label="one"), TrackerSpec("standing:Slow", label="two"))
    return Plan(open_dataset("images", images, first_pixel=1), specs, PROTOCOLS["otb"], output)


def boxes(output: Path) -> dict[str, bytes]:
    return {str(path.relative_to(output)): path.read_bytes() for path in sorted(output.rglob("*.csv"))}


@pytest.mark.slow
def test_the_jobs_of_a_killed_worker_are_run_again_with_the_results_of_a_local_run(
    images: Path, tmp_path: Path
) -> None:
    local = evaluate(plan(images, tmp_path / "local"))
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        first_pid = next(iter(client.run(os.getpid).values()))
        killer = threading.Timer(0.4, os.kill, (first_pid, signal.SIGKILL))
        counts: list[int] = []
        killer.start()
        there = evaluate(plan(images, tmp_path / "cluster"), on_cluster(cluster.scheduler_address, 2), counts.append)
        killer.join()
        assert first_pid not in client.run(os.getpid).values()
    assert boxes(tmp_path / "cluster") == boxes(tmp_path / "local")
    assert len(boxes(tmp_path / "cluster")) == 4
    assert counts[-1] == 48
    assert scores(there) == scores(local)


@pytest.mark.slow
def test_a_stopped_worker_is_named_and_its_jobs_run_on_another_one(
    images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("eatrack_edge.evaluation.worker_watch.SILENT_S", 3.0)
    local = evaluate(plan(images, tmp_path / "local"))
    notes: list[str] = []
    with (
        dask.config.set({"distributed.scheduler.worker-ttl": "8s"}),
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        address, pid = next(iter(client.run(os.getpid).items()))
        stopper = threading.Timer(0.4, os.kill, (pid, signal.SIGSTOP))
        stopper.start()
        there = evaluate(plan(images, tmp_path / "cluster"), on_cluster(cluster.scheduler_address, 2, notes.append))
        stopper.join()
    (note,) = (note for note in notes if address in note)
    assert note == (
        f"the Dask worker {address} has been silent for 3 s: its jobs run on another one when the scheduler gives it "
        "up, after its `worker-ttl`"
    )
    assert boxes(tmp_path / "cluster") == boxes(tmp_path / "local")
    assert scores(there) == scores(local)


def scores(evaluation: Evaluation) -> dict[str, Any]:
    return {title: result.score(evaluation.protocol) for title, result in evaluation.trackers.items()}


@pytest.mark.slow
def test_local_starts_a_cluster_on_this_machine(images: Path, tmp_path: Path) -> None:
    start = time.monotonic()
    found = evaluate(plan(images, tmp_path / "out"), on_cluster("local", 2))
    assert [result.skipped for result in found.trackers.values()] == [{}, {}]
    assert time.monotonic() - start < 120


def test_a_scheduler_that_does_not_answer_is_named(
    images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("eatrack_edge.evaluation.cluster._CONNECT_S", 1)
    with pytest.raises(MachineError, match=r"no Dask scheduler answers at tcp://127\.0\.0\.1:9"):
        evaluate(plan(images, tmp_path / "out"), on_cluster("tcp://127.0.0.1:9", 1))
