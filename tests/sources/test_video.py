from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import av
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eatrack_edge.core.errors import InputError, SourceLost
from eatrack_edge.sources import video_decoding as decoding
from eatrack_edge.sources.registry import open_source
from eatrack_edge.sources.video import VideoSource
from eatrack_edge.sources.video_decoding import Orientation
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


@given(st.sampled_from([0, 90, 180, 270]), st.booleans())
def test_an_orientation_is_what_its_matrix_does_to_pixels(degrees: int, is_mirrored: bool) -> None:
    turn = np.deg2rad(degrees)
    a, b, c, d = np.round([np.cos(turn), np.sin(turn), -np.sin(turn), np.cos(turn)]).astype(int)
    if is_mirrored:
        a, b = -a, -b
    matrix = np.array([a << 16, b << 16, 0, c << 16, d << 16, 0, 0, 0, 1 << 30], np.int32).tobytes()
    frame = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)
    turned = Orientation.from_display_matrix(matrix).apply(frame)
    place = np.array([[(a * x + c * y, b * x + d * y) for x in range(3)] for y in range(2)])
    place -= place.reshape(-1, 2).min(0)
    for y in range(2):
        for x in range(3):
            assert (turned[place[y, x, 1], place[y, x, 0]] == frame[y, x]).all()


def _damage(path: Path, number: int) -> Path:
    """Overwrite the stored frame ``number`` of a file whose frames are stored in order."""
    with av.open(str(path)) as container:
        packet = [packet for packet in container.demux(video=0) if packet.size][number]
        at, size = packet.pos, packet.size
    content = bytearray(path.read_bytes())
    content[at : at + size] = b"\xff" * size
    path.write_bytes(content)
    return path


def test_a_damaged_frame_is_named_after_those_before_it(tmp_path: Path) -> None:
    path = _damage(write_video(tmp_path / "v.mp4", [number / 30 for number in range(30)], g="1", bf="0"), 17)
    delivered = []
    with pytest.raises(SourceLost) as caught:
        delivered.extend(one.index for one in open_source(str(path), start=3))
    assert delivered == list(range(3, 17))
    assert caught.value.message.startswith(f"{path}: frame 17 cannot be read: ")
    assert caught.value.hint == "the file is damaged there; --max-frames 14 stops before it"
    assert caught.value.exit_code == 5


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


def test_a_file_that_is_no_video_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "notes.mp4"
    path.write_text("hello")
    with pytest.raises(InputError) as caught:
        open_source(str(path))
    assert str(caught.value) == (
        f"{path}: not a video: Invalid data found when processing input\n"
        "hint: check that it plays; ffprobe shows what is inside"
    )


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


def test_a_first_frame_that_cannot_be_read_is_bad_input(tmp_path: Path) -> None:
    path = _damage(write_video(tmp_path / "v.mp4", [0]), 0)
    with pytest.raises(InputError, match="no frame can be read"):
        open_source(str(path))


def test_a_file_that_went_away_is_missing(video: Path) -> None:
    source = open_source(str(video))
    video.unlink()
    with pytest.raises(InputError, match=f"{video}: no such file"):
        next(iter(source))
    with pytest.raises(InputError, match="no such file"):
        VideoSource(video)


class _Shelf:
    """A container of frames named by their times; a seek lands where ``lands`` says."""

    format = SimpleNamespace(name="mov,mp4,m4a")

    def __init__(self, times: list[int], lands: dict[int, int]) -> None:
        self._times, self._lands, self._place = times, lands, 0

    def demux(self, _: object) -> Iterator[SimpleNamespace]:
        yield from (SimpleNamespace(pts=time, size=1, is_discard=False) for time in self._times)
        self._place = len(self._times)

    def seek(self, time: int, **_: object) -> None:
        self._place = self._lands[time]

    def frames(self) -> Iterator[SimpleNamespace]:
        while self._place < len(self._times):
            self._place += 1
            yield SimpleNamespace(pts=self._times[self._place - 1])


@pytest.mark.parametrize(
    ("times", "lands"),
    [
        pytest.param([0, 10, 20, 30], {20: 1, 0: 0}, id="on a key frame before"),
        pytest.param([0, 10, 20, 30], {20: 3, 0: 0}, id="on a key frame after"),
        pytest.param([0, 10, 20, 30], {20: 4, 0: 0}, id="beyond the end"),
        pytest.param([0, 10, 10, 30], {0: 0}, id="times that do not tell frames apart"),
    ],
)
def test_wherever_a_seek_lands_reading_begins_at_the_right_frame(
    monkeypatch: pytest.MonkeyPatch, times: list[int], lands: dict[int, int]
) -> None:
    monkeypatch.setattr(decoding, "decoded", lambda container, _: container.frames())
    shelf = _Shelf(times, lands)
    assert [frame.pts for frame in decoding.decoded_from(shelf, None, 2)] == times[2:]


def test_damage_further_on_does_not_hinder_a_late_start(monkeypatch: pytest.MonkeyPatch) -> None:
    shelf = _Shelf([0, 10, 20], {0: 0, 10: 1})
    whole = shelf.demux

    def demux(stream: object) -> Iterator[SimpleNamespace]:
        yield from whole(stream)
        raise av.error.InvalidDataError(1, "damaged")

    monkeypatch.setattr(shelf, "demux", demux)
    monkeypatch.setattr(decoding, "decoded", lambda container, _: container.frames())
    assert [frame.pts for frame in decoding.decoded_from(shelf, None, 1)] == [10, 20]


def test_a_decoder_that_fails_again_while_it_is_emptied_gives_nothing() -> None:
    def decode(_: object) -> list[object]:
        raise av.error.InvalidDataError(1, "damaged")

    stream = SimpleNamespace(thread_type="NONE", codec_context=SimpleNamespace(decode=decode))
    packet = SimpleNamespace(size=1, is_corrupt=True)
    with pytest.raises(decoding.DamageError, match="the file ends in the middle of it"):
        list(decoding.decoded(SimpleNamespace(demux=lambda _: [packet]), stream))


def test_a_file_that_opens_but_holds_no_frame_is_refused(video: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoding, "decoded", lambda *_: iter(()))
    with pytest.raises(InputError, match="the video has no frames"):
        open_source(str(video))
