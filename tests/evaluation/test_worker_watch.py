from __future__ import annotations

import pytest

from eatrack_edge.evaluation.worker_watch import WorkerWatch

A, B = "tcp://10.0.0.2:1", "tcp://10.0.0.3:1"


@pytest.fixture
def notes() -> list[str]:
    return []


@pytest.fixture
def watch(notes: list[str]) -> WorkerWatch:
    return WorkerWatch(notes.append, silent_s=30)


def test_a_silent_worker_is_noted_once_and_one_with_heartbeats_never(watch: WorkerWatch, notes: list[str]) -> None:
    # The scheduler's clock is an hour behind.
    for second in range(0, 100, 2):
        watch.look({A: -3600.0, B: -3600.0 + second}, second)
        assert len(notes) == (second >= 30)
    assert f"Dask worker {A} has been silent for 30 s" in notes[0]


def test_a_worker_that_answers_again_is_noted_when_it_falls_silent_again(watch: WorkerWatch, notes: list[str]) -> None:
    for second in (0, 30, 60):
        watch.look({A: 1.0}, second)
    watch.look({A: 2.0}, 62)
    watch.look({A: 2.0}, 91)
    assert len(notes) == 1
    watch.look({A: 2.0}, 92)
    assert len(notes) == 2


def test_a_cluster_without_workers_is_noted_and_one_that_got_one_is_not(watch: WorkerWatch, notes: list[str]) -> None:
    watch.look({A: 1.0}, 0)
    for second in (1, 30, 31, 40):
        watch.look({}, second)
    assert notes == ["the Dask cluster has had no worker for 30 s: the run goes on when one joins"]
    watch.look({A: 2.0}, 41)
    watch.look({A: 3.0}, 100)
    assert len(notes) == 1
