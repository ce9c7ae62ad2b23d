from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from eatrack_edge.datasets.registry import open_dataset
from eatrack_edge.evaluation import kept_trackers
from eatrack_edge.evaluation.kept_trackers import close_kept_trackers, kept_tracker
from eatrack_edge.evaluation.runner import Job, Outcome, run_job, run_jobs
from eatrack_edge.evaluation.trackers import TrackerSpec

pytestmark = pytest.mark.usefixtures("importable")
THREADS = 3


@pytest.fixture
def moving(tmp_path: Path) -> Path:
    """Six sequences of a textured square that moves over noise, each in another direction."""
    random = np.random.default_rng(0)
    for number in range(6):
        folder = tmp_path / f"moving_{number}"
        folder.mkdir()
        ground = random.integers(60, 120, (120, 160, 3), np.uint8)
        square = random.integers(0, 255, (16, 16, 3), np.uint8)
        angle, rows = number, []
        for index in range(8):
            x = int(70 + 3 * index * np.cos(angle))
            y = int(50 + 3 * index * np.sin(angle))
            frame = ground.copy()
            frame[y : y + 16, x : x + 16] = square
            cv2.imwrite(str(folder / f"{index:04d}.png"), frame)
            rows.append(f"{x},{y},16,16\n")
        folder.with_suffix(".txt").write_text("".join(rows))
    return tmp_path


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    yield
    close_kept_trackers()


def jobs(folder: Path, tracker: str) -> list[Job]:
    return [Job(TrackerSpec(tracker), sequence) for sequence in open_dataset("images", folder)]


def boxes(outcomes: list[Outcome]) -> dict[str, bytes]:
    assert [outcome.reason for outcome in outcomes if outcome.track is None] == []
    tracks = {outcome.job.sequence.name: outcome.track for outcome in outcomes if outcome.track}
    return {name: np.column_stack([track.boxes, track.confidence]).tobytes() for name, track in tracks.items()}


@pytest.mark.parametrize("tracker", ["standing:Wandering", pytest.param("eatrack", marks=pytest.mark.slow)])
def test_threads_of_one_worker_give_the_boxes_of_a_serial_run_bit_for_bit(moving: Path, tracker: str) -> None:
    serial = boxes(list(run_jobs(jobs(moving, tracker), 1)))
    with ThreadPoolExecutor(THREADS) as pool:
        assert boxes(list(pool.map(run_job, jobs(moving, tracker)))) == serial
    assert len(set(serial.values())) == len(serial)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_cluster_worker_with_several_threads_gives_the_boxes_of_a_serial_run(moving: Path) -> None:
    distributed: Any = pytest.importorskip("distributed", reason="dask distributed is not installed here")
    from eatrack_edge.evaluation.cluster import on_cluster

    serial = boxes(list(run_jobs(jobs(moving, "eatrack"), 1)))
    with distributed.LocalCluster(n_workers=1, threads_per_worker=THREADS, dashboard_address=None) as cluster:
        run = on_cluster(cluster.scheduler_address, 1)
        assert boxes(list(run(jobs(moving, "eatrack"), lambda _: None))) == serial


class Recorded:
    """A tracker that records what is done with it."""

    def __init__(self, log: list[str], name: str) -> None:
        self._log, self._name = log, name
        log.append(f"open {name}")

    def close(self) -> None:
        self._log.append(f"close {self._name}")


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    log: list[str] = []
    monkeypatch.setattr(kept_trackers, "open_tracker", lambda spec: Recorded(log, spec.label))
    return log


def spec(label: str) -> TrackerSpec:
    return TrackerSpec(label=label)


def test_a_thread_opens_a_tracker_once(log: list[str]) -> None:
    assert kept_tracker(spec("a")) is kept_tracker(spec("a"))
    assert log == ["open a"]


def test_the_tracker_used_least_recently_is_closed_for_a_new_one(
    log: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept_trackers, "MAXIMUM_OPEN", 2)
    for label in ("a", "b", "a", "c"):
        kept_tracker(spec(label))
    assert log == ["open a", "open b", "close b", "open c"]


def test_a_thread_that_ends_closes_its_own_trackers_alone(log: list[str]) -> None:
    own = kept_tracker(spec("a"))
    others: list[object] = []
    thread = threading.Thread(target=lambda: others.append(kept_tracker(spec("a"))))
    thread.start()
    thread.join()
    assert others[0] is not own
    assert log == ["open a", "open a", "close a"]
    assert kept_tracker(spec("a")) is own


def test_trackers_are_closed_when_a_run_ends(moving: Path, log: list[str]) -> None:
    outcomes = run_jobs([Job(spec("a"), next(iter(open_dataset("images", moving))))], 1)
    next(outcomes)
    outcomes.close()  # type: ignore[attr-defined]  # as Ctrl-C would
    assert log == ["open a", "close a"]
