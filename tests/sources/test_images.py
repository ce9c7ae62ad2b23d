from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from eatrack_edge.core.errors import InputError, SourceLost
from eatrack_edge.sources.images import first_gap, images_in, images_matching, natural_key
from eatrack_edge.sources.registry import open_source
from sources.clips import number_of


def test_images_come_in_the_order_people_count(images) -> None:
    folder = images("f10.png", "f9.png", "f1.jpg", "F2.PNG")
    assert [path.name for path in images_in(folder, "x")] == ["f1.jpg", "F2.PNG", "f9.png", "f10.png"]


@given(st.lists(st.integers(0, 10**6), unique=True), st.text("ab-_ é", max_size=4))
def test_numbered_names_sort_by_number(numbers: list[int], stem: str) -> None:
    names = [Path(f"{stem}{number}.jpg") for number in numbers]
    assert sorted(names, key=natural_key) == [Path(f"{stem}{number}.jpg") for number in sorted(numbers)]


@given(st.lists(st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1)))
def test_any_names_can_be_sorted(names: list[str]) -> None:
    assert len(sorted(map(Path, names), key=natural_key)) == len(names)


def test_hidden_files_and_other_files_are_left_out(images) -> None:
    folder = images("a.png", "._a.png")
    (folder / "groundtruth.txt").write_text("1,2,3,4\n")
    assert [path.name for path in images_in(folder, "x")] == ["a.png"]


def test_a_glob_over_folders_keeps_each_folder_together(images) -> None:
    folder = images("s10/1.png", "s2/2.png", "s2/10.png")
    found = images_matching(str(folder / "*" / "*.png"), "x")
    assert [str(path.relative_to(folder)) for path in found] == ["s2/2.png", "s2/10.png", "s10/1.png"]


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        open_source(str(tmp_path))
    assert str(caught.value) == (
        f"{tmp_path}: the folder has no images\n"
        "hint: images end in .bmp, .jpeg, .jpg, .pgm, .png, .ppm, .tif, .tiff, .webp"
    )


def test_a_folder_of_folders_points_to_the_one_with_images(images) -> None:
    folder = images("img/1.png")
    with pytest.raises(InputError) as caught:
        open_source(str(folder))
    assert str(caught.value) == f"{folder}: the folder has no images\nhint: did you mean `{folder}/img`?"


def test_reading_may_begin_later_and_keeps_the_images_numbers(images) -> None:
    source = open_source(str(images("0.png", "1.png", "2.png")), start=1, image_fps=20)
    assert [(read.index, read.pts_s, number_of(read.frame)) for read in source] == [(1, 0.05, 1), (2, 0.1, 2)]
    assert source.frame_count == 3
    assert source.truth is None


def test_an_unreadable_image_in_the_middle_is_named_after_those_before_it(images) -> None:
    folder = images("0.png", "1.png", "2.png")
    (folder / "1.png").write_bytes(b"not an image")
    frames = iter(open_source(str(folder)))
    assert next(frames).index == 0
    with pytest.raises(SourceLost) as caught:
        next(frames)
    assert str(caught.value) == (
        f"{folder}/1.png: frame 1 cannot be read\nhint: replace or remove the file; frames before it are fine"
    )
    assert caught.value.exit_code == 5


@pytest.mark.parametrize("content", [b"", None], ids=["empty", "gone"])
def test_an_image_that_went_away_is_a_lost_source(images, content: bytes | None) -> None:
    folder = images("0.png", "1.png")
    frames = iter(open_source(str(folder)))
    next(frames)
    (folder / "1.png").unlink()
    if content is not None:
        (folder / "1.png").write_bytes(content)
    with pytest.raises(SourceLost):
        next(frames)


def test_an_unreadable_first_image_is_bad_input(images) -> None:
    folder = images("0.png")
    (folder / "0.png").write_bytes(b"not an image")
    with pytest.raises(InputError, match="not an image that can be read"):
        open_source(str(folder))


@pytest.mark.parametrize("fps", [0.0, -1.0, float("nan")])
def test_a_frame_rate_of_images_must_be_above_zero(images, fps: float) -> None:
    with pytest.raises(InputError, match="the frame rate of images must be above 0"):
        open_source(str(images("0.png")), image_fps=fps)


def test_an_image_of_another_size_is_delivered_as_it_is(images) -> None:
    folder = images("0.png", "1.png")
    cv2.imwrite(str(folder / "1.png"), np.zeros((10, 20, 3), np.uint8))
    assert [read.frame.shape for read in open_source(str(folder))] == [(48, 64, 3), (10, 20, 3)]


def test_a_grey_image_becomes_three_channels(images) -> None:
    folder = images("0.png")
    cv2.imwrite(str(folder / "0.png"), np.full((10, 20), 77, np.uint8))
    assert (next(iter(open_source(str(folder)))).frame == 77).all()


@pytest.mark.parametrize(
    ("names", "twins"),
    [
        pytest.param(("000001.jpg", "000001.png"), "`000001.jpg` and `000001.png`", id="a mask beside a frame"),
        pytest.param(("left_1.jpg", "right_01.jpg"), "`left_1.jpg` and `right_01.jpg`", id="two cameras"),
        pytest.param(("a.jpg", "a.png"), "`a.jpg` and `a.png`", id="one name"),
    ],
)
def test_two_files_of_one_number_are_refused_by_name(images, names: tuple[str, ...], twins: str) -> None:
    folder = images(*names)
    with pytest.raises(InputError) as caught:
        open_source(str(folder))
    assert caught.value.message == f"{folder}: {twins} have one number"
    assert open_source(f"{folder}/*{names[0][-7:]}").frame_count == 1


def test_files_that_differ_in_any_number_or_have_none_are_frames(images) -> None:
    assert open_source(str(images("s1_1.png", "s1_2.png", "s2_1.png", "b.png", "a.png"))).frame_count == 5


def test_brackets_in_a_folders_name_are_no_pattern(images, tmp_path) -> None:
    images("1.png", "2.png").rename(tmp_path / "DJI [1]")
    assert open_source(f"{tmp_path}/DJI [1]/*.png").frame_count == 2
    assert open_source(f"{tmp_path}/DJI [1]/[2].png").frame_count == 1


def test_an_image_that_is_something_else_is_named(images) -> None:
    folder = images("0.png")
    (folder / "0.png").write_bytes(b"<html>not found</html>")
    with pytest.raises(InputError, match="not an image that can be read: it is a web page"):
        open_source(str(folder))


def test_a_frame_of_a_folder_names_its_file(images) -> None:
    folder = images("0.png", "1.png")
    assert [read.file for read in open_source(str(folder))] == [f"{folder}/0.png", f"{folder}/1.png"]


@pytest.mark.parametrize(
    ("names", "after"),
    [
        pytest.param(["1", "2", "3", "5", "6"], "3", id="one is missing"),
        pytest.param(["0000_ir", "0010_ir", "0020_ir", "0040_ir"], "0020_ir", id="one of every tenth"),
        pytest.param(["1", "2", "3", "4"], None, id="none"),
        pytest.param(["1", "2", "4"], None, id="too few to tell"),
        pytest.param(["1", "5", "6", "20", "31"], None, id="no usual step"),
        pytest.param(["a/1", "a/2", "a/3", "b/9", "b/10"], None, id="another folder"),
        pytest.param(["1", "2", "cover", "4", "5"], None, id="one without a number"),
        pytest.param(["1", "1", "1", "1", "5"], None, id="another number counts"),
    ],
)
def test_the_image_after_which_others_are_missing_is_found(names: list[str], after: str | None) -> None:
    assert first_gap([Path(f"{name}.png") for name in names]) == (after and Path(f"{after}.png"))
