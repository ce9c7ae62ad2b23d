from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eatrack_edge.core.errors import UsageError
from eatrack_edge.outputs.base import FrameRecord
from eatrack_edge.outputs.video import FORMATS, VideoOutput
from eatrack_edge.sources.registry import open_source
from sources.clips import number_of, picture


def _record(number: int, pts_s: float) -> FrameRecord:
    return FrameRecord(number, pts_s, None, 0.5)


def _write(path: Path, times: list[float], fps: float = 30) -> Path:
    with VideoOutput(path, fps) as sink:
        for number, pts_s in enumerate(times):
            sink.write(_record(number, pts_s), picture(number))
    return path


@pytest.mark.parametrize("suffix", FORMATS)
def test_pictures_come_back_in_order_at_their_times(tmp_path: Path, suffix: str) -> None:
    times = [0.0, 0.1, 0.15, 0.5, 0.51, 1.2]
    reads = list(open_source(str(_write(tmp_path / f"v{suffix}", times))))
    assert [number_of(read.frame) for read in reads] == [0, 1, 2, 3, 4, 5]
    np.testing.assert_allclose([read.pts_s for read in reads], times, atol=1e-3)


def test_the_length_is_that_of_the_source_also_with_a_varying_rate(tmp_path: Path) -> None:
    with av.open(str(_write(tmp_path / "v.mp4", [0.0, 0.1, 0.15, 0.5, 0.51, 1.2], fps=10))) as container:
        assert container.duration / 1e6 == pytest.approx(1.3, abs=0.07)
    with av.open(str(_write(tmp_path / "w.mp4", [number / 25 for number in range(25)], fps=25))) as container:
        assert container.duration / 1e6 == pytest.approx(1.0)


def test_the_video_begins_with_its_first_picture(tmp_path: Path) -> None:
    with av.open(str(_write(tmp_path / "v.mp4", [7.0, 7.1]))) as container:
        assert next(container.decode(video=0)).pts == 0


@settings(max_examples=15)
@given(times=st.lists(st.floats(0, 3), min_size=2, max_size=8))
def test_a_clock_that_stands_or_runs_back_does_not_stop_the_video(tmp_path_factory, times: list[float]) -> None:
    path = _write(tmp_path_factory.mktemp("v") / "v.mp4", times)
    read = [one.pts_s for one in open_source(str(path))]
    assert len(read) == len(times)
    assert all(before < after for before, after in pairwise(read))


@pytest.mark.parametrize("size", [(47, 63), (48, 63), (47, 64), (1, 1)], ids=str)
def test_an_odd_side_gets_one_more_line(tmp_path: Path, size: tuple[int, int]) -> None:
    with VideoOutput(tmp_path / "v.mp4", 30) as sink:
        sink.write(_record(0, 0), np.full((*size, 3), 200, np.uint8))
    (read,) = open_source(str(tmp_path / "v.mp4"))
    assert read.frame.shape == (size[0] + size[0] % 2, size[1] + size[1] % 2, 3)
    assert np.abs(read.frame.astype(int) - 200).max() < 12


@pytest.mark.parametrize("shape", [(96, 128), (24, 32), (100, 10), (10, 100), (47, 64), (2000, 1)], ids=str)
def test_a_picture_of_another_size_is_fitted_in(tmp_path: Path, shape: tuple[int, int]) -> None:
    with VideoOutput(tmp_path / "v.mp4", 30) as sink:
        sink.write(_record(0, 0), np.zeros((48, 64, 3), np.uint8))
        sink.write(_record(1, 0.1), np.full((*shape, 3), 220, np.uint8))
    first, second = open_source(str(tmp_path / "v.mp4"))
    assert first.frame.shape == second.frame.shape == (48, 64, 3)
    assert second.frame[0, 0].mean() > 150


def test_a_picture_that_is_not_contiguous_is_written_as_it_looks(tmp_path: Path) -> None:
    with VideoOutput(tmp_path / "v.mp4", 30) as sink:
        sink.write(_record(0, 0), picture(21)[:, ::-1][:, ::-1])
    assert number_of(next(iter(open_source(str(tmp_path / "v.mp4")))).frame) == 21


def test_a_video_without_pictures_is_closed_without_complaint(tmp_path: Path) -> None:
    VideoOutput(tmp_path / "v.mp4", 30).close()


def test_a_record_without_its_picture_is_a_fault_of_the_caller(tmp_path: Path) -> None:
    with VideoOutput(tmp_path / "v.mp4", 30) as sink, pytest.raises(ValueError, match="needs the picture"):
        sink.write(_record(0, 0))


def test_an_unknown_suffix_is_refused_with_those_that_work(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        VideoOutput(tmp_path / "v.gif", 30)
    assert str(caught.value) == (
        f"{tmp_path}/v.gif: not a kind of video that can be written\nhint: use .mp4, .m4v, .mov, .mkv, .ts"
    )


def test_without_x264_the_video_is_mpeg4(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sink = VideoOutput(tmp_path / "v.mp4", 30)
    add_stream = sink._container.add_stream

    class Lacking:
        def __getattr__(self, name: str):
            return getattr(container, name)

        def add_stream(self, codec: str, **options):
            if codec == "libx264":
                raise av.codec.codec.UnknownCodecError(codec)
            return add_stream(codec, **options)

    container = sink._container
    monkeypatch.setattr(sink, "_container", Lacking())
    for number in range(3):
        sink.write(_record(number, number / 30), picture(number))
    sink.close()
    with av.open(str(tmp_path / "v.mp4")) as read:
        assert read.streams.video[0].codec_context.name == "mpeg4"
        assert len(list(read.decode(video=0))) == 3
