from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eatrack_edge.core.errors import InputError, SourceLost
from eatrack_edge.sources.registry import open_source
from eatrack_edge.sources.video import VideoSource
from sources.clips import number_of, turn_video, write_video


def test_every_frame_comes_once_in_order_at_its_time(video: Path) -> None:
    source = open_source(str(video))
    assert (source.frame_count, source.size, source.rotation_applied) == (30, (64, 48), 0)
    assert source.fps == pytest.approx(30, rel=1e-3)
    read = list(source)
    assert [number_of(one.frame) for one in read] == [one.index for one in read] == list(range(30))
    np.testing.assert_allclose([one.pts_s for one in read], np.arange(30) / 30, atol=1e-3)


def test_a_varying_frame_rate_keeps_its_times(tmp_path: Path) -> None:
    times = [0.0, 0.05, 0.3, 0.31, 1.0, 1.7]
    source = open_source(str(write_video(tmp_path / "v.mp4", times, bf="0")))
    np.testing.assert_allclose([one.pts_s for one in source], times, atol=1e-3)


def test_time_counts_from_the_first_frame_where_the_file_begins_late(tmp_path: Path) -> None:
    source = open_source(str(write_video(tmp_path / "v.ts", [5.0, 5.1, 5.2], bf="0")))
    assert source.frame_count is None
    np.testing.assert_allclose([one.pts_s for one in source], [0.0, 0.1, 0.2], atol=1e-3)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(start=st.integers(0, 29))
def test_reading_from_any_start_gives_the_same_frames_numbers_and_times(video: Path, start: int) -> None:
    whole = list(open_source(str(video)))
    late = list(open_source(str(video), start=start))
    assert [(one.index, one.pts_s) for one in late] == [(one.index, one.pts_s) for one in whole[start:]]
    assert all((one.frame == other.frame).all() for one, other in zip(late, whole[start:], strict=True))


def test_a_late_start_works_where_the_file_does_not_count_its_frames(tmp_path: Path) -> None:
    path = write_video(tmp_path / "v.ts", [number / 30 for number in range(30)], g="10", bf="2")
    assert [number_of(one.frame) for one in open_source(str(path), start=17)] == list(range(17, 30))


def test_a_start_beyond_an_uncounted_end_is_refused_when_read(tmp_path: Path) -> None:
    path = write_video(tmp_path / "v.ts", [0, 0.1])
    with pytest.raises(InputError) as caught:
        list(open_source(str(path), start=2))
    assert caught.value.message == f"{path}: cannot start at frame 2: the source ends before that"


def test_a_source_can_be_read_again(video: Path) -> None:
    source = open_source(str(video), start=20)
    assert [one.index for one in source] == [one.index for one in source] == list(range(20, 30))


@pytest.mark.parametrize(
    ("matrix", "degrees", "corner"),
    [
        pytest.param((1, 0, 0, 1), 0, (0, 0), id="upright"),
        pytest.param((0, 1, -1, 0), 90, (0, 1), id="quarter turn clockwise"),
        pytest.param((-1, 0, 0, -1), 180, (1, 1), id="upside down"),
        pytest.param((0, -1, 1, 0), 270, (1, 0), id="quarter turn the other way"),
        pytest.param((-1, 0, 0, 1), 0, (0, 1), id="mirrored"),
    ],
)
def test_frames_are_turned_as_the_file_asks(tmp_path: Path, matrix, degrees: int, corner: tuple[int, int]) -> None:
    path = turn_video(write_video(tmp_path / "v.mp4", [0, 0.1]), matrix)
    source = open_source(str(path))
    assert source.rotation_applied == degrees
    for read in source:
        height, width = read.frame.shape[:2]
        assert (width, height) == source.size == ((48, 64) if degrees in (90, 270) else (64, 48))
        bright = read.frame[..., 1].reshape(2, height // 2, 2, width // 2).mean((1, 3)) > 200
        assert np.argwhere(bright).tolist() == [list(corner)]


@pytest.mark.parametrize("cut", ["within a frame", "between frames"])
def test_a_copy_that_was_cut_off_is_a_lost_source_not_a_short_video(tmp_path: Path, cut: str) -> None:
    path = write_video(tmp_path / "v.mp4", [number / 30 for number in range(30)], g="1", bf="0")
    with av.open(str(path)) as container:
        packet = [packet for packet in container.demux(video=0) if packet.size][20]
        end = packet.pos + (packet.size // 2 if cut == "within a frame" else 0)
    path.write_bytes(path.read_bytes()[:end])
    delivered = []
    with pytest.raises(SourceLost, match="frame 20 cannot be read: the file ends"):
        delivered.extend(one.index for one in open_source(str(path)))
    assert delivered == list(range(20))


def test_a_file_with_sound_alone_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "voice.wav"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("pcm_s16le", rate=8000)
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 160), np.int16), format="s16", layout="mono")
        sound.sample_rate = 8000
        container.mux(stream.encode(sound))
    with pytest.raises(InputError, match="the file has no video stream"):
        open_source(str(path))


def test_a_video_without_frames_is_refused(tmp_path: Path) -> None:
    path = write_video(tmp_path / "v.mp4", [])
    with pytest.raises(InputError, match=r"the file has no video stream|the video has no frames"):
        open_source(str(path))


def test_a_file_that_went_away_is_missing(video: Path) -> None:
    source = open_source(str(video))
    video.unlink()
    with pytest.raises(InputError, match=f"{video}: no such file"):
        next(iter(source))
    with pytest.raises(InputError, match="no such file"):
        VideoSource(video)
