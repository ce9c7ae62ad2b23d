from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from eatrack_edge.core.errors import ConfigError, InputError
from eatrack_edge.train.pool import Pool
from eatrack_edge.train.recipe import DataRecipe, SetRecipe
from eatrack_edge.train.run import open_data
from eatrack_edge.train.sequence_pool import SequencePool, read_tracks
from eatrack_edge.train.synthetic_pool import SyntheticPool

pytestmark = pytest.mark.torch
BOXES = [(40.0, 30.0, 20.0, 16.0), (44.0, 31.0, 20.0, 16.0), (48.0, 32.0, 21.0, 16.0)]


def write_frames(folder: Path, first: int, digits: int) -> None:
    folder.mkdir(parents=True)
    for place, (x, y, w, h) in enumerate(BOXES):
        frame = np.full((240, 320, 3), 80, np.uint8)
        cv2.rectangle(frame, (int(x), int(y)), (int(x + w) - 1, int(y + h) - 1), (250, 250, 250), -1)
        cv2.imwrite(str(folder / f"{place + first:0{digits}d}.jpg"), frame, [cv2.IMWRITE_JPEG_QUALITY, 98])


def write_boxes(path: Path, first_pixel: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    rows = [f"{x + first_pixel:g},{y + first_pixel:g},{w:g},{h:g}" for x, y, w, h in BOXES]
    path.write_text("\n".join(rows) + "\n")


def got10k(root: Path) -> Path:
    write_frames(root / "GOT_1", 1, 8)
    write_boxes(root / "GOT_1" / "groundtruth.txt", 1)
    (root / "list.txt").write_text("GOT_1\n")
    return root


def lasot(root: Path) -> Path:
    write_frames(root / "car" / "car-1" / "img", 1, 8)
    write_boxes(root / "car" / "car-1" / "groundtruth.txt", 1)
    for name in ("full_occlusion", "out_of_view"):
        (root / "car" / "car-1" / f"{name}.txt").write_text("0,0,0\n")
    return root


def trackingnet(root: Path) -> Path:
    write_frames(root / "TRAIN_0" / "frames" / "abc", 0, 1)
    write_boxes(root / "TRAIN_0" / "anno" / "abc.txt", 0)
    return root


def coco(root: Path) -> Path:
    write_frames(root / "train2017", 1, 12)
    (root / "annotations").mkdir()
    table = {
        "images": [{"id": n, "file_name": f"{n:012d}.jpg"} for n in (1, 2, 3)],
        "annotations": [
            *({"image_id": n, "bbox": list(box), "iscrowd": 0} for n, box in enumerate(BOXES, start=1)),
            {"image_id": 1, "bbox": [0, 0, 200, 200], "iscrowd": 1},
            {"image_id": 1, "bbox": [0, 0, 2, 2], "iscrowd": 0},
        ],
    }
    (root / "annotations" / "instances_train2017.json").write_text(json.dumps(table))
    return root


WRITERS = {"got10k": got10k, "lasot": lasot, "trackingnet": trackingnet, "coco": coco}


@pytest.mark.parametrize("layout", WRITERS)
def test_boxes_of_every_layout_lie_on_the_target(layout: str, tmp_path: Path) -> None:
    tracks = read_tracks(layout, WRITERS[layout](tmp_path))
    assert len(tracks) == (3 if layout == "coco" else 1)
    pool: Pool = SequencePool(tracks)
    first, _, search, is_still = pool.draw(np.random.default_rng(0))
    assert is_still == (layout == "coco")
    for sighting in (first, search):
        x, y, w, h = (round(value) for value in sighting.box)
        assert sighting.picture[y : y + h, x : x + w].mean() > 240
        assert sighting.picture.shape[1] < 320  # only the part about the target is kept
        assert sighting.picture.mean() < 120


@pytest.mark.parametrize(
    ("layout", "message"),
    [
        ("got10k", "expected a list of sequences at"),
        ("lasot", "expected an annotation at"),
        ("trackingnet", "expected annotations at"),
        ("coco", "expected an annotation at"),
    ],
)
def test_a_folder_of_another_layout_is_refused(layout: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=message):
        read_tracks(layout, tmp_path)


def test_frames_and_boxes_that_differ_in_number_are_refused(tmp_path: Path) -> None:
    trackingnet(tmp_path)
    (tmp_path / "TRAIN_0" / "anno" / "abc.txt").write_text("1,2,3,4\n")
    with pytest.raises(InputError, match="trackingnet/abc: 3 frames but 1 true boxes"):
        read_tracks("trackingnet", tmp_path)


def test_an_unknown_layout_and_a_missing_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="unknown layout `vot`") as caught:
        read_tracks("vot", tmp_path)
    assert caught.value.hint.startswith("known layouts: shards, synthetic, got10k")
    with pytest.raises(ConfigError, match="unknown layout `shard`\nhint: did you mean `shards`"):
        read_tracks("shard", tmp_path)
    with pytest.raises(InputError, match="there is no such folder"):
        read_tracks("coco", tmp_path / "nowhere")


def test_a_frame_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    tracks = read_tracks("trackingnet", trackingnet(tmp_path))
    (tmp_path / "TRAIN_0" / "frames" / "abc" / "1.jpg").write_bytes(b"no picture")
    with pytest.raises(InputError, match=r"1\.jpg: cannot be read as a picture"):
        tracks[0].sighting(1)


def test_sets_of_several_layouts_are_mixed_and_tracks_are_held_out(tmp_path: Path) -> None:
    sets = (SetRecipe(str(coco(tmp_path / "coco")), "coco"), SetRecipe(str(got10k(tmp_path / "got")), "got10k"))
    train, held_out = open_data(DataRecipe(sets=sets, held_out_every_track=2))
    rng = np.random.default_rng(0)
    kinds = [train.draw(rng).is_still for _ in range(40)]
    assert 8 < sum(kinds) < 32
    assert held_out is not None
    assert held_out.draw(rng).is_still  # COCO's second; GOT-10k has only one, which is kept


def test_only_shards_have_sources(tmp_path: Path) -> None:
    from eatrack_edge.train.recipe import SourceRecipe

    data = DataRecipe(sets=(SetRecipe(str(tmp_path), "coco", sources=(SourceRecipe("cars", 1.0),)),))
    with pytest.raises(ConfigError, match="only `shards` have sources"):
        open_data(data)


def test_synthetic_videos_give_their_true_boxes() -> None:
    pool: Pool = SyntheticPool("test://?seed=2&frames=12&width=160&height=120", clips=1)
    first, _, search, is_still = pool.draw(np.random.default_rng(0))
    assert not is_still
    assert first.picture.shape == search.picture.shape == (120, 160, 3)
    assert min(search.box[2:]) > 2


def test_targets_of_one_photograph_or_video_are_one_scene(tmp_path: Path) -> None:
    root = coco(tmp_path / "coco")
    listed = root / "annotations" / "instances_train2017.json"
    table = json.loads(listed.read_text())
    table["annotations"].append({"image_id": 1, "bbox": [90, 90, 30, 30], "iscrowd": 0})
    listed.write_text(json.dumps(table))
    tracks = read_tracks("coco", root)
    assert len(tracks) == 4
    assert len({track.scene for track in tracks}) == 3
    videos = tmp_path / "trackingnet"
    for name in ("aB-1_0", "aB-1_1", "x_y"):
        write_frames(videos / "TRAIN_0" / "frames" / name, 0, 1)
        write_boxes(videos / "TRAIN_0" / "anno" / f"{name}.txt", 0)
    found = read_tracks("trackingnet", videos)
    assert [track.scene for track in found] == ["trackingnet/aB-1", "trackingnet/aB-1", "trackingnet/x_y"]
    pool, rng = SequencePool(found[:2]), np.random.default_rng(0)
    assert pool.draw_other(pool.draw(rng).search, rng) is None
    other = SequencePool(found).draw_other(pool.draw(rng).search, rng)
    assert other is not None
    assert other.name == "trackingnet/x_y"
