from __future__ import annotations

import json
import tarfile
from pathlib import Path

import cv2
import numpy as np
import pytest

from eatrack_edge.core.errors import InputError
from eatrack_edge.export.clips import CLIPS_HELP, find_clips, short_name

pytestmark = pytest.mark.torch


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two sequences of images, the second without its target in the middle frame."""
    for name, boxes in (("one", ["1,2,8,9"] * 3), ("two", ["3,4,8,9", "nan,nan,nan,nan", "5,6,8,9"])):
        (tmp_path / name).mkdir()
        for index in range(3):
            cv2.imwrite(str(tmp_path / name / f"{index:04d}.png"), np.full((24, 32, 3), 40 * index, np.uint8))
        (tmp_path / f"{name}.txt").write_text("\n".join(boxes) + "\n")
    return tmp_path


def test_a_folder_of_annotated_images_is_its_sequences(folder: Path) -> None:
    one, two = find_clips(str(folder))
    assert (one.name, two.name) == ("one", "two")
    assert one.boxes.tolist() == [[1, 2, 8, 9]] * 3
    assert np.isnan(two.boxes[1]).all()
    assert [frame[0, 0, 0] for frame in one.read()] == [0, 40, 80]


def test_a_dataset_is_named_by_its_kind(folder: Path) -> None:
    assert [clip.name for clip in find_clips(f"images:{folder}")] == ["one", "two"]


def test_the_scene_knows_its_boxes_and_can_be_read_twice() -> None:
    (clip,) = find_clips("test://?frames=3&width=160&height=120")
    assert clip.boxes.shape == (3, 4)
    assert [frame.shape for frame in clip.read()] == [frame.shape for frame in clip.read()] == [(120, 160, 3)] * 3


def test_training_crops_are_clips_but_no_videos(tmp_path: Path) -> None:
    rows = []
    with tarfile.open(tmp_path / "a.tar", "w") as tar:
        for index, clip in enumerate(["car", "car", None]):
            cv2.imwrite(str(tmp_path / f"{index}.png"), np.full((16, 16, 3), index, np.uint8))
            tar.add(tmp_path / f"{index}.png", arcname=f"{index}.png")
            row = {"file": f"{index}.png", "box": [4, 4, 8, 8], "w": 16, "h": 16, "t": index}
            rows.append(json.dumps(row | ({"clip": clip} if clip else {})))
    (tmp_path / "a.jsonl").write_text("\n".join(rows) + "\n")
    (clip,) = find_clips(f"shards:{tmp_path}")
    assert (clip.name, clip.is_video, len(list(clip.read()))) == ("a/car", False, 2)


def test_a_video_without_boxes_is_refused(tmp_path: Path) -> None:
    (tmp_path / "boat.mp4").touch()
    with pytest.raises(InputError) as caught:
        find_clips(str(tmp_path / "boat.mp4"))
    assert (
        str(caught.value)
        == f"{tmp_path}/boat.mp4: expected a video with its boxes in boat.txt\nhint: give {CLIPS_HELP}"
    )


def test_what_is_not_there_is_refused() -> None:
    with pytest.raises(
        InputError, match=r"flights: no such video, folder or dataset\nhint: give a video with NAME.txt"
    ):
        find_clips("flights")


@pytest.mark.parametrize(
    ("spec", "short"),
    [
        ("shards:data/train", "shards:train"),
        ("uav_dev:data/uav-dev", "uav_dev:uav-dev"),
        ("flights/boat.mp4", "boat.mp4"),
        ("test://?seed=3", "test://?seed=3"),
    ],
)
def test_a_short_name_has_no_folders_of_this_machine(spec: str, short: str) -> None:
    assert short_name(spec) == short
