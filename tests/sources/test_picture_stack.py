from __future__ import annotations

from pathlib import Path
from typing import Literal

import cv2
import numpy as np
import pytest

from eatrack_edge.core.errors import InputError, MissingExtra, SourceLost
from eatrack_edge.sources.picture_stack import _is_cut_off_tiff
from eatrack_edge.sources.registry import open_source
from sources.clips import number_of, picture

needs_animation = pytest.mark.skipif(not hasattr(cv2, "imencodeanimation"), reason="needs OpenCV 4.11")
COUNT = 7


def _animated(path: Path, durations: int = 40) -> Path:
    animation = cv2.Animation()
    animation.frames = [np.dstack([picture(number), np.full((48, 64), 255, np.uint8)]) for number in range(COUNT)]
    animation.durations = np.full(COUNT, durations, np.int32)
    is_encoded, content = cv2.imencodeanimation(path.suffix, animation)
    assert is_encoded
    path.write_bytes(content.tobytes())
    return path


def _tiff(path: Path, pages: list[np.ndarray]) -> Path:
    assert cv2.imwritemulti(str(path), pages)
    return path


@needs_animation
@pytest.mark.parametrize("suffix", [".webp", ".png"])
def test_an_animated_picture_gives_all_of_its_pictures_at_their_times(tmp_path: Path, suffix: str) -> None:
    source = open_source(str(_animated(tmp_path / f"a{suffix}")))
    read = list(source)
    assert (source.name, source.frame_count, source.size, source.fps) == ("a", COUNT, (64, 48), pytest.approx(25))
    assert [number_of(one.frame) for one in read] == [one.index for one in read] == list(range(COUNT))
    np.testing.assert_allclose([one.pts_s for one in read], np.arange(COUNT) / 25)


@needs_animation
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_an_animated_picture_of_greys_has_its_whole_width(tmp_path: Path, dtype: type) -> None:
    animation = cv2.Animation()
    scale = 257 if dtype is np.uint16 else 1
    animation.frames = [picture(number)[..., 1].astype(dtype) * dtype(scale) for number in range(COUNT)]
    animation.durations = np.full(COUNT, 40, np.int32)
    path = tmp_path / "a.png"
    path.write_bytes(cv2.imencodeanimation(".png", animation)[1].tobytes())
    read = list(open_source(str(path)))
    assert [(one.frame.shape, number_of(one.frame)) for one in read] == [((48, 64, 3), n) for n in range(COUNT)]


@needs_animation
def test_a_later_start_in_an_animated_picture_keeps_numbers_and_times(tmp_path: Path) -> None:
    read = list(open_source(str(_animated(tmp_path / "a.webp")), start=5))
    assert [(one.index, number_of(one.frame)) for one in read] == [(5, 5), (6, 6)]
    with pytest.raises(InputError, match="the source has 7 frames, 0 to 6"):
        open_source(str(tmp_path / "a.webp"), start=7)


@needs_animation
def test_an_animated_picture_that_is_cut_off_is_not_read_as_a_shorter_one(tmp_path: Path) -> None:
    path = _animated(tmp_path / "a.webp")
    path.write_bytes(path.read_bytes()[:-200])
    with pytest.raises(InputError):
        list(open_source(str(path)))


def test_an_opencv_without_animation_is_said_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.webp"
    path.write_bytes(b"RIFF\x20\0\0\0WEBPVP8X\x0a\0\0\0\x02" + bytes(20))
    monkeypatch.delattr(cv2, "imdecodeanimation", raising=False)
    with pytest.raises(MissingExtra, match=r"an animated picture needs OpenCV 4.11 or later"):
        open_source(str(path))


def test_pages_of_a_tiff_are_frames(tmp_path: Path) -> None:
    path = _tiff(tmp_path / "a.tiff", [picture(number) for number in range(COUNT)])
    source = open_source(str(path), image_fps=10)
    assert source.frame_count == COUNT
    assert [(number_of(one.frame), round(one.pts_s, 3)) for one in source] == [(n, n / 10) for n in range(COUNT)]


def test_pages_of_16_bits_share_the_range_of_the_first(tmp_path: Path) -> None:
    pages = [7000 + 8 * picture(number)[..., 0].astype(np.uint16) for number in range(COUNT)]
    source = open_source(str(_tiff(tmp_path / "a.tif", pages)), value_range=(7000, 7000 + 8 * 255))
    for one in source:
        np.testing.assert_array_equal(one.frame, picture(one.index)[..., :1].repeat(3, 2))


@pytest.mark.parametrize("share", [0.3, 0.6, 0.95])
def test_a_tiff_that_is_cut_off_is_a_lost_source_after_the_pages_that_are_left(tmp_path: Path, share: float) -> None:
    path = _tiff(tmp_path / "a.tif", [picture(number) for number in range(COUNT)])
    path.write_bytes(path.read_bytes()[: int(share * path.stat().st_size)])
    read: list[int] = []
    with pytest.raises(SourceLost, match=r"the file ends before it"):
        read.extend(number_of(one.frame) for one in open_source(str(path)))
    assert 0 < len(read) < COUNT
    assert read == list(range(len(read)))


@pytest.mark.parametrize("is_big", [False, True])
@pytest.mark.parametrize("order", ["little", "big"])
def test_the_chain_of_a_tiffs_pages_is_followed_in_either_order(is_big: bool, order: Literal["little", "big"]) -> None:
    def number(value: int, width: int) -> bytes:
        return value.to_bytes(width, order)

    mark = b"II" if order == "little" else b"MM"
    # A header that points to a page without entries, which points on.
    if is_big:
        head, page = mark + number(43, 2) + number(8, 2) + number(0, 2) + number(16, 8), number(0, 8)
        end, lost, loop = (number(where, 8) for where in (0, 900, 16))
    else:
        head, page = mark + number(42, 2) + number(8, 4), number(0, 2)
        end, lost, loop = (number(where, 4) for where in (0, 900, 8))
    for following, is_cut in ((end, False), (lost, True), (loop, False), (b"", True)):
        stored = np.frombuffer(head + page + following, np.uint8)
        assert _is_cut_off_tiff(stored) is is_cut


@pytest.mark.parametrize("pattern", ["", "/*.tif"])
def test_a_folder_of_files_that_each_hold_several_pictures_is_refused_by_name(tmp_path: Path, pattern: str) -> None:
    path = _tiff(tmp_path / "a 1.tif", [picture(number) for number in range(3)])
    _tiff(tmp_path / "a 2.tif", [picture(3)])
    with pytest.raises(InputError) as caught:
        open_source(f"{tmp_path}{pattern}")
    assert caught.value.message == f"{tmp_path}{pattern}: `a 1.tif` holds several pictures, and is not a frame"
    assert caught.value.hint == f"name the file itself: '{path}'"


def test_a_thumbnail_among_the_pages_is_no_frame(tmp_path: Path) -> None:
    path = _tiff(tmp_path / "a.tif", [picture(0), cv2.resize(picture(0), (16, 12)), picture(1)])
    assert [number_of(one.frame) for one in open_source(str(path))] == [0, 1]


@pytest.mark.parametrize("suffix", [".png", ".webp", ".tiff", ".jpg"])
def test_a_file_of_one_picture_is_one_frame(tmp_path: Path, suffix: str) -> None:
    cv2.imwrite(str(tmp_path / f"a{suffix}"), picture(3))
    assert [number_of(one.frame) for one in open_source(str(tmp_path / f"a{suffix}"))] == [3]


def test_a_closed_stack_delivers_no_more(tmp_path: Path) -> None:
    with open_source(str(_tiff(tmp_path / "a.tif", [picture(0), picture(1)]))) as source:
        frames = iter(source)
        next(frames)
    assert list(frames) == []
