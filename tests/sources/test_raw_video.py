"""Raw videos, frames and nothing else: where they are cut off only the frames themselves can say."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import av
import numpy as np
import pytest

from eatrack_edge.core.errors import SourceLost
from eatrack_edge.sources.base import SourceFrame
from eatrack_edge.sources.registry import open_source
from sources.clips import number_of, packet_spans, picture


def _check_places(read: list[SourceFrame], fps: float) -> None:
    """Every frame is there, at its number and time, and shows what it should."""
    assert [(one.index, number_of(one.frame), one.lost) for one in read] == [
        (place, place, 0) for place in range(len(read))
    ]
    np.testing.assert_allclose([one.pts_s for one in read], [one.index / fps for one in read], atol=1e-3)


def _raw(path: Path, codec: str) -> Path:
    """Ten frames that each stand alone, one after the other and nothing else: no index, and no length of the whole."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=30)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuvj420p" if codec == "mjpeg" else "yuv420p"
        stream.options = {} if codec == "wrapped_avframe" else {"g": "1", "bf": "0"}
        for number in range(10):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture(number), format="bgr24")))
        container.mux(stream.encode(None))
    return path


FRAME_BYTES = 64 * 48 * 3 // 2  # of a Y4M, without the mark before each


@pytest.mark.parametrize(
    ("missing", "whole"),
    [
        pytest.param(1, 9, id="a byte missing"),
        pytest.param(FRAME_BYTES // 2, 9, id="half a frame"),
        pytest.param(FRAME_BYTES - 1, 9, id="one byte of a frame"),
        pytest.param(FRAME_BYTES + 3, 9, id="half the mark of a frame"),
        pytest.param(FRAME_BYTES + 7, 8, id="a byte missing of the frame before"),
    ],
)
def test_a_raw_y4m_that_was_cut_off_within_a_frame_is_a_lost_source(tmp_path: Path, missing: int, whole: int) -> None:
    path = _raw(tmp_path / "v.y4m", "wrapped_avframe")
    path.write_bytes(path.read_bytes()[:-missing])
    delivered: list[SourceFrame] = []
    with pytest.raises(SourceLost, match=f"frame {whole} cannot be read: the file ends in the middle of it") as caught:
        delivered.extend(open_source(str(path)))
    assert caught.value.hint == f"the file was cut off there; --max-frames {whole} stops before it"
    assert len(delivered) == whole
    _check_places(delivered, fps=30)


@pytest.mark.parametrize("frames", [10, 9])
def test_a_raw_y4m_that_ends_with_a_frame_is_sound(tmp_path: Path, frames: int) -> None:
    path = _raw(tmp_path / "v.y4m", "wrapped_avframe")
    content = path.read_bytes()
    path.write_bytes(content[: len(content) - (10 - frames) * (FRAME_BYTES + len(b"FRAME\n"))])
    read = list(open_source(str(path)))
    assert len(read) == frames
    _check_places(read, fps=30)


def _cut_mjpeg(path: Path, ends: Sequence[bytes], missing: int) -> Path:
    """Ten frames with so many bytes missing, and these after each instead of the mark at its end."""
    content = _raw(path, "mjpeg").read_bytes()
    frames = [content[at : at + size] for at, size in packet_spans(path)]
    assert all(frame.endswith(b"\xff\xd9") for frame in frames)
    content = b"".join(frame[:-2] + end for frame, end in zip(frames, ends, strict=True))
    path.write_bytes(content[: len(content) - missing])
    return path


MARK, NO_MARK = b"\xff\xd9", b""


@pytest.mark.parametrize("missing", [1, 2, 300, 600])
def test_a_raw_mjpeg_that_was_cut_off_within_a_frame_is_a_lost_source(tmp_path: Path, missing: int) -> None:
    path = _cut_mjpeg(tmp_path / "v.mjpeg", 10 * [MARK], missing)
    delivered: list[SourceFrame] = []
    with pytest.raises(SourceLost, match="frame 9 cannot be read: the file ends in the middle of it") as caught:
        delivered.extend(open_source(str(path)))
    assert caught.value.hint == "the file was cut off there; --max-frames 9 stops before it"
    assert len(delivered) == 9
    _check_places(delivered, fps=25)


@pytest.mark.parametrize(
    "ends",
    [
        pytest.param(10 * [MARK], id="whole"),
        pytest.param(10 * [MARK + bytes(6)], id="filled up with zeros"),
        pytest.param(10 * [NO_MARK], id="without a mark at any end"),
        pytest.param([*(4 * [MARK]), NO_MARK, *(5 * [MARK])], id="without the mark of one in the middle"),
    ],
)
def test_a_raw_mjpeg_that_ends_with_a_frame_is_sound(tmp_path: Path, ends: list[bytes]) -> None:
    read = list(open_source(str(_cut_mjpeg(tmp_path / "v.mjpeg", ends, 0))))
    assert len(read) == 10
    _check_places(read, fps=25)


HEVC = {"one after the other": "bframes=0:keyint=60", "out of order": "bframes=2:keyint=12", "alone": "keyint=1"}


def _hevc(path: Path, parameters: str) -> Path:
    """Ten frames that have something to say to their last byte."""
    frames = np.random.default_rng(0).integers(0, 256, (10, 96, 128, 3), dtype=np.uint8)
    with av.open(str(path), "w", format="hevc") as container:
        try:
            stream = container.add_stream("libx265", rate=30)
        except (av.error.FFmpegError, ValueError):
            pytest.skip("this PyAV has no HEVC encoder")
        stream.width, stream.height, stream.pix_fmt = 128, 96, "yuv420p"
        stream.options = {"x265-params": f"log-level=none:info=0:{parameters}"}
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="bgr24")))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize("missing", [0.02, 0.3, 0.6, 0.9])
@pytest.mark.parametrize("order", HEVC)
def test_a_raw_hevc_that_was_cut_off_within_a_frame_is_a_lost_source(
    tmp_path: Path, order: str, missing: float
) -> None:
    path = _hevc(tmp_path / "v.hevc", HEVC[order])
    path.write_bytes(path.read_bytes()[: -round(missing * packet_spans(path)[-1][1])])
    delivered: list[SourceFrame] = []
    words = "in the middle of " + ("one of the last frames" if order == "out of order" else "it")
    with pytest.raises(SourceLost, match=rf"frame \d+ cannot be read: the file ends {words}"):
        delivered.extend(open_source(str(path)))
    assert len(delivered) == (10 if order == "out of order" else 9)
    assert [one.index for one in delivered] == list(range(len(delivered)))


@pytest.mark.parametrize("order", HEVC)
def test_a_raw_hevc_that_ends_with_a_frame_is_sound_wherever_it_ends(tmp_path: Path, order: str) -> None:
    path = _hevc(tmp_path / "v.hevc", HEVC[order])
    content, spans = path.read_bytes(), packet_spans(path)
    for count, (at, size) in enumerate(spans, start=1):
        path.write_bytes(content[: at + size])
        assert len(list(open_source(str(path)))) == count


def test_a_raw_hevc_whose_parameters_change_is_not_said_to_be_cut_off(tmp_path: Path) -> None:
    first, second = (
        _hevc(tmp_path / f"{name}.hevc", HEVC["one after the other"] + f":ctu={ctu}")
        for name, ctu in (("a", 64), ("b", 16))
    )
    path = tmp_path / "both.hevc"
    path.write_bytes(first.read_bytes() + second.read_bytes())
    assert len(list(open_source(str(path)))) == 20


def test_a_raw_h264_that_was_cut_off_within_a_frame_shows_the_frame_as_damaged(tmp_path: Path) -> None:
    """Where it was cut inside a frame only the decoder can know: such a file has no structure beyond its frames."""
    path = _raw(tmp_path / "v.h264", "libx264")
    path.write_bytes(path.read_bytes()[: -packet_spans(path)[-1][1] // 2])
    read = list(open_source(str(path)))
    assert [(one.index, one.is_damaged) for one in read] == [(number, number == 9) for number in range(10)]
