from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from eatrack_edge.core.errors import ConfigError, InputError
from eatrack_edge.datasets.frame_sets import ImageFrames, SplicedFrames
from eatrack_edge.datasets.registry import open_dataset
from eatrack_edge.datasets.sequence import Dataset, Sequence
from eatrack_edge.datasets.spliced import Splice, spliced
from eatrack_edge.evaluation.frame_reading import open_frames, read_frame

# At 30 frames a second: 0.2 s is 6 frames, and the 1.5 s before and after it are 45 each.
LONG, SHORT = 110, 60
SHADES = {"boat": 0, "car": 1, "kite": 2}


def write(root: Path, name: str, frames: int, size: tuple[int, int] = (24, 16), gone: range = range(0)) -> None:
    """Frames that show their own number as a shade of blue, and their video as a shade of green."""
    (root / name).mkdir(parents=True)
    for number in range(frames):
        frame = np.zeros((size[1], size[0], 3), np.uint8)
        frame[..., 0], frame[..., 1] = number, 50 * SHADES.get(name, 3)
        cv2.imwrite(str(root / name / f"{number:04d}.png"), frame)
    rows = ["nan,nan,nan,nan" if number in gone else f"{number / 10},2,6,6" for number in range(frames)]
    (root / f"{name}.txt").write_text("\n".join(rows) + "\n")


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    root = tmp_path_factory.mktemp("spliced")
    write(root, "boat", LONG)
    write(root, "car", LONG, size=(48, 16))
    write(root, "kite", SHORT)
    return open_dataset("images", root)


@pytest.fixture(scope="module")
def clips(dataset: Dataset) -> dict[str, Sequence]:
    return {clip.name: clip for clip in spliced(dataset, Splice(seconds=0.2, cases=2))[0]}


def parts_of(clip: Sequence) -> SplicedFrames:
    assert isinstance(clip.frames, SplicedFrames)
    return clip.frames


def test_every_sequence_that_is_long_enough_gives_as_many_clips_as_asked_for(dataset: Dataset) -> None:
    found, too_short = spliced(dataset, Splice(seconds=0.2, cases=2))
    assert found.names == ["boat-splice-1", "boat-splice-2", "car-splice-1", "car-splice-2"]
    assert too_short == ["kite"]
    assert found.kind == "images-spliced-0.2s"


def test_the_target_is_absent_exactly_while_the_other_clip_is_shown(clips: dict[str, Sequence]) -> None:
    for clip in clips.values():
        parts = parts_of(clip)
        before, during = parts.begin, parts.splice.count
        assert np.flatnonzero(clip.absent).tolist() == list(range(before, before + during))
        assert during == 6
        assert min(before, len(clip) - parts.end) >= 45
        assert len(clip) == parts.tracked.count


def test_frames_and_boxes_are_those_of_the_tracked_clip_and_go_on_where_it_would_be(clips: dict[str, Sequence]) -> None:
    clip = clips["boat-splice-2"]
    parts = parts_of(clip)
    with open_frames(clip) as frames:
        shown = [frame[0, 0] for frame in frames]
    assert len(shown) == len(clip)
    for index, (blue, green, _) in enumerate(np.array(shown).tolist()):
        if clip.absent[index]:
            assert blue == parts.splice.first + index - parts.begin
            assert green > 0, "another video"
        else:
            assert (blue, green) == (parts.tracked.first + index, 0)
            assert clip.truth[index, 0] == pytest.approx(blue / 10)


def test_the_other_clip_is_scaled_to_the_size_of_the_tracked_one(clips: dict[str, Sequence]) -> None:
    for clip in clips.values():
        with open_frames(clip) as frames:
            assert len({frame.shape for frame in frames}) == 1


def test_one_frame_of_a_spliced_clip_can_be_read_alone(clips: dict[str, Sequence]) -> None:
    clip = clips["car-splice-1"]
    with open_frames(clip) as frames:
        shown = list(frames)
    for index in (0, int(np.argmax(clip.absent)), len(clip) - 1):
        np.testing.assert_array_equal(read_frame(clip, index), shown[index])
    with pytest.raises(InputError, match=f"frame {len(clip)} cannot be read"):
        read_frame(clip, len(clip))


def splices(dataset: Dataset, seed: int, cases: int = 2) -> list[tuple[str, int, int]]:
    found = []
    for clip in spliced(dataset, Splice(seconds=0.2, cases=cases, seed=seed))[0]:
        parts = parts_of(clip)
        assert isinstance(parts.splice.frames, ImageFrames)
        found.append((parts.splice.frames.paths[0].parent.name, parts.splice.first, parts.tracked.first + parts.begin))
    return found


def test_a_seed_always_gives_the_same_splices_and_another_seed_gives_others(dataset: Dataset) -> None:
    assert splices(dataset, 0) == splices(dataset, 0)
    assert splices(dataset, 0) != splices(dataset, 1)


def test_more_cases_keep_the_first_ones_so_that_their_tracks_are_reused(dataset: Dataset) -> None:
    few, many = splices(dataset, 0, cases=2), splices(dataset, 0, cases=4)
    assert [many[place] for place in (0, 1, 4, 5)] == few
    assert len(set(many)) == 8


def test_a_splice_never_begins_or_ends_where_the_target_is_absent(tmp_path: Path) -> None:
    write(tmp_path, "boat", LONG, gone=range(46, 58))
    write(tmp_path, "car", SHORT)
    for seed in range(20):
        for clip in spliced(open_dataset("images", tmp_path), Splice(seconds=0.2, seed=seed))[0]:
            before, during = parts_of(clip).begin, parts_of(clip).splice.count
            assert not clip.absent[[0, before - 1, before + during]].any()


@pytest.mark.parametrize(("one", "other"), [("group_1", "group_2"), ("group_1", "uav_group_2"), ("boat", "my_boat")])
def test_two_parts_of_one_video_are_not_spliced_into_each_other(tmp_path: Path, one: str, other: str) -> None:
    write(tmp_path, one, LONG)
    write(tmp_path, other, LONG)
    with pytest.raises(InputError, match=r"no sequence of images can be spliced with 0\.2 s of another"):
        spliced(open_dataset("images", tmp_path), Splice(seconds=0.2))


def test_a_sequence_that_cannot_be_read_stays_in_to_be_reported(tmp_path: Path) -> None:
    write(tmp_path, "boat", LONG)
    write(tmp_path, "car", LONG)
    write(tmp_path, "kite", SHORT)
    (tmp_path / "kite.txt").write_text("1,2,3,4\n")
    found, too_short = spliced(open_dataset("images", tmp_path), Splice(seconds=0.2, cases=1))
    assert found.names == ["kite", "boat-splice-1", "car-splice-1"]
    assert too_short == []
    with pytest.raises(InputError, match="60 frames but 1 true boxes"):
        found.read("kite")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Splice(seconds=0), "seconds must be above 0, got 0"),
        (lambda: Splice(cases=0), "cases must be"),
        (lambda: Splice(seed=-1), "seed must be"),
    ],
)
def test_a_splice_out_of_range_is_refused(make: Callable[[], Splice], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        make()


def test_a_frame_stride_comes_before_the_splice(dataset: Dataset, clips: dict[str, Sequence]) -> None:
    strided, _ = spliced(dataset.with_frame_stride(2), Splice(seconds=0.2, cases=1))
    assert {parts_of(clip).splice.count for clip in strided} == {3}, "0.2 s at 15 frames a second"
    with pytest.raises(InputError, match="frames are left out before clips are spliced"):
        clips["boat-splice-1"].with_frame_stride(2)
