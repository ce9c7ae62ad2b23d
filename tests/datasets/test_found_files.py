"""Folders as people have them: notes of other programs, masks beside frames, numbers anywhere in a name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from datasets.test_registry import LAYOUTS, dtb70, got10k, images, lasot, touch_images, uav123, videos, write
from eatrack_edge.core.errors import InputError
from eatrack_edge.datasets.frame_sets import ImageFrames
from eatrack_edge.datasets.registry import open_dataset
from eatrack_edge.datasets.sequence import numbered_images

FINDER = b"\0\5\x16\7\0\2\0\0Mac OS X        "


@pytest.mark.parametrize("kind", LAYOUTS)
def test_files_that_begin_with_a_dot_are_ignored_in_every_layout(kind: str, tmp_path: Path) -> None:
    LAYOUTS[kind][0](tmp_path)
    names = open_dataset(kind, tmp_path).names
    for path in [path for path in tmp_path.rglob("*") if path.is_file()]:
        path.with_name(f"._{path.name}").write_bytes(FINDER)
    for folder in [path for path in tmp_path.rglob("*") if path.is_dir()]:
        (folder / ".DS_Store").write_bytes(FINDER)
        write(folder / ".ipynb_checkpoints/groundtruth.txt", "1,2,3,4\n")
        write(folder / ".ipynb_checkpoints/groundtruth_rect.txt", "1,2,3,4\n")
    dataset = open_dataset(kind, tmp_path)
    assert dataset.names == names
    for sequence in dataset:
        if isinstance(sequence.frames, ImageFrames):
            assert len(sequence.frames.paths) == len(sequence)


@pytest.mark.parametrize(
    "names",
    [
        pytest.param(["000001_rgb.jpg", "000002_rgb.jpg", "000010_rgb.jpg"], id="number first"),
        pytest.param(["left1_rgb.png", "left2_rgb.png", "left10_rgb.png"], id="number in the middle"),
        pytest.param(["00001v.jpg", "00002v.jpg", "00010v.jpg"], id="VOT-RGBT"),
        pytest.param(["1_640x480.jpg", "2_640x480.jpg", "10_640x480.jpg"], id="a width at the end"),
        pytest.param(["cam2_0001.ppm", "cam2_0002.ppm", "cam2_0010.pgm"], id="a camera, and portable pixmaps"),
        pytest.param(["1.JPG", "2.JPG", "10.JPG", "cover.jpg"], id="a picture without a number"),
    ],
)
def test_the_number_of_a_frame_is_found_wherever_it_is(names: list[str], tmp_path: Path) -> None:
    for name in names:
        (tmp_path / name).touch()
    assert [path.name for path in numbered_images(tmp_path).values()] == names[:3]
    assert list(numbered_images(tmp_path)) == [1, 2, 10]


@pytest.mark.parametrize(
    ("names", "pair"),
    [
        pytest.param(["000001.jpg", "000001.png", "000002.jpg"], "1: 000001.jpg and 000001.png", id="a mask"),
        pytest.param(["left_01.jpg", "right_01.jpg"], "1: left_01.jpg and right_01.jpg", id="two cameras"),
        pytest.param(["1.jpg", "01.jpg"], "1: 01.jpg and 1.jpg", id="two spellings"),
        pytest.param(["7_rgb.jpg", "7_depth.png"], "7: 7_depth.png and 7_rgb.jpg", id="depth"),
    ],
)
def test_two_frames_of_one_number_are_an_error_that_names_both(names: list[str], pair: str, tmp_path: Path) -> None:
    for name in names:
        (tmp_path / name).touch()
    with pytest.raises(InputError) as caught:
        numbered_images(tmp_path)
    assert caught.value.message == f"{tmp_path}: two frames are numbered {pair}"


def test_two_videos_of_one_name_are_an_error_of_that_sequence_alone(tmp_path: Path) -> None:
    videos(tmp_path)
    write(tmp_path / "car.mp4", "")
    write(tmp_path / "car.avi", "")
    write(tmp_path / "car.txt", "1,2,3,4\n")
    dataset = open_dataset("videos", tmp_path)
    assert dataset.read("boat").name == "boat"
    with pytest.raises(InputError, match=r"two videos of one name: .*car\.avi and car\.mp4"):
        dataset.read("car")


def test_videos_and_folders_of_images_without_an_annotation_are_known(tmp_path: Path) -> None:
    for name in ("boat", "car"):
        (tmp_path / f"{name}.mp4").touch()
        (tmp_path / "d" / name / "img").mkdir(parents=True)
        (tmp_path / "d" / name / "img" / "1.jpg").touch()
    (tmp_path / "d" / "plots").mkdir()
    for folder in (tmp_path, tmp_path / "d"):
        (folder / "boat.txt").write_text("1,2,3,4\n")
    for kind, root in (("videos", tmp_path), ("images", tmp_path / "d")):
        found = open_dataset(kind, root)
        assert (found.names, found.unannotated) == (["boat"], ("car",))
        assert found.with_frame_stride(2).unannotated == ("car",)


def test_the_colour_frames_of_vot_are_found(tmp_path: Path) -> None:
    touch_images(tmp_path / "bag/color", "%08d.jpg", 1, 3)
    touch_images(tmp_path / "bag/depth", "%08d.png", 1, 3)
    write(tmp_path / "bag/groundtruth.txt", "11,21,8,6\n" * 3)
    frames = open_dataset("images", tmp_path).read("bag").frames
    assert isinstance(frames, ImageFrames)
    assert frames.paths[0] == tmp_path / "bag/color/00000001.jpg"


def other_length(root: Path) -> Path:
    lasot(root)
    path = root / "airplane/airplane-1/out_of_view.txt"
    path.write_text("0,0")
    return path


def no_flags(root: Path) -> Path:
    got10k(root)
    path = root / "val/GOT-10k_Val_000001/cover.label"
    path.write_text("8\n")
    return path


def binary_flags(root: Path) -> Path:
    dtb70(root)
    path = root / "att/Car6.txt"
    path.write_bytes(b"\xff\xfe\0")
    return path


def binary_settings(root: Path) -> Path:
    got10k(root)
    path = root / "val/GOT-10k_Val_000001/meta_info.ini"
    path.write_bytes(b"\xff\xfe\0")
    return path


def settings_without_section(root: Path) -> Path:
    got10k(root)
    path = root / "val/GOT-10k_Val_000001/meta_info.ini"
    path.write_text("resolution: (1920, 1080)\n")
    return path


def words_as_flags(root: Path) -> Path:
    uav123(root)
    path = root / "anno/UAV123/att/bike1.txt"
    path.write_text("none\n")
    return path


@pytest.mark.parametrize(
    ("break_file", "kind", "name"),
    [
        (other_length, "lasot", "airplane-1"),
        (no_flags, "got10k", "GOT-10k_Val_000001"),
        (binary_settings, "got10k", "GOT-10k_Val_000001"),
        (settings_without_section, "got10k", "GOT-10k_Val_000001"),
        (binary_flags, "dtb70", "Car6"),
        (words_as_flags, "uav123", "bike1"),
    ],
)
def test_a_broken_file_beside_the_boxes_is_an_error_of_its_sequence(
    break_file: Callable[[Path], Path], kind: str, name: str, tmp_path: Path
) -> None:
    break_file(tmp_path)
    with pytest.raises(InputError):
        open_dataset(kind, tmp_path).read(name)


def test_names_that_the_system_allows_are_names_of_sequences(tmp_path: Path) -> None:
    images(tmp_path)
    for name in ("12:30:00", "a,b;c", "DJI [1]", "two words", "ünï", "*"):
        (tmp_path / "boat").rename(tmp_path / name)
        (tmp_path / "boat.txt").rename(tmp_path / f"{name}.txt")
        assert name in open_dataset("images", tmp_path).names
        assert len(open_dataset("images", tmp_path).read(name)) == 2
        (tmp_path / name).rename(tmp_path / "boat")
        (tmp_path / f"{name}.txt").rename(tmp_path / "boat.txt")
