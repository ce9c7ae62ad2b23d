from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from eatrack_edge.core.errors import InputError, MissingExtra
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
