"""Videos with damage: read on, with every frame at its own number and time."""

from __future__ import annotations

from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from eatrack_edge.core.errors import InputError, SourceLost
from eatrack_edge.outputs.base import FrameRecord
from eatrack_edge.outputs.video import VideoOutput
from eatrack_edge.sources.base import SourceFrame
from eatrack_edge.sources.registry import open_source
from sources.clips import copied, damage, number_of, packet_spans, picture, write_video

TIMES = [number / 30 for number in range(30)]


@pytest.fixture
def intra(tmp_path: Path) -> Path:
    """Thirty frames that each stand alone."""
    return write_video(tmp_path / "v.mp4", TIMES, g="1", bf="0")


def _check_places(read: list[SourceFrame], start: int = 0) -> None:
    """Every frame is there, at its number and time, and shows what it should unless it was lost."""
    assert [one.index for one in read] == list(range(start, start + len(read)))
    np.testing.assert_allclose([one.pts_s for one in read], [one.index / 30 for one in read], atol=1e-3)
    assert all(one.lost or number_of(one.frame) == one.index for one in read)


def _lost(read: list[SourceFrame]) -> dict[int, int]:
    return {one.index: one.lost for one in read if one.lost}


@pytest.mark.parametrize(
    ("numbers", "lost"),
    [
        pytest.param([17], {17: 1}, id="one in the middle"),
        pytest.param([0], {0: 1}, id="the first"),
        pytest.param([29], {29: 1}, id="the last"),
        pytest.param([4, 5, 6, 20], {4: 3, 5: 2, 6: 1, 20: 1}, id="several"),
    ],
)
@pytest.mark.parametrize("is_threaded", [True, False])
def test_frames_that_cannot_be_decoded_are_counted_and_the_others_keep_their_places(
    intra: Path, numbers: list[int], lost: dict[int, int], is_threaded: bool
) -> None:
    from eatrack_edge.sources.video import VideoSource

    read = list(VideoSource(damage(intra, *numbers), is_threaded=is_threaded))
    assert len(read) == 30
    assert _lost(read) == lost
    _check_places(read)


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(start=st.integers(0, 29))
def test_a_later_start_reaches_beyond_a_damage_and_gives_the_same_frames(tmp_path: Path, start: int) -> None:
    path = tmp_path / "v.mp4"
    if not path.exists():
        damage(write_video(path, TIMES, g="1", bf="0"), 9, 10)
    read = list(open_source(str(path), start=start))
    assert len(read) == 30 - start
    assert _lost(read) == {number: 11 - number for number in (9, 10) if number >= start}
    _check_places(read, start)


def _out_of_order_as(suffix: str, tmp_path: Path) -> Path:
    """Thirty frames in three groups, stored out of order."""
    first = tmp_path / ("v.avi" if suffix == ".avi" else "v.mp4")
    path = write_video(first, TIMES, g="10", bf="2", **{"x264-params": "scenecut=0"})
    return path if path.suffix == suffix else copied(path, tmp_path / f"v{suffix}")


@pytest.mark.parametrize("suffix", [".mp4", ".avi", ".mkv", ".flv"])
@pytest.mark.parametrize("start", [0, 9, 12])
def test_frames_that_are_lost_with_their_key_frame_keep_their_numbers_from_any_start(
    tmp_path: Path, suffix: str, start: int
) -> None:
    path = damage(_out_of_order_as(suffix, tmp_path), 10, 11)
    whole = list(open_source(str(path)))
    assert [one.index for one in whole] == list(range(30))
    np.testing.assert_allclose([one.pts_s for one in whole], TIMES, atol=2e-3)
    # The decoder fills in what refers to the lost frames, up to the next key frame.
    assert all(one.lost or number_of(one.frame) == one.index for one in whole if not 8 <= one.index < 20)
    assert sum(one.lost > 0 for one in whole) >= 2
    read = list(open_source(str(path), start=start))
    assert [(one.index, one.lost) for one in read] == [(one.index, one.lost) for one in whole[start:]]
    assert all(np.array_equal(one.frame, other.frame) for one, other in zip(read, whole[start:], strict=True))


@pytest.mark.parametrize("place", [0.1, 0.4, 0.75])
def test_lost_packets_of_a_transport_stream_whose_frames_are_out_of_order_leave_numbers_true(
    tmp_path: Path, place: float
) -> None:
    path = _out_of_order_as(".ts", tmp_path)
    content = path.read_bytes()
    at = 188 * round(len(content) / 188 * place)
    path.write_bytes(content[:at] + content[at + 188 :])
    read = list(open_source(str(path)))
    assert [one.index for one in read] == list(range(30))
    np.testing.assert_allclose([one.pts_s for one in read], TIMES, atol=2e-3)


def test_a_sound_flv_whose_first_frame_is_shown_late_is_sound(tmp_path: Path) -> None:
    assert len(list(open_source(str(_out_of_order_as(".flv", tmp_path))))) == 30


def test_a_damaged_frame_of_av1_is_lost_though_the_decoder_is_silent(tmp_path: Path) -> None:
    path = tmp_path / "v.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libsvtav1", rate=30, options={"preset": "12", "svtav1-params": "keyint=1"})
        stream.width, stream.height, stream.pix_fmt = 256, 192, "yuv420p"
        for number in range(12):
            frame = cv2.resize(picture(number), (256, 192), interpolation=cv2.INTER_NEAREST)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="bgr24")))
        container.mux(stream.encode(None))
    read = [
        SourceFrame(one.index, one.pts_s, cv2.resize(one.frame, (64, 48)), lost=one.lost)
        for one in open_source(str(damage(path, 5)))
    ]
    assert len(read) == 12
    assert _lost(read) == {5: 1}
    _check_places(read)


def test_with_frames_stored_out_of_order_a_lost_one_keeps_its_number(tmp_path: Path) -> None:
    path = write_video(tmp_path / "v.mp4", TIMES, g="10", bf="2")
    # A frame that no other one needs: the smallest of those stored.
    sizes = [size for _, size in packet_spans(path)]
    read = list(open_source(str(damage(path, sizes.index(min(sizes[:9]))))))
    assert len(read) == 30
    assert len(_lost(read)) <= 1
    _check_places(read)


def _intra_as(suffix: str, intra: Path, tmp_path: Path) -> Path:
    if suffix in (".avi", ".mp4"):  # of the latter, the index goes to the front, where a copy that was cut off has it
        return write_video(tmp_path / f"c{suffix}", TIMES, g="1", bf="0")
    return copied(intra, tmp_path / f"c{suffix}")


@pytest.mark.parametrize("suffix", [".mkv", ".avi", ".flv"])
def test_damage_is_counted_in_other_kinds_of_file_too(intra: Path, tmp_path: Path, suffix: str) -> None:
    read = list(open_source(str(damage(_intra_as(suffix, intra, tmp_path), 12))))
    assert len(read) == 30
    assert _lost(read) == {12: 1}
    _check_places(read)


def test_a_part_of_a_matroska_file_that_was_overwritten_is_a_gap(intra: Path, tmp_path: Path) -> None:
    path = copied(intra, tmp_path / "c.mkv", cluster_time_limit="100")
    spans = packet_spans(path)
    content = bytearray(path.read_bytes())
    content[spans[10][0] : spans[14][0]] = bytes(spans[14][0] - spans[10][0])
    path.write_bytes(content)
    read = list(open_source(str(path)))
    assert len(read) == 30
    assert {10, 11, 12, 13} <= set(_lost(read))
    _check_places(read)


def _transport_stream(intra: Path, tmp_path: Path) -> tuple[Path, bytearray]:
    path = copied(intra, tmp_path / "c.ts")
    return path, bytearray(path.read_bytes())


def test_one_lost_packet_of_a_transport_stream_costs_at_most_its_frame(intra: Path, tmp_path: Path) -> None:
    path, content = _transport_stream(intra, tmp_path)
    middle = len(content) // 2 // 188 * 188
    path.write_bytes(content[:middle] + content[middle + 188 :])
    read = list(open_source(str(path)))
    assert len(read) == 30
    assert sum(bool(one.lost or one.is_damaged) for one in read) <= 2
    assert [one.index for one in read] == list(range(30))
    np.testing.assert_allclose([one.pts_s for one in read], TIMES, atol=1e-3)
    late = list(open_source(str(path), start=25))
    _check_places(late, 25)


def test_whole_frames_missing_from_a_transport_stream_are_counted_by_time(intra: Path, tmp_path: Path) -> None:
    path, content = _transport_stream(intra, tmp_path)
    third = len(content) // 3 // 188 * 188
    path.write_bytes(content[:third] + content[third + third // 2 // 188 * 188 :])
    read = list(open_source(str(path)))
    assert len(read) == 30
    assert 3 <= len(_lost(read)) <= 7
    assert [one.index for one in read] == list(range(30))
    np.testing.assert_allclose([one.pts_s for one in read], TIMES, atol=1e-3)


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".avi", ".ts", ".flv"])
def test_a_copy_that_was_cut_off_is_a_lost_source(intra: Path, tmp_path: Path, suffix: str) -> None:
    path = _intra_as(suffix, intra, tmp_path)
    content = path.read_bytes()
    cut = len(content) // 2 // 188 * 188 + 100 if suffix == ".ts" else packet_spans(path)[15][0] + 20
    path.write_bytes(content[:cut])
    delivered: list[SourceFrame] = []
    with pytest.raises(SourceLost) as caught:
        delivered.extend(open_source(str(path)))
    assert 5 <= len(delivered) <= 20
    _check_places(delivered)
    assert f"frame {len(delivered)} cannot be read: the file ends" in caught.value.message
    assert caught.value.hint == f"the file was cut off there; --max-frames {len(delivered)} stops before it"


def test_a_tail_of_zeros_is_a_lost_source(tmp_path: Path) -> None:
    path = write_video(tmp_path / "v.mp4", [number / 10 for number in range(30)], g="1", bf="0")
    at = packet_spans(path)[10][0]
    content = path.read_bytes()
    path.write_bytes(content[:at] + bytes(len(content) - at))
    delivered: list[SourceFrame] = []
    with pytest.raises(SourceLost, match="frame 10 cannot be read: no frame from here on can be decoded, 20 are lost"):
        delivered.extend(open_source(str(path)))
    assert len(delivered) == 10


def test_a_hint_never_names_zero_frames(intra: Path) -> None:
    with pytest.raises(InputError, match="no frame can be read"):
        open_source(str(damage(intra, *range(30))))


def test_a_long_last_frame_is_a_sound_end(tmp_path: Path) -> None:
    path = write_video(tmp_path / "v.mp4", [*TIMES, 5.0], bf="0")
    assert len(list(open_source(str(path)))) == 31


def test_a_matroska_file_whose_sound_is_longer_is_sound(tmp_path: Path) -> None:
    import av

    path = tmp_path / "v.mkv"
    source = write_video(tmp_path / "v.mp4", TIMES, bf="0")
    with av.open(str(source)) as container, av.open(str(path), "w") as output:
        stream = output.add_stream_from_template(container.streams.video[0])
        sound = output.add_stream("pcm_s16le", rate=8000)
        for packet in container.demux(video=0):
            if packet.dts is not None:
                packet.stream = stream
                output.mux(packet)
        for number in range(30):
            block = av.AudioFrame.from_ndarray(np.zeros((1, 1600), np.int16), format="s16", layout="mono")
            block.sample_rate, block.pts = 8000, 1600 * number
            output.mux(sound.encode(block))
    assert len(list(open_source(str(path)))) == 30


@pytest.mark.parametrize("start", [28, 29])
def test_a_start_among_frames_lost_at_the_end_shows_the_one_before(intra: Path, start: int) -> None:
    read = list(open_source(str(damage(intra, 28, 29)), start=start))
    assert [(one.index, one.lost, number_of(one.frame)) for one in read] == [
        (index, 30 - index, 27) for index in range(start, 30)
    ]


def test_a_matroska_file_that_cannot_be_read_past_its_middle_is_a_lost_source(tmp_path: Path) -> None:
    path = tmp_path / "v.mkv"
    with VideoOutput(path, 30) as output:
        for number in range(60):
            noise = np.random.default_rng(number).integers(0, 256, (48, 64, 3), dtype=np.uint8)
            output.write(FrameRecord(number, number / 30, None, 0.0), noise)
    content = bytearray(path.read_bytes())
    content[len(content) // 2 :] = b"\x01" * (len(content) - len(content) // 2)
    path.write_bytes(content)
    with pytest.raises(SourceLost):
        list(open_source(str(path)))


def test_frames_that_refer_to_a_damaged_one_are_shown_as_players_do(tmp_path: Path) -> None:
    import av

    path = tmp_path / "v.mp4"
    with av.open(str(path), "w") as container:
        try:
            stream = container.add_stream("libx265", rate=30)
        except (av.error.FFmpegError, ValueError):
            pytest.skip("this PyAV has no HEVC encoder")
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        stream.options = {"x265-params": "log-level=none:bframes=0:keyint=60"}
        for number in range(30):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture(number), format="bgr24")))
        container.mux(stream.encode(None))
    read = list(open_source(str(damage(path, 10))))
    assert [one.index for one in read] == list(range(30))
    assert len(_lost(read)) <= 2
