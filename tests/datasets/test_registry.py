"""Every layout on a small synthetic tree: names, frames, boxes, absence, and what is said when a file is missing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from eatrack_edge.core.errors import InputError, UsageError
from eatrack_edge.datasets.annotations import read_boxes
from eatrack_edge.datasets.frame_sets import ImageFrames, VideoFrames
from eatrack_edge.datasets.registry import DATASETS, open_dataset

BOX = "11,21,8,6\n"


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def touch_images(folder: Path, pattern: str, first: int, last: int) -> None:
    for number in range(first, last + 1):
        write(folder / (pattern % number), "")


def uav123(root: Path) -> None:
    touch_images(root / "data_seq/UAV123/bike1", "%06d.jpg", 1, 3)
    touch_images(root / "data_seq/UAV123/person8", "%06d.jpg", 1073, 1525)
    write(root / "anno/UAV123/bike1.txt", BOX + "NaN,NaN,NaN,NaN\n" + BOX)
    write(root / "anno/UAV123/person8_2.txt", BOX * 451)
    write(root / "anno/UAV123/att/bike1.txt", "1,0,0,0,0,0,0,0,0,0,0,1\n")


def uav123_10fps(root: Path) -> None:
    touch_images(root / "data_seq/UAV123_10fps/bird1", "%06d.jpg", 1, 85)
    write(root / "anno/UAV123_10fps/bird1_1.txt", BOX * 85)


def uav20l(root: Path) -> None:
    touch_images(root / "data_seq/UAV123/bird1", "%06d.jpg", 1, 4)
    write(root / "anno/UAV20L/bird1.txt", BOX * 4)


def dtb70(root: Path) -> None:
    touch_images(root / "Car6/img", "%05d.jpg", 1, 3)
    write(root / "Car6/groundtruth_rect.txt", BOX + "0,0,0,0\n" + BOX)
    write(root / "att/Car6.txt", "0,0,1,0,0,0,0,0,0,0,0\n")


def uavdt(root: Path) -> None:
    touch_images(root / "sequences/S0101", "img%06d.jpg", 1, 2)
    write(root / "anno/S0101_gt.txt", BOX * 2)
    write(root / "anno/att/S0101_att.txt", "0,0,0,1,0,0,0,0,0\n")


def visdrone2018(root: Path) -> None:
    touch_images(root / "sequences/uav0000011_00000_s", "img%07d.jpg", 1, 2)
    write(root / "annotations/uav0000011_00000_s.txt", BOX * 2)
    write(root / "attributes/uav0000011_00000_s_attr.txt", "0,0,0,0,0,0,0,1,0,0,0,0\n")


def uavtrack112(root: Path) -> None:
    touch_images(root / "V4RFlight112/data_seq/air_conditioning_box1", "%05d.jpg", 1, 2)
    write(root / "V4RFlight112/anno/air_conditioning_box1.txt", BOX * 2)


def uavtrack112_l(root: Path) -> None:
    touch_images(root / "data_seq/bike1", "%05d.jpg", 1, 2)
    write(root / "anno_l/bike1.txt", BOX * 2)


def otb100(root: Path) -> None:
    touch_images(root / "Jogging/img", "%04d.jpg", 1, 2)
    write(root / "Jogging/groundtruth_rect.1.txt", BOX.replace(",", "\t") * 2)
    write(root / "Jogging/groundtruth_rect.2.txt", BOX.replace(",", " ") * 2)
    touch_images(root / "Tiger1/img", "%04d.jpg", 1, 8)
    write(root / "Tiger1/groundtruth_rect.txt", BOX * 8)
    touch_images(root / "David/img", "%04d.jpg", 298, 770)
    write(root / "David/groundtruth_rect.txt", BOX * 471)


def lasot(root: Path) -> None:
    folder = root / "airplane/airplane-1"
    touch_images(folder / "img", "%08d.jpg", 1, 3)
    write(folder / "groundtruth.txt", BOX * 3)
    write(folder / "full_occlusion.txt", "0,1,0")
    write(folder / "out_of_view.txt", "0,0,1")


def got10k(root: Path) -> None:
    folder = root / "val/GOT-10k_Val_000001"
    write(root / "val/list.txt", "GOT-10k_Val_000001\n")
    touch_images(folder, "%08d.jpg", 1, 3)
    write(folder / "groundtruth.txt", BOX * 3)
    write(folder / "cover.label", "8\n0\n3\n")
    write(folder / "meta_info.ini", "[METAINFO]\nurl: https://example.org/%20\nresolution: (1920, 1080)\n")


def videos(root: Path) -> None:
    write(root / "boat.mp4", "")
    write(root / "boat.txt", BOX + "nan,nan,nan,nan\n")
    write(root / "unlabelled.mp4", "")


def images(root: Path) -> None:
    touch_images(root / "boat", "%03d.png", 0, 1)
    write(root / "boat.txt", BOX * 2)
    touch_images(root / "car", "%03d.png", 0, 1)
    write(root / "car/groundtruth.txt", BOX * 2)


LAYOUTS: dict[str, tuple[Callable[[Path], None], list[str]]] = {
    "uav123": (uav123, ["bike1", "person8_2"]),
    "uav123_10fps": (uav123_10fps, ["bird1_1"]),
    "uav20l": (uav20l, ["bird1"]),
    "dtb70": (dtb70, ["Car6"]),
    "uavdt": (uavdt, ["S0101"]),
    "visdrone2018": (visdrone2018, ["uav0000011_00000_s"]),
    "uavtrack112": (uavtrack112, ["air_conditioning_box1"]),
    "uavtrack112_l": (uavtrack112_l, ["bike1"]),
    "otb100": (otb100, ["David", "Jogging-1", "Jogging-2", "Tiger1"]),
    "lasot": (lasot, ["airplane-1"]),
    "got10k": (got10k, ["GOT-10k_Val_000001"]),
    "videos": (videos, ["boat"]),
    "images": (images, ["boat", "car"]),
}


ON_DISK = [kind for kind in DATASETS.names() if kind != "scenes"]  # scenes are drawn


@pytest.mark.parametrize("kind", ON_DISK)
def test_a_layout_yields_its_sequences_with_as_many_frames_as_boxes(kind: str, tmp_path: Path) -> None:
    build, names = LAYOUTS[kind]
    build(tmp_path)
    dataset = open_dataset(kind, tmp_path)
    assert dataset.names == names
    for sequence in dataset:
        assert isinstance(sequence.frames, ImageFrames | VideoFrames)
        if isinstance(sequence.frames, ImageFrames):
            assert len(sequence.frames.paths) == len(sequence)
        assert sequence.dataset == kind


@pytest.mark.parametrize("kind", ON_DISK)
def test_boxes_start_at_pixel_0_whatever_the_publisher_counts_from(kind: str, tmp_path: Path) -> None:
    build, names = LAYOUTS[kind]
    build(tmp_path)
    sequence = open_dataset(kind, tmp_path, first_pixel=1).read(names[0])
    assert sequence.first_box == (10.0, 20.0, 8.0, 6.0)
    assert sequence.boxes[0].tolist() == [10, 20, 8, 6]
    assert sequence.truth[0].tolist() == [11, 21, 8, 6]


@pytest.mark.parametrize("kind", ON_DISK)
def test_an_empty_folder_is_refused_with_what_was_expected_where(kind: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=f"expected (a folder|an annotation|a list of sequences) at {tmp_path}"):
        open_dataset(kind, tmp_path)


@pytest.mark.parametrize(
    ("kind", "name", "absent"),
    [
        pytest.param("uav123", "bike1", [0, 1, 0], id="uav123: a row of NaN"),
        pytest.param("dtb70", "Car6", [0, 1, 0], id="dtb70: a row of zeros"),
        pytest.param("lasot", "airplane-1", [0, 1, 1], id="lasot: either flag file"),
        pytest.param("got10k", "GOT-10k_Val_000001", [0, 1, 0], id="got10k: cover 0"),
        pytest.param("videos", "boat", [0, 1], id="plain: a row of nan"),
    ],
)
def test_an_absent_target_is_known_in_every_way_to_say_it(
    kind: str, name: str, absent: list[int], tmp_path: Path
) -> None:
    LAYOUTS[kind][0](tmp_path)
    sequence = open_dataset(kind, tmp_path).read(name)
    assert sequence.absent.tolist() == [bool(value) for value in absent]
    assert np.isnan(sequence.boxes).all(axis=1).tolist() == sequence.absent.tolist()


@pytest.mark.parametrize(
    ("kind", "name", "attributes"),
    [
        ("uav123", "bike1", ("scale variation", "similar object")),
        ("dtb70", "Car6", ("occlusion",)),
        ("uavdt", "S0101", ("small object",)),
        ("visdrone2018", "uav0000011_00000_s", ("background clutter",)),
        ("uav123", "person8_2", ()),
    ],
)
def test_attribute_flags_become_words(kind: str, name: str, attributes: tuple[str, ...], tmp_path: Path) -> None:
    LAYOUTS[kind][0](tmp_path)
    assert open_dataset(kind, tmp_path).read(name).attributes == attributes


@pytest.mark.parametrize(
    ("kind", "name", "first", "last"),
    [
        ("uav123", "person8_2", "001075.jpg", "001525.jpg"),
        ("uav123_10fps", "bird1_1", "000001.jpg", "000085.jpg"),
        ("otb100", "David", "0300.jpg", "0770.jpg"),
        ("otb100", "Tiger1", "0006.jpg", "0008.jpg"),
    ],
)
def test_a_split_sequence_takes_its_own_frames(kind: str, name: str, first: str, last: str, tmp_path: Path) -> None:
    LAYOUTS[kind][0](tmp_path)
    frames = open_dataset(kind, tmp_path).read(name).frames
    assert isinstance(frames, ImageFrames)
    assert (frames.paths[0].name, frames.paths[-1].name) == (first, last)


def test_got10k_tells_the_frame_size(tmp_path: Path) -> None:
    got10k(tmp_path)
    assert open_dataset("got10k", tmp_path).read("GOT-10k_Val_000001").frame_size == (1920, 1080)


def test_got10ks_test_split_has_one_box_and_no_truth_to_score(tmp_path: Path) -> None:
    got10k(tmp_path)
    write(tmp_path / "val/GOT-10k_Val_000001/groundtruth.txt", BOX)
    (tmp_path / "val/GOT-10k_Val_000001/cover.label").unlink()
    sequence = open_dataset("got10k", tmp_path / "val").read("GOT-10k_Val_000001")
    assert (len(sequence), sequence.is_truth_known, sequence.first_box) == (3, False, (10.0, 20.0, 8.0, 6.0))


def test_frames_that_do_not_match_the_boxes_are_refused(tmp_path: Path) -> None:
    uavdt(tmp_path)
    write(tmp_path / "anno/S0101_gt.txt", BOX * 3)
    with pytest.raises(InputError) as caught:
        open_dataset("uavdt", tmp_path).read("S0101")
    assert caught.value.message == "uavdt/S0101: 2 frames but 3 true boxes"


def test_a_missing_frame_of_a_range_is_named(tmp_path: Path) -> None:
    uav123(tmp_path)
    folder = tmp_path / "data_seq/UAV123/person8"
    (folder / "001100.jpg").unlink()
    with pytest.raises(InputError) as caught:
        open_dataset("uav123", tmp_path).read("person8_2")
    assert caught.value.message == f"expected frames 1075 to 1525 in {folder}, frame 1100 is missing"


def test_a_missing_image_folder_is_named(tmp_path: Path) -> None:
    dtb70(tmp_path)
    (tmp_path / "Car6/img").rename(tmp_path / "Car6/images")
    with pytest.raises(InputError) as caught:
        open_dataset("dtb70", tmp_path).read("Car6")
    assert caught.value.message == f"expected a folder of frames at {tmp_path / 'Car6/img'}"


def test_a_missing_flag_file_is_named(tmp_path: Path) -> None:
    lasot(tmp_path)
    (tmp_path / "airplane/airplane-1/out_of_view.txt").unlink()
    with pytest.raises(InputError, match=r"expected a file at .*airplane-1/out_of_view.txt"):
        open_dataset("lasot", tmp_path).read("airplane-1")


def test_a_sequence_that_starts_without_a_target_is_refused(tmp_path: Path) -> None:
    videos(tmp_path)
    write(tmp_path / "boat.txt", "nan,nan,nan,nan\n" + BOX)
    with pytest.raises(InputError, match="videos/boat: the first frame has no true box to start from"):
        open_dataset("videos", tmp_path).read("boat")


def test_a_wrong_number_of_attribute_flags_is_refused(tmp_path: Path) -> None:
    uav123(tmp_path)
    write(tmp_path / "anno/UAV123/att/bike1.txt", "1,0,0\n")
    with pytest.raises(InputError, match=r"bike1.txt: 3 attribute flags, expected 12"):
        open_dataset("uav123", tmp_path).read("bike1")


def test_an_unknown_kind_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        open_dataset("vot2022", tmp_path)
    assert str(caught.value).startswith("no dataset called `vot2022`\nhint: known datasets: uav123, ")
    with pytest.raises(UsageError, match="no dataset called `uav124`\nhint: did you mean `uav123`"):
        open_dataset("uav124", tmp_path)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        open_dataset("dtb70", tmp_path / "DTB70")
    assert caught.value.message == f"expected the dtb70 dataset at {tmp_path / 'DTB70'}, there is no such folder"


def test_an_unknown_sequence_is_refused(tmp_path: Path) -> None:
    images(tmp_path)
    with pytest.raises(InputError, match="images has no sequence `bike`"):
        open_dataset("images", tmp_path).read("bike")


@pytest.mark.parametrize("text", ["1,2,3,4\n1,2,three,4\n", "1,2,3,4\n1,2,3,4,5,6,7,8\n"])
def test_a_line_that_is_no_box_is_named(text: str, tmp_path: Path) -> None:
    images(tmp_path)
    write(tmp_path / "boat.txt", text)
    with pytest.raises(InputError, match=r"boat.txt:2: expected four numbers x,y,w,h, got `1 2 "):
        open_dataset("images", tmp_path).read("boat")


def test_an_empty_annotation_is_refused(tmp_path: Path) -> None:
    images(tmp_path)
    write(tmp_path / "boat.txt", "\n")
    with pytest.raises(InputError, match=r"boat.txt: no boxes in the file"):
        open_dataset("images", tmp_path).read("boat")


@pytest.mark.parametrize(
    "content",
    [
        pytest.param("1,2,3,4\r\n5,6,7,8\r\n".encode("utf-8-sig"), id="of Windows"),
        pytest.param("1,2,3,4\r\n5,6,7,8\r\n".encode("utf-16"), id="of PowerShell"),
        pytest.param(b"1;2;3;4\r5;6;7;8", id="semicolons and returns"),
        pytest.param(b"1\t2\t3\t4\n5 ,6 ,  7,8,\n\n \n", id="tabs, blanks and an empty end"),
    ],
)
def test_boxes_are_read_however_they_are_separated(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(content)
    assert read_boxes(tmp_path / "a.txt").tolist() == [[1, 2, 3, 4], [5, 6, 7, 8]]


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        pytest.param(
            "0.25,0.5,0.1,0.1\nnan,nan,nan,nan\n1,0.5,0.2,0.1\n",
            "images/boat: all boxes are smaller than a pixel, such as [0.25, 0.5, 0.1, 0.1]",
            id="fractions",
        ),
        pytest.param(BOX + "1,2,inf,4\n" + BOX, "images/boat: a box is infinite", id="infinite"),
    ],
)
def test_boxes_that_are_not_in_pixels_are_refused(rows: str, message: str, tmp_path: Path) -> None:
    touch_images(tmp_path / "boat", "%d.jpg", 1, 3)
    write(tmp_path / "boat.txt", rows)
    with pytest.raises(InputError) as caught:
        open_dataset("images", tmp_path).read("boat")
    assert caught.value.message == message
