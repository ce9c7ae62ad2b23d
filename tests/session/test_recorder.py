from __future__ import annotations

import errno
import json
import os
import shutil
import threading
import time
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from filelock import FileLock

from eatrack_edge.core.errors import ConfigError, OutputError, UsageError
from eatrack_edge.outputs.base import FrameRecord
from eatrack_edge.session import recorder
from eatrack_edge.session.events import Event, FrameEvent, OutputFailedEvent, SourceLostEvent
from eatrack_edge.session.recorder import RecordedLog, RecordedVideo, open_recording
from eatrack_edge.session.recording_folder import RecordingFolder, parse_bytes
from eatrack_edge.session.segments import Syncer
from eatrack_edge.sources.feed import LiveFrame

av = pytest.importorskip("av")
PERIOD_NS = 50_000_000


@pytest.fixture(autouse=True)
def as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """The test's own thread keeps its priority."""
    monkeypatch.setattr(recorder, "_NICENESS", 0)


def frame_event(number: int, start_ns: int = 0, size: tuple[int, int] = (64, 48)) -> FrameEvent:
    frame = np.full((size[1], size[0], 3), number * 2 % 250, np.uint8)
    shown = LiveFrame(number, number / 20, frame, captured_ns=start_ns + number * PERIOD_NS)
    return FrameEvent(shown, FrameRecord(number, number / 20, (20, 20, 10, 10), 0.9), 1.0)


def pictures(path: Path) -> list[tuple[float, bool, int]]:
    """Time in seconds, whether it is a key frame, and the mean gray of each picture of a video."""
    with av.open(str(path)) as container:
        return [
            (float(one.pts * one.time_base), bool(one.key_frame), round(float(one.to_ndarray(format="gray").mean())))
            for one in container.decode(video=0)
        ]


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_run_is_segments_of_video_with_their_log_beside_them(tmp_path: Path) -> None:
    folder = RecordingFolder(tmp_path / "rec")
    video = RecordedVideo(folder, 0, 20, segment_ns=2_000_000_000)
    log = RecordedLog(folder, 0, {"source": "sim://x"}, segment_ns=2_000_000_000)
    for number in range(100):
        for output in (video, log):
            output.take(frame_event(number))
    log.take(SourceLostEvent("gone", 5_000_000_000))
    for output in (video, log):
        output.finish(None)
    run = tmp_path / "rec" / "run-0001"
    assert sorted(path.name for path in run.iterdir()) == [f"0000{n}.{s}" for n in range(3) for s in ("jsonl", "mkv")]
    header, first, *_ = second = lines(run / "00001.jsonl")
    assert header["segment_start_ns"] == 2_000_000_000
    assert (header["run"], header["segment"], header["video"], header["source"]) == (1, 1, "00001.mkv", "sim://x")
    assert len(second) == 41
    assert lines(run / "00002.jsonl")[-1]["type"] == "source_lost"
    shown = pictures(run / "00001.mkv")
    times = [(line["captured_ns"] - header["segment_start_ns"]) / 1e9 for line in second[1:]]  # type: ignore[operator]
    np.testing.assert_allclose([time for time, _, _ in shown], times, atol=0.0011)
    assert [place for place, one in enumerate(shown) if one[1]] == [0, 20]  # a key frame a second
    assert first["frame"] == 40


@pytest.mark.parametrize(("what", "is_marked"), [("raw", False), ("annotated", True)])
def test_what_is_recorded_is_what_was_asked_for(what: str, is_marked: bool, tmp_path: Path) -> None:
    failures: list[OutputFailedEvent] = []
    outputs = open_recording(
        tmp_path, what=what, budget="", rate=20, header={"source": "sim"}, on_failure=failures.append
    )
    start_ns = time.monotonic_ns()
    for number in range(4):
        event = frame_event(0, start_ns + number * PERIOD_NS, (320, 240))
        for output in outputs:
            output.offer(event)
    assert [output.close() for output in outputs] == [True, True]
    assert failures == []
    with av.open(str(tmp_path / "run-0001" / "00000.mkv")) as container:
        picture = next(container.decode(video=0)).to_ndarray(format="bgr24")
    assert bool(picture.astype(int).max() > 60) == is_marked
    assert lines(tmp_path / "run-0001" / "00000.jsonl")[0]["pictures"] == what


def test_each_run_has_a_number_of_its_own_and_the_folder_to_itself(tmp_path: Path) -> None:
    first = RecordingFolder(tmp_path)
    first.join()
    with pytest.raises(UsageError) as caught:
        RecordingFolder(tmp_path)
    assert str(caught.value) == f"{tmp_path}: another run is recording there\nhint: name another folder"
    last_output = threading.Thread(target=first.leave)  # outputs finish in threads of their own
    last_output.start()
    last_output.join()
    (tmp_path / "run-0041").mkdir()
    second = RecordingFolder(tmp_path)
    second.join()
    assert (first.run, second.run, second.run_folder.name) == (1, 42, "run-0042")
    second.leave()


def filled(folder: Path, run: int, count: int) -> None:
    (folder / f"run-{run:04d}").mkdir(parents=True)
    for number in range(count):
        for suffix in (".mkv", ".jsonl"):
            (folder / f"run-{run:04d}" / f"{number:05d}{suffix}").write_bytes(bytes(500))


def test_the_oldest_own_segments_go_first_and_nothing_else_ever(tmp_path: Path) -> None:
    filled(tmp_path, 1, 2)
    filled(tmp_path, 3, 3)
    strangers = [tmp_path / "holiday.mkv", tmp_path / "run-0001" / "holiday.mkv", tmp_path / "run-9" / "00000.mkv"]
    strangers[2].parent.mkdir()
    for path in strangers:
        path.write_bytes(bytes(5000))
    (tmp_path / "run-0001" / "00009.mkv").symlink_to(strangers[0])
    folder = RecordingFolder(tmp_path, 3500)
    folder.join()
    left = [str(path.relative_to(tmp_path)) for path in sorted(tmp_path.rglob("0*.*")) if path.is_file()]
    assert left == [
        *("run-0001/00009.mkv", "run-0003/00000.jsonl", "run-0003/00000.mkv", "run-0003/00001.jsonl"),
        *("run-0003/00001.mkv", "run-0003/00002.jsonl", "run-0003/00002.mkv", "run-9/00000.mkv"),
    ]
    assert all(path.exists() for path in strangers)
    folder.leave()


def test_the_newest_two_segments_stay_whatever_the_budget(tmp_path: Path) -> None:
    filled(tmp_path, 1, 4)
    folder = RecordingFolder(tmp_path, 1)
    assert sorted(path.name for path in (tmp_path / "run-0001").iterdir()) == [
        *("00002.jsonl", "00002.mkv", "00003.jsonl", "00003.mkv")
    ]
    folder.join()
    folder.leave()


@pytest.mark.parametrize("text", ["much", "8 eggs", "-1GB", "", "GB"])
def test_a_budget_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse_bytes(text)
    assert str(caught.value) == (
        f"a budget of disk space must be a number of bytes, got `{text}`\nhint: for example: 8GB"
    )


def test_what_cannot_be_recorded_is_refused_in_words(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="a recording must be one of raw, annotated, got `both`"):
        open_recording(tmp_path, what="both", budget="", rate=30, header={}, on_failure=print)
    (tmp_path / "file").write_text("mine")
    with pytest.raises(OutputError, match="cannot be written: not a directory"):
        RecordingFolder(tmp_path / "file")


def no_space(*_: object, **__: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def nearly_full(_: Path) -> object:
    return SimpleNamespace(total=10**9, free=10**6)


@pytest.mark.parametrize("is_there", [False, True], ids=["new folder", "folder of somebody"])
@pytest.mark.parametrize(
    ("place", "attribute", "failure", "reason"),
    [
        pytest.param(FileLock, "acquire", no_space, "cannot be recorded to: no space left on device", id="lock"),
        pytest.param(shutil, "disk_usage", nearly_full, "the disk is full: 1 MB are free", id="nearly full disk"),
        pytest.param(RecordingFolder, "run_folder", property(no_space), "no space left on device", id="folder of the run"),
    ],
)  # fmt: skip
def test_a_folder_that_cannot_be_claimed_is_left_as_it_was(
    place: object, attribute: str, failure: object, reason: str, is_there: bool, tmp_path: Path
) -> None:
    folder = tmp_path / "new" / "rec"
    if is_there:
        filled(folder, 1, 3)  # the oldest may be deleted, which does not help
        (folder / "notes.txt").write_text("mine")
    before = sorted(tmp_path.rglob("*"))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(place, attribute, failure)
        with pytest.raises(OutputError) as caught:
            RecordingFolder(folder)
    assert reason in caught.value.message
    assert sorted(tmp_path.rglob("*")) == before
    again = RecordingFolder(folder)  # the lock is free
    again.join()
    again.leave()


def test_a_folder_in_which_another_run_begins_at_the_same_time_is_left_to_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = FileLock(tmp_path / "rec" / ".lock")
    acquire = FileLock.acquire

    def acquire_second(lock: FileLock) -> None:
        monkeypatch.setattr(FileLock, "acquire", acquire)
        other.acquire()
        acquire(lock)

    monkeypatch.setattr(FileLock, "acquire", acquire_second)
    with pytest.raises(UsageError, match="another run is recording there"):
        RecordingFolder(tmp_path / "rec")
    assert [path.name for path in (tmp_path / "rec").iterdir()] == [".lock"]
    other.release()


def test_a_file_is_brought_onto_the_disk_again_and_again() -> None:
    synced = threading.Semaphore(0)

    class File:
        def sync(self) -> None:
            synced.release()

    syncer = Syncer(every_s=0.001)
    syncer.file = File()  # type: ignore[assignment]
    assert synced.acquire(timeout=5)
    assert synced.acquire(timeout=5)
    syncer.stop()


def test_events_that_no_video_shows_are_ignored_by_it(tmp_path: Path) -> None:
    video = RecordedVideo(RecordingFolder(tmp_path), 0, 20)
    event: Event = SourceLostEvent("gone", 1)
    video.take(event)
    video.finish(None)
    assert not list(tmp_path.iterdir())
