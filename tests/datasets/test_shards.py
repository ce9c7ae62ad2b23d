from __future__ import annotations

import io
import tarfile
from pathlib import Path

import cv2
import numpy as np
import pytest

from eatrack_edge.core.errors import InputError
from eatrack_edge.datasets.shards import read_shards


def write(folder: Path, lines: str, names: tuple[str, ...] = ("0.png",), data: bytes | None = None) -> None:
    if data is None:
        data = cv2.imencode(".png", np.full((8, 10, 3), 7, np.uint8))[1].tobytes()
    with tarfile.open(folder / "cars.tar", "w") as tar:
        for name in names:
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    (folder / "cars.jsonl").write_text(lines)


def test_pictures_of_a_clip_become_one_target_in_order_of_time(tmp_path: Path) -> None:
    lines = (
        '{"file": "b.png", "box": [1, 2, 3, 4], "clip": "x", "t": 5}\n'
        '{"file": "a.png", "box": [2, 2, 3, 4], "clip": "x", "t": 1}\n'
        '{"file": "c.png", "box": [0, 0, 3, 4], "label": "car"}\n'
    )
    write(tmp_path, lines, ("a.png", "b.png", "c.png"))
    clip, still = read_shards(tmp_path)
    assert (clip.source, clip.clip, [crop.time for crop in clip.crops]) == ("cars", "x", [1, 5])
    assert (still.clip, still.label, still.crops[0].box) == ("", "car", (0, 0, 3, 4))
    assert still.crops[0].picture().shape == (8, 10, 3)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ('{"file": "9.png", "box": [0, 0, 1, 1]}\n', "cars.jsonl:1: `9.png` is not in cars.tar"),
        ('{"file": "0.png", "box": [0, 0, 1]}\n', "cars.jsonl:1: a line needs `file` and `box` of four numbers"),
        ('{"file": "0.png", "box": [0, 0, 0, 1]}\n', "cars.jsonl:1: empty box: w=0, h=1"),
        ("nonsense\n", "cars.jsonl:1: not a line of JSON"),
    ],
    ids=["missing picture", "short box", "empty box", "no JSON"],
)
def test_a_bad_line_is_named(tmp_path: Path, lines: str, message: str) -> None:
    write(tmp_path, lines)
    with pytest.raises(InputError) as caught:
        read_shards(tmp_path)
    assert message in caught.value.message


def test_a_folder_without_shards_says_what_a_shard_is(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no training shards") as caught:
        read_shards(tmp_path)
    assert caught.value.hint == "a shard is <source>.tar with pictures beside <source>.jsonl with one line a picture"


def test_a_list_without_its_tar_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "")
    (tmp_path / "cars.tar").unlink()
    with pytest.raises(InputError, match=r"cars\.tar: no such shard"):
        read_shards(tmp_path)


def test_a_broken_tar_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "")
    (tmp_path / "cars.tar").write_bytes(b"no tar" * 200)
    with pytest.raises(InputError, match="cannot be read as a tar file"):
        read_shards(tmp_path)


def test_bytes_that_are_no_picture_are_refused_when_used(tmp_path: Path) -> None:
    write(tmp_path, '{"file": "0.png", "box": [0, 0, 1, 1]}\n', data=b"no picture")
    with pytest.raises(InputError, match=r"cars/0\.png: cannot be read as a picture"):
        read_shards(tmp_path)[0].crops[0].picture()
