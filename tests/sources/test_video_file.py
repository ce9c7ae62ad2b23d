from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from eatrack_edge.core.errors import InputError, UsageError
from eatrack_edge.sources.registry import open_source
from sources.clips import HEIGHT, WIDTH, number_of, picture, turn_video, write_video

TIMES = [number / 30 for number in range(12)]


def _two_streams(path: Path, first: str) -> Path:
    """A small stream before the large one: a cover picture, or a proxy that is not the default."""
    with av.open(str(path), "w") as container:
        small = container.add_stream("mjpeg" if first == "cover" else "libx264", rate=30)
        small.width, small.height, small.pix_fmt = 32, 24, "yuvj420p" if first == "cover" else "yuv420p"
        large = container.add_stream("libx264", rate=30)
        large.width, large.height, large.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        large.options = {"crf": "12"}
        small.disposition = av.stream.Disposition.attached_pic if first == "cover" else 0
        large.disposition = av.stream.Disposition.default
        for number in range(12):
            for stream, size in ((small, (32, 24)), (large, (WIDTH, HEIGHT))):
                if stream is small and first == "cover" and number:
                    continue
                frame = av.VideoFrame.from_ndarray(cv2.resize(picture(number), size), format="bgr24")
                frame.pts, frame.time_base = number, Fraction(1, 30)
                container.mux(stream.encode(frame))
        container.mux(small.encode(None))
        container.mux(large.encode(None))
    return path


@pytest.mark.parametrize("first", ["cover", "proxy"])
def test_of_several_streams_the_one_is_read_that_ffmpeg_chooses(tmp_path: Path, first: str) -> None:
    source = open_source(str(_two_streams(tmp_path / "v.mp4", first)))
    assert (source.size, source.fps, source.frame_count) == ((WIDTH, HEIGHT), 30.0, 12)
    assert [number_of(one.frame) for one in source] == list(range(12))


def test_sound_with_a_cover_picture_is_no_video(tmp_path: Path) -> None:
    path = tmp_path / "song.mp4"
    with av.open(str(path), "w") as container:
        sound = container.add_stream("aac", rate=8000)
        cover = container.add_stream("mjpeg", rate=1)
        cover.width, cover.height, cover.pix_fmt = 32, 24, "yuvj420p"
        cover.disposition = av.stream.Disposition.attached_pic
        frame = av.VideoFrame.from_ndarray(np.zeros((24, 32, 3), np.uint8), format="bgr24")
        frame.pts, frame.time_base = 0, Fraction(1, 1)
        container.mux(cover.encode(frame))
        block = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        block.sample_rate = 8000
        container.mux(sound.encode(block))
        container.mux([*sound.encode(None), *cover.encode(None)])
    with pytest.raises(InputError, match="the file has a cover picture, but no video"):
        open_source(str(path))


def _raw(path: Path, kind: str) -> Path:
    source = write_video(path.parent / "v.mp4", TIMES, bf="0") if kind == "h264" else None
    with av.open(str(path), "w", format=kind) as output:
        if source is None:
            stream = output.add_stream("mpeg2video", rate=30)
            stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        else:
            stream = output.add_stream("libx264", rate=30)
            stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for number in range(12):
            frame = av.VideoFrame.from_ndarray(picture(number), format="bgr24")
            frame.pts, frame.time_base = number, Fraction(1, 30)
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    return path


@pytest.mark.parametrize("kind", ["h264", "mpeg2video"])
def test_a_raw_stream_plays_at_the_rate_that_its_codec_states(tmp_path: Path, kind: str) -> None:
    source = open_source(str(_raw(tmp_path / f"v.{kind}", kind)))
    assert source.fps == pytest.approx(30)
    np.testing.assert_allclose([one.pts_s for one in source], TIMES, atol=1e-6)


def test_frames_out_of_order_in_an_avi_have_times_that_grow(tmp_path: Path) -> None:
    source = open_source(str(write_video(tmp_path / "v.avi", TIMES, bf="2")))
    read = list(source)
    assert [number_of(one.frame) for one in read] == list(range(12))
    np.testing.assert_allclose([one.pts_s for one in read], TIMES, atol=1e-3)
    assert (source.frame_count, source.fps) == (12, pytest.approx(30))


@pytest.mark.parametrize("size", ["5.0", "0.3"])
def test_a_recorder_that_starts_its_clock_anew_goes_on(tmp_path: Path, size: str) -> None:
    first, second = (
        write_video(tmp_path / name, times, bf="0")
        for name, times in (("a.ts", [float(size) + time for time in TIMES]), ("b.ts", TIMES))
    )
    path = tmp_path / "v.ts"
    path.write_bytes(first.read_bytes() + second.read_bytes())
    times = [one.pts_s for one in open_source(str(path))]
    np.testing.assert_allclose(times, [number / 30 for number in range(24)], atol=2e-3)


@pytest.mark.parametrize(
    ("aspect", "size"),
    [
        pytest.param(Fraction(2, 1), (2 * WIDTH, HEIGHT), id="wide pixels"),
        pytest.param(Fraction(1, 2), (WIDTH, 2 * HEIGHT), id="high pixels"),
        pytest.param(Fraction(136, 135), (WIDTH, HEIGHT), id="nearly square"),
    ],
)
@pytest.mark.parametrize("is_turned", [False, True], ids=["upright", "turned"])
def test_frames_have_the_shape_that_players_show(
    tmp_path: Path, aspect: Fraction, size: tuple[int, int], is_turned: bool
) -> None:
    path = tmp_path / "v.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.codec_context.sample_aspect_ratio = aspect
        frame = av.VideoFrame.from_ndarray(picture(5), format="bgr24")
        container.mux([*stream.encode(frame), *stream.encode(None)])
    if is_turned:
        turn_video(path, (0, 1, -1, 0))
    source = open_source(str(path))
    shown = size[::-1] if is_turned else size
    (read,) = source
    assert source.size == shown == (read.frame.shape[1], read.frame.shape[0])
    assert read.frame[: shown[1] // 2 - 4, (shown[0] // 2 + 4 if is_turned else 0) :][:4, :4].min() > 200


def _thermal(path: Path) -> Path:
    """A film of 16-bit counts: 7000 and up, as thermal cameras write them."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("ffv1", rate=30)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "gray16le"
        for number in range(6):
            counts = 7000 + 8 * picture(number)[..., 0].astype(np.uint16)
            frame = av.VideoFrame.from_ndarray(counts, format="gray16le")
            frame.pts, frame.time_base = number, Fraction(1, 30)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def test_a_film_of_16_bits_is_stretched_by_the_range_of_its_first_frame(tmp_path: Path) -> None:
    source = open_source(str(_thermal(tmp_path / "v.mkv")))
    read = list(source)
    assert [number_of(one.frame) for one in read] == list(range(6))
    assert max(int(one.frame.max()) - int(one.frame.min()) for one in read) > 200
    low, high = source.value_range  # type: ignore[attr-defined]
    assert 6800 < low < 7160
    assert 9040 < high < 9300


def test_the_range_of_a_film_may_be_given_and_a_later_start_shows_the_same(tmp_path: Path) -> None:
    path = _thermal(tmp_path / "v.mkv")
    read = list(open_source(str(path), value_range=(7000, 7000 + 8 * 255)))
    np.testing.assert_array_equal(read[3].frame, picture(3)[..., :1].repeat(3, 2))
    whole, late = list(open_source(str(path))), list(open_source(str(path), start=4))
    np.testing.assert_array_equal(late[0].frame, whole[4].frame)


def test_a_film_of_8_bits_has_no_range_to_give(video: Path) -> None:
    with pytest.raises(UsageError) as caught:
        open_source(str(video), value_range=(0, 9))
    assert (
        str(caught.value)
        == f"{video}: the pictures have 8 bits, which have no value range\nhint: leave out --value-range"
    )


@pytest.mark.parametrize(
    "name", ["12:30:00.mp4", "pipe:0", "a%03d.mp4", "-o.mp4", "http:x", "x://y.mp4", " a b.mp4", "ü\n.mp4"]
)
def test_a_file_may_have_any_name(video: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(video.parent)
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    video.rename(name)
    assert sum(1 for _ in open_source(name)) == 30


def test_a_name_that_is_not_utf_8_is_a_name(video: Path) -> None:
    import os

    raw = os.fsencode(video.parent) + b"/caf\xe9.mp4"
    os.rename(video, raw)  # noqa: PTH104  (a Path cannot be made of bytes)
    assert sum(1 for _ in open_source(os.fsdecode(raw))) == 30


def test_texts_in_a_file_that_are_not_utf_8_do_not_matter(tmp_path: Path) -> None:
    path = tmp_path / "v.mkv"
    with av.open(str(path), "w") as container:
        container.metadata["title"] = "caf#"
        stream = container.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        container.mux([*stream.encode(av.VideoFrame.from_ndarray(picture(0), format="bgr24")), *stream.encode(None)])
    path.write_bytes(path.read_bytes().replace(b"caf#", b"caf\xe9"))
    assert len(list(open_source(str(path)))) == 1
