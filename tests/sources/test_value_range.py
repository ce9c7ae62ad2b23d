from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eatrack_edge.core.errors import InputError, UsageError
from eatrack_edge.sources.images import read_image
from eatrack_edge.sources.registry import open_source
from eatrack_edge.sources.value_range import range_of, stretched
from sources.clips import number_of, picture


def _counts(number: int) -> np.ndarray:
    """A picture as a thermal camera of 14 bits writes it."""
    return 7000 + 8 * picture(number)[..., 0].astype(np.uint16)


def _write(folder: Path, pictures: list[np.ndarray], suffix: str = ".png") -> Path:
    folder.mkdir(exist_ok=True)
    for number, one in enumerate(pictures):
        assert cv2.imwrite(str(folder / f"{number:03d}{suffix}"), one)
    return folder


@pytest.mark.parametrize("suffix", [".png", ".tiff"])
def test_thermal_images_are_stretched_by_the_range_of_the_first(tmp_path: Path, suffix: str) -> None:
    source = open_source(str(_write(tmp_path / "f", [_counts(number) for number in range(4)], suffix)))
    read = list(source)
    assert [number_of(one.frame) for one in read] == list(range(4))
    assert all(one.frame.max() > 230 and one.frame.min() < 25 for one in read)
    low, high = source.value_range  # type: ignore[attr-defined]
    assert low < 7160 < 9040 < high


def test_a_later_start_shows_the_same_pictures(tmp_path: Path) -> None:
    folder = _write(tmp_path / "f", [_counts(number) // (1 + number) for number in range(4)])
    whole, late = list(open_source(str(folder))), list(open_source(str(folder), start=2))
    np.testing.assert_array_equal(whole[2].frame, late[0].frame)


def test_a_given_range_is_used_and_what_lies_outside_is_cut_off(tmp_path: Path) -> None:
    folder = _write(tmp_path / "f", [np.uint16([[6000, 7000], [8000, 9000]])])
    source = open_source(str(folder), value_range=(7000, 8000))
    assert source.value_range == (7000, 8000)  # type: ignore[attr-defined]
    assert next(iter(source)).frame[..., 0].tolist() == [[0, 0], [255, 255]]


def test_temperatures_in_a_tiff_of_floats_are_stretched(tmp_path: Path) -> None:
    celsius = 20 + picture(9)[..., 0].astype(np.float32) / 10
    celsius[0, 0] = np.nan
    (read,) = open_source(str(_write(tmp_path / "f", [celsius], ".tiff")))
    assert number_of(read.frame) == 9


def test_one_dead_pixel_does_not_flatten_the_picture() -> None:
    counts = np.repeat(np.repeat(_counts(21), 4, 0), 4, 1)
    counts[0, 0], counts[0, 1] = 0, 65535
    low, high = range_of(counts)
    assert low > 6500
    assert high < 9500


def test_colours_of_16_bits_keep_their_balance(tmp_path: Path) -> None:
    (read,) = open_source(str(_write(tmp_path / "f", [picture(0).astype(np.uint16) * 256 + np.uint16([0, 0, 50])])))
    assert np.abs(read.frame.astype(int) - picture(0)).max() <= 1


def test_images_of_8_bits_are_as_they_were(tmp_path: Path) -> None:
    source = open_source(str(_write(tmp_path / "f", [picture(3)])))
    assert source.value_range is None  # type: ignore[attr-defined]
    np.testing.assert_array_equal(next(iter(source)).frame, picture(3))


@pytest.mark.parametrize("value_range", [(1.0, 1.0), (2.0, 1.0)])
def test_an_empty_range_is_refused(tmp_path: Path, value_range: tuple[float, float]) -> None:
    with pytest.raises(UsageError, match="a value range goes from low to high"):
        open_source(str(_write(tmp_path / "f", [_counts(0)])), value_range=value_range)


def test_a_synthetic_scene_has_no_range() -> None:
    with pytest.raises(UsageError, match="the pictures have 8 bits"):
        open_source("test://", value_range=(0, 1))


def test_a_deep_picture_among_shallow_ones_is_refused_by_name(tmp_path: Path) -> None:
    folder = _write(tmp_path / "f", [picture(0), _counts(1)])
    with pytest.raises(InputError) as caught:
        list(open_source(str(folder)))
    assert caught.value.message == f"{folder}/001.png: a picture of uint16, the first has 8 bits"


def test_a_shallow_picture_among_deep_ones_is_refused_by_name(tmp_path: Path) -> None:
    folder = _write(tmp_path / "f", [_counts(0), picture(1)])
    with pytest.raises(InputError) as caught:
        list(open_source(str(folder)))
    assert caught.value.message == f"{folder}/001.png: a picture of uint8, the first has more than 8 bits"


def test_an_image_alone_is_stretched_by_its_own_range(tmp_path: Path) -> None:
    frame = read_image(_write(tmp_path / "f", [_counts(5)]) / "000.png")
    assert frame is not None
    assert number_of(frame) == 5


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6), st.sampled_from([np.uint16, np.int16, np.float32]))
def test_whatever_is_stretched_is_a_frame(low: float, span: float, kind: type) -> None:
    values = np.array([[0, 1], [30000, 5]]).astype(kind)
    frame = stretched(values, (low, low + span))
    assert (frame.dtype, frame.shape, frame.flags.c_contiguous) == (np.uint8, (2, 2, 3), True)


def test_a_flat_picture_has_a_range_too() -> None:
    low, high = range_of(np.full((4, 4), 7, np.uint16))
    assert low < 7 < high
    assert range_of(np.full((4, 4), np.nan, np.float32)) == (0.0, 1.0)
