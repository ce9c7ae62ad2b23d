from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import cv2
import numpy as np
import pytest

from eatrack_edge.core.errors import ConfigError, InputError
from eatrack_edge.datasets.shards import ShardTarget, read_shards
from eatrack_edge.tracking.tracker import Tracker
from eatrack_edge.train.clip_video import ClipVideo, choose_clips, to_and_fro
from eatrack_edge.train.closed_loop import COLUMNS, make_videos, score_video, summarise
from eatrack_edge.train.log import read_log
from eatrack_edge.train.loop import Progress
from eatrack_edge.train.parallel import World
from eatrack_edge.train.recipe import ClosedLoopRecipe, TrainRecipe
from eatrack_edge.train.run import open_trainer

pytestmark = pytest.mark.torch
Recipe = Callable[..., TrainRecipe]
Box = tuple[float, float, float, float]


@pytest.fixture
def clips(shards: Path) -> list[ShardTarget]:
    return [target for target in read_shards(shards) if target.clip]


class Follower:
    """Follows the truth until ``lost_from``, and is elsewhere from then on; begins anew at each ``init``."""

    def __init__(self, video: ClipVideo, lost_from: int = 10**9) -> None:
        self.truth = [box for _, box in video.play()]
        self.lost_from, self.place, self.begun = lost_from, -1, 0

    def init(self, _frame: object, box: Box) -> None:
        self.place = self.truth.index(box)
        self.begun += 1

    def update(self, _frame: object) -> Any:
        self.place += 1
        x, y, w, h = self.truth[self.place]
        is_lost = self.begun == 1 and self.place >= self.lost_from
        return SimpleNamespace(box=(x + 500, y, w, h) if is_lost else (x, y, w, h))


@pytest.mark.parametrize(
    ("length", "places"), [(1, [0, 0, 0]), (2, [0, 1, 0]), (3, [0, 1, 2, 1, 0, 1])], ids=["one", "two", "three"]
)
def test_a_short_clip_is_played_to_and_fro(length: int, places: list[int]) -> None:
    assert [to_and_fro(time, length) for time in range(len(places))] == places


def test_the_box_lies_on_the_target_in_every_frame(clips: list[ShardTarget]) -> None:
    for frame, (x, y, w, h) in ClipVideo(clips[0], 1, 12, seed=3).play():
        hit = frame[round(y + 0.3 * h), round(x + w / 2)].astype(int)  # inside the ellipse, above its mark
        beside = frame[round(y + h / 2), round(x - 0.5 * w)].astype(int)
        assert np.abs(hit - 135).min() > 80  # the ellipse is near black or white, its surroundings are grey
        assert np.abs(beside - 90).max() < 80


def test_a_stride_of_three_shows_every_third_frame(clips: list[ShardTarget]) -> None:
    every = [box for _, box in ClipVideo(clips[0], 1, 30, seed=1).play()]
    third = [box for _, box in ClipVideo(clips[0], 3, 10, seed=1).play()]
    assert third == every[::3]


def test_a_look_alike_passes_by_and_leaves_the_target_in_view(clips: list[ShardTarget]) -> None:
    alone = ClipVideo(clips[0], 1, 48, seed=5)
    crossed = replace(alone, look_alike=clips[1].crops[0])
    changed = []
    for (frame, box), (other, _) in zip(alone.play(), crossed.play(), strict=True):
        changed.append(bool((frame != other).any()))
        x, y = round(box[0] + box[2] / 2), round(box[1] + box[3] / 2)
        assert cv2.absdiff(frame[y, x], other[y, x]).max() <= 8
    assert not any(changed[:24])
    assert sum(changed) > 10


def test_each_source_has_its_turn(clips: list[ShardTarget]) -> None:
    long = [replace(clip, crops=clip.crops * 2) for clip in clips]
    other = replace(long[0], source="other")
    assert [clip.source for clip in choose_clips([*long, other], 3)] == ["moving", "other", "moving"]
    assert choose_clips([replace(clips[0], crops=clips[0].crops[:3])], 3) == []  # too short to change


def test_look_alikes_come_in_the_share_asked_for(clips: list[ShardTarget]) -> None:
    for share, count in ((0.0, 0), (0.5, 3), (1.0, 6)):
        videos = make_videos(clips, ClosedLoopRecipe(every=1, strides=(1,), look_alikes=share))
        assert sum(video.look_alike is not None for video in videos) == count


def test_a_perfect_tracker_has_slope_one_and_no_failure(clips: list[ShardTarget]) -> None:
    video = ClipVideo(clips[0], 1, 40, seed=2)
    score = score_video(cast("Tracker", Follower(video)), video)
    assert score.success == pytest.approx(20 / 21)  # OTB's: an overlap of 1 is not above the last threshold
    assert (score.failures, score.frames) == (0, 39)
    assert score.slope == pytest.approx(1)


def test_a_lost_target_counts_once_and_tracking_begins_anew(clips: list[ShardTarget]) -> None:
    video = ClipVideo(clips[0], 1, 40, seed=2)
    follower = Follower(video, lost_from=10)
    score = score_video(cast("Tracker", follower), video)
    assert (score.failures, follower.begun) == (1, 2)
    assert score.frames == 38  # neither of the two first frames is scored
    assert score.success == pytest.approx(20 / 21 * 33 / 38)


def test_a_clip_begins_on_its_first_frame_that_shows_the_target(clips: list[ShardTarget]) -> None:
    class Blind(Follower):
        def __init__(self, video: ClipVideo, covered: int) -> None:
            super().__init__(video)
            self.covered = covered

        def init(self, _frame: object, box: Box) -> None:
            if self.truth.index(box) < self.covered:
                raise InputError("the box shows one flat colour")
            super().init(_frame, box)

    video = ClipVideo(clips[0], 1, 40, seed=2)
    assert score_video(cast("Tracker", Blind(video, covered=3)), video).frames == 36
    never = score_video(cast("Tracker", Blind(video, covered=40)), video)
    assert never.frames == 0
    assert math.isnan(never.success)


def test_the_slope_is_of_predicted_over_true_size() -> None:
    sides = np.exp(np.linspace(-0.4, 0.4, 9))
    truth = np.stack([0 * sides, 0 * sides, 20 * sides, 20 * sides], axis=1)
    half = np.stack([0 * sides, 0 * sides, 20 * sides**0.5, 20 * sides**0.5], axis=1)
    assert summarise(half, truth, 0).slope == pytest.approx(0.5)
    assert math.isnan(summarise(truth[:1], truth[:1], 0).slope)


def test_training_logs_closed_loop_columns_when_they_are_due(tiny_recipe: Recipe, tmp_path: Path) -> None:
    def quiet(_progress: Progress) -> None:
        pass

    asked = ClosedLoopRecipe(every=48, clips=1, frames=8, strides=(1,))
    base = tiny_recipe(validate_closed_loop=asked)
    with pytest.raises(ConfigError, match="needs held-out clips, and the data holds out none"):
        open_trainer(replace(base, data=replace(base.data, held_out_every_clip=0)), tmp_path, World())
    trainer = open_trainer(base, tmp_path, World())
    trainer.run(quiet)
    rows = read_log(tmp_path / "log.csv")
    assert [math.isnan(row["loop_success"]) for row in rows] == [True, False]
    again = trainer.validate_closed_loop()
    assert {name: rows[-1][name] for name in COLUMNS if name != "loop_slope"} == {
        name: value for name, value in again.items() if name != "loop_slope"
    }
